"""
What this machine provides where nothing is configured: embedded databases and the demo's key.

Returned as environment variables, the one way in which a setting reaches the pipeline.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from anonymizers.keys import DEMO_SECRET
from delivery.settings import home
from sudare import postgres

ROOT = Path(__file__).resolve().parent.parent
DEMO_AGREEMENTS = ROOT / "sudare" / "demo" / "agreements.toml"
METADATA = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


def environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """
    The environment of the pipeline and of Airflow on this machine.

    What is set stays. A missing database is an embedded one; the demo's key is supplied
    with the embedded source only, so a real source without a key stops.
    """
    place = home(given)
    found = {**given, "SUDARE_HOME": str(place)}
    if not all(found.get(name) for name in ("SUDARE_SOURCE_URL", "SUDARE_WAREHOUSE_URL", METADATA)):
        embedded = postgres.start(place)
        if not found.get("SUDARE_SOURCE_URL") and not found.get("SUDARE_SECRET"):
            found["SUDARE_SECRET"] = DEMO_SECRET
            found["SUDARE_AGREEMENTS"] = found.get("SUDARE_AGREEMENTS") or str(DEMO_AGREEMENTS)
        for name, url in {**embedded.environment, METADATA: embedded.metadata_url}.items():
            found[name] = found.get(name) or url
    return {**_airflow(place), **found}


def _airflow(place: Path) -> dict[str, str]:
    """Airflow's own settings, each only where it is not set."""
    return {
        "AIRFLOW_HOME": str(place / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "utc",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONPATH": str(ROOT),
    }
