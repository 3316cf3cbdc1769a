"""Applying the reader roles' grants to a source, as its owner."""

import psycopg

from anonymizers.errors import ReaderUnderGranted, SourceUnreachable
from transforms.datasets import grants


def apply(url: str) -> None:
    """
    Make the reader roles, revoke what they have, and grant each its declared columns, in one transaction.

    Raises:
        SourceUnreachable: no connection.
        ReaderUnderGranted: this login may not make roles or grant.
    """
    try:
        with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
            for statement in grants():
                connection.execute(statement)
        return
    except psycopg.OperationalError:
        ours: Exception = SourceUnreachable("the source: no connection; check SUDARE_SOURCE_URL and that it is up")
    except psycopg.Error as error:
        ours = ReaderUnderGranted(f"the grants failed with SQLSTATE {error.sqlstate}; apply them as the tables' owner")
    raise ours from None
