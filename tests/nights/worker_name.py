"""The name under which a component of the tests' cluster is known to Airflow; they are all on one machine."""

import os


def hostname() -> str:
    """For ``AIRFLOW__CORE__HOSTNAME_CALLABLE``."""
    return os.environ["CLUSTER_PART"]
