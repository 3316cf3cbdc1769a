"""
What Airflow's own metrics and OpenLineage are told of a step: counts, seconds, datasets and columns; never a value.

Both are off unless Airflow is configured for them, and a step never waits for or depends on either.
"""

from collections.abc import Iterator
from typing import Any

from anonymizers.errors import SudareError


def measure(name: str, of: Any, seconds: float, result: Any, failure: SudareError | None) -> None:
    """
    Report a step to Airflow's metrics.

    Args:
        name, of: The step, and the destination it is about, if it is about one.

        seconds: How long it took.

        result: What it returned: every count in it becomes one, such as ``members.dropped.under_age``.

        failure: Why it failed, if it did.
    """
    from airflow.sdk.observability import stats

    tags = {"step": name} | ({"destination": of} if isinstance(of, str) else {})
    stats.timing("sudare.step", seconds * 1000, tags=tags)
    if failure is not None:
        stats.incr("sudare.failures", tags=tags | {"reason": failure.reason})
    for what, count in counts(result):
        stats.incr("sudare.count", count, tags=tags | {"what": what})


def counts(result: Any, above: str = "") -> Iterator[tuple[str, int]]:
    """Every count in what a step returned, with the names that lead to it."""
    if isinstance(result, dict):
        for name, one in result.items():
            yield from counts(one, f"{above}.{name}" if above else str(name))
    elif isinstance(result, int) and not isinstance(result, bool) and above:
        yield above, result


def tell_lineage(name: str, of: Any, night: Any) -> None:
    """Emit what the step reads and makes as an event of the running task, where OpenLineage is configured."""
    from airflow.providers.openlineage import conf

    if conf.is_disabled():  # before anything of the client is loaded
        return
    from airflow.providers.openlineage.api import emit_dataset_lineage

    from delivery.destinations import destinations
    from delivery.lineage import lineage

    settings = night.settings
    inputs, outputs = lineage(name, of, settings.source_url, settings.warehouse_url, night.tables, destinations())
    if inputs or outputs:
        emit_dataset_lineage(inputs=list(map(_dataset, inputs)), outputs=list(map(_dataset, outputs)))


def _dataset(one: Any) -> Any:
    from openlineage.client.event_v2 import Dataset
    from openlineage.client.facet_v2 import schema_dataset

    fields = [
        schema_dataset.SchemaDatasetFacetFields(n, type=t or None, description=d or None) for n, t, d in one.columns
    ]
    facets = {"schema": schema_dataset.SchemaDatasetFacet(fields=fields)} if fields else {}
    return Dataset(namespace=one.namespace, name=one.name, facets=facets)
