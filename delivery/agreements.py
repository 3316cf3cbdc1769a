"""
Agreements: what a deployment has arranged with each recipient. A file that the privacy officer can read.

The rules of a destination are code; where its files go, under which key they are sealed and on which basis they are
provided is written down by whoever answers for it, in TOML, one table a destination. Passwords are not: those are in
the environment or in an Airflow connection. Without an agreement nothing is provided to anybody.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from anonymizers.errors import DestinationRefused, SettingRefused
from delivery.destinations import destinations
from delivery.spec import Destination


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What was arranged with one recipient."""

    destination: str
    send_to: str = ""
    """``sftp://host:port/folder``, ``s3://bucket/prefix`` or a folder; empty is the local outbox."""
    removals_to: str = ""
    """Where removals go, if elsewhere: in the folder of feeds the same ``1`` would add people."""
    host_key: str = ""
    """The SFTP server's public key, as in ``known_hosts``: type and base64."""
    endpoint_url: str = ""
    """Of an S3-compatible store that is not AWS."""
    region: str = ""
    public_key: str = ""
    """File with the recipient's OpenPGP key."""
    fingerprint: str = ""
    """Of the encryption subkey, 40 or 64 hexadecimal digits."""
    recipient_address: str = ""
    recipient_representative: str = ""
    """施行規則 20条1項2号: of a legal person, who represents it."""
    article_28_basis: str = ""
    """For a country other than Japan and those recognised as equal: which consent, or which measures."""
    confirmed: str = ""
    """Who confirmed, when and where, what the destination does not publish."""

    def require_usable(self, destination: Destination) -> None:
        """
        Check that nothing has to be guessed.

        Raises:
            DestinationRefused: a rule is unpublished and unconfirmed, 28条 has no recorded basis, or sealing is half
                set.
        """
        missing = [
            f"'{name}' (施行規則 20条)"
            for name in ("recipient_address", "recipient_representative")
            if not getattr(self, name)
        ]
        if destination.unconfirmed and not self.confirmed:
            missing.append(f"'confirmed' (unpublished: {'; '.join(destination.unconfirmed)})")
        if destination.recipient.needs_basis and not self.article_28_basis:
            missing.append(f"'article_28_basis' (28条, recipient in {destination.recipient.country})")
        if bool(self.public_key) != bool(self.fingerprint):
            missing.append("'public_key' and 'fingerprint', both or neither")
        schemes = {urlsplit(place).scheme for place in (self.send_to, self.removals_to)}
        if "sftp" in schemes and not self.host_key:
            missing.append("'host_key'")
        if schemes & {"sftp", "s3"} and not self.fingerprint:
            missing.append("'fingerprint': what leaves the house is sealed")
        if "s3" in schemes and not self.removals_to:
            missing.append("'removals_to': an importer of the bucket would read what lies below the feeds")
        if self.removals_to and _same_place(self.send_to, self.removals_to):
            missing.append("another 'removals_to' than 'send_to': there the same rows would add people")
        if missing:
            raise DestinationRefused(f"{destination.name}: the agreement lacks {', '.join(missing)}")


def _same_place(one: str, other: str) -> bool:
    def parts(place: str) -> tuple:
        split = urlsplit(place)
        port = split.port or (22 if split.scheme == "sftp" else None)
        return split.scheme, split.hostname, port, os.path.normpath(split.path or "/")

    return parts(one) == parts(other)


@dataclass(frozen=True)
class Login:
    """How one is let in. Nothing of it shows in a ``repr``."""

    login: str = ""
    password: str = ""
    private_key: str = ""
    """Text of a private key, OpenSSH or PEM."""

    def __repr__(self) -> str:
        return "Login(…)"


def read_agreements(environment: Mapping[str, str] = os.environ) -> dict[str, Agreement]:
    """
    The agreements of this deployment, by destination: the file that ``SUDARE_AGREEMENTS`` names; none without one.

    Raises:
        SettingRefused: the file cannot be read, or says something that no agreement has.
    """
    path = environment.get("SUDARE_AGREEMENTS")
    if not path:
        return {}
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingRefused(f"SUDARE_AGREEMENTS: {type(error).__name__}; give the path of a TOML file") from None
    return {name: _agreement(name, table) for name, table in sorted(tables.items())}


def _agreement(name: str, table: object) -> Agreement:
    if name not in destinations():
        raise SettingRefused(f"SUDARE_AGREEMENTS: {name!r} is no destination; there are {', '.join(destinations())}")
    known = {field.name for field in fields(Agreement)} - {"destination"}
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise SettingRefused(f"SUDARE_AGREEMENTS: [{name}] is a table of texts")
    if unknown := sorted(table.keys() - known):
        listed = ", ".join(sorted(known))
        raise SettingRefused(f"SUDARE_AGREEMENTS: [{name}] has {', '.join(unknown)}; known are {listed}")
    return Agreement(destination=name, **table)


def read_login(name: str, environment: Mapping[str, str] = os.environ) -> Login:
    """Of one destination: ``SUDARE_<NAME>_LOGIN``, ``_PASSWORD``, ``_PRIVATE_KEY``."""
    found = (environment.get(variable, "") for variable in credential_variables(name))
    return Login(*found)


def credential_variables(name: str) -> tuple[str, str, str]:
    prefix = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return tuple(f"SUDARE_{prefix}_{what}" for what in ("LOGIN", "PASSWORD", "PRIVATE_KEY"))
