"""
The steps of a night, as plain functions over settings and a day; nothing here knows Airflow.

    plan ─┬─ extract ─ tabulate ─ merge_cells ─ disclose ─ gate_tables ─ publish
          ├─ redact                                            (internal use only)
          ├─ build_feed ─ gate_feed ─ hand_over             (these two in `delivery.feed_steps`)
          └─ remove

A step finds its input in staging and leaves its output there; what it returns are names
and counts, fit for a log. Each can be run again, alone, with the same result.
"""

import dataclasses
import datetime
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from anonymizers.cells import Cells
from anonymizers.disclosure import Disclosure, perturbation_digest
from anonymizers.errors import (
    DayRefused,
    GateRefused,
    NightRunning,
    OutboxUnwritable,
    PolicyAhead,
    PublicationBroken,
    SourceEmpty,
    StateRefused,
)
from delivery import manifest, outbox, publication
from delivery.days import TOKYO
from delivery.destinations import destinations
from delivery.feed_steps import (  # noqa: F401  steps of the DAG
    build_feed,
    gate_feed,
    hand_over,
    plan_removals,
    remove,
    require_not_vanished,
)
from delivery.ledger import Ledger
from delivery.retention import retain  # noqa: F401  the step of the DAG `retention`
from delivery.settings import Settings
from delivery.spec import Destination
from delivery.warehouse import Warehouse
from expectations import attack_report
from expectations.checks import Outcome
from transforms.extraction import OF_MEMBERS, add_up, extract_shards, shards_together, window
from transforms.method import fingerprint
from transforms.places import make_folder, unwritable_as
from transforms.purposes import POLICY_VERSION, STATISTICS, require_served
from transforms.release import periods, published_frame, release, repeat, week_before
from transforms.silence import require_heard, silent_slices
from transforms.source import (
    SCHEMA,
    Counted,
    Session,
    Shard,
    Source,
    check_drift,
    count_rows,
    plan_shards,
    read_demo_mark,
    require_not_fewer,
)
from transforms.spec import Period, Reader, Table
from transforms.staging import Staging
from transforms.suites import table_suite
from transforms.tables import catalogue
from transforms.tabulation import merge, merge_terms, tabulate_shard
from transforms.texts import plan_text_shards, redact_shard

_RUN = "run.json"
"""In a night's staging: which run of it is the one that counts."""


@dataclasses.dataclass(frozen=True)
class Night:
    """One day's run of one deployment."""

    settings: Settings
    day: datetime.date
    now: datetime.datetime
    """The instant of the step, with a time zone."""
    run: str = ""
    """Tells apart the runs of one day that may be under way at once; what lies between the steps of one is its own."""
    feeds: bool = True
    """False for a night that makes tables and texts only; removals are owed whatever it makes."""

    @property
    def source(self) -> Source:
        return Source(self.settings.source_url)

    @property
    def planned_source(self) -> Source:
        """The source for the steps after `plan`: it may not have lost stop signals or consents since."""
        return Source(self.settings.source_url, tuple(self.planned.get("stop_signals", {}).items()))

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.settings.warehouse_url)

    @property
    def staging(self) -> Staging:
        return Staging(self.settings.staging_url, self.day, self.run)

    @property
    def owner(self) -> str:
        """Of what lies between two steps outside of staging."""
        return f"{self.day}.{self.run}" if self.run else self.day.isoformat()

    @property
    def tables(self) -> dict[str, Table]:
        """The tables whose purpose this deployment serves."""
        return {name: t for name, t in catalogue().items() if t.purpose in self.settings.purposes}

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.settings.ledger_url)

    @property
    def destinations(self) -> dict[str, Destination]:
        """Those with which this deployment has an agreement."""
        agreed = {name: d for name, d in destinations().items() if name in self.settings.agreements}
        return {name: d for name, d in agreed.items() if d.purpose in self.settings.purposes}

    @property
    def planned(self) -> dict:
        """What `plan` decided."""
        return self.staging.read_json("plan.json")

    @property
    def planned_at(self) -> datetime.datetime:
        return datetime.datetime.fromisoformat(self.planned["now"])

    @property
    def shards(self) -> list[Shard]:
        return [Shard(**shard) for shard in self.planned["shards"]]

    @property
    def tasks(self) -> list[list[int]]:
        """The numbers of the shards of members, by the mapped task that works on them."""
        most = self.settings.shards_per_task
        numbers = list(range(len(self.planned["shards"])))
        return [numbers[first : first + most] for first in range(0, len(numbers), most)]

    def judge(self, gate: str, outcomes: list[Outcome]) -> dict:
        """
        Keep what a gate found, and stop where it is red.

        Raises:
            GateRefused: an expectation failed.
        """
        from expectations.gate import require_green

        self.staging.write_json([o.as_dict() for o in outcomes], "gates", f"{gate}.json")
        require_green(outcomes)
        return {"gate": gate, "expectations": len(outcomes), "failed": 0}

    def member_key(self):
        return self.settings.secret.derive("staging/pseudonyms/1")

    def ledger_key(self):
        """For the tokens of members in the delivery ledger. It has no epochs: what was provided stays findable."""
        return self.settings.secret.derive("delivery/members/1")

    def text_key(self):
        return self.settings.secret.derive("staging/texts/1")

    def statistics_key(self):
        """For record keys, quorums and noise; a new one with every epoch."""
        return self.settings.secret.derive(f"statistics/{self.settings.epoch}")

    @property
    def disclosure(self) -> dict:
        """What published numbers depend on: with any of it changed they could be compared no longer."""
        return {
            "epoch": self.settings.epoch,
            "key_id": self.statistics_key().id,
            "perturbation": perturbation_digest(),
            "threshold": self.settings.control.threshold,
            "thresholds": {
                name: t.control.at_least(self.settings.control.threshold).threshold for name, t in self.tables.items()
            },
        }


def plan(night: Night) -> list[list[int]]:
    """
    Check everything that can be checked before a row is read, and cut the work into shards.

    Args:
        night: Which. Its instant is the run's: stop signals count as of then in every step before the fence.

    Returns:
        The numbers of the shards of members, task by task. Their bounds and counts are kept in staging for the other
        steps.

    Raises:
        A leaf of `SudareError` for each way in which the night must not start.
    """
    today = night.now.astimezone(TOKYO).date()
    if night.day >= today:
        raise DayRefused(f"{night.day} is not over in Asia/Tokyo; a night describes a day that is")
    for purpose in night.settings.purposes:
        require_served(purpose)
    week = _require_state(night)
    _require_writable(night)
    with night.source.session(None) as session:
        undeclared = check_drift(session)
        night.settings.secret.require_fit_for(demo_source=read_demo_mark(session) is not None)
    publication.finish_interrupted(night.warehouse, night.settings.published)
    with night.source.session(Reader.ADS):
        pass  # opened only so that a missing or excessive grant stops the night before it starts
    with ThreadPoolExecutor(1) as meanwhile, night.source.session(Reader.STATISTICS) as session:
        texts = meanwhile.submit(_plan_texts, night, week)
        counted = {name: count_rows(session, Reader.STATISTICS, name) for name in OF_MEMBERS}
        if not counted["members"].of_members:
            raise SourceEmpty("members: 0 rows; an empty source publishes nothing")
        shards = plan_shards(session, night.settings.members_per_shard)
        planned = {
            "day": night.day.isoformat(),
            "now": night.now.isoformat(),
            "shards": [dataclasses.asdict(shard) for shard in shards],
            "text_shards": [dataclasses.asdict(shard) for shard in texts.result()],
            "terms_of_week": week.isoformat() if week else None,
            "undeclared": undeclared,
            "rows": {name: one.of_members for name, one in counted.items()}
            | {"postings": session.count("postings", window(night.day))},
            "stop_signals": _require_stop_signals(night, counted),
            "non_finite": {
                f"{name}.{column}": count for name, one in counted.items() for column, count in one.non_finite.items()
            },
            "policy_version": _require_policy(session, today),
        }
    # Whatever it writes after this is in a folder that nobody tidies up any more.
    require_not_overtaken(night)
    night.staging.write_json(planned, "plan.json")
    return night.tasks


def _plan_texts(night: Night, week: datetime.date | None) -> list[Shard]:
    """Shards of threads; counted as the text reader, which nobody else is."""
    with night.source.session(Reader.TEXT) as session:
        return plan_text_shards(session, night.day, week, night.settings.postings_per_text_shard)


def require_not_overtaken(night: Night) -> None:
    """
    Check that no other run of the same night has been started since this one was.

    Whoever plans last goes on; an earlier one finds nothing left of what it has staged. Neither can publish or send
    what is not its own, so this only ends the earlier one soon, and tells why.

    Raises:
        NightRunning: one has.
    """
    if Staging(night.settings.staging_url, night.day).read_json(_RUN) != night.run:
        raise NightRunning(f"{night.day}: another run of this night has begun since, and goes on; this one ends here")


def plan_texts(night: Night) -> list[int]:
    """The numbers of the shards of threads."""
    return list(range(len(night.planned["text_shards"])))


def plan_feeds(night: Night) -> list[str]:
    """The destinations this deployment has agreements with; none where the night makes no feeds."""
    return list(night.destinations) if night.feeds else []


def _require_state(night: Night) -> datetime.date | None:
    """
    Check that this night carries on what was published before.

    Returns:
        The Monday of the last closed week, if its terms have still to be published.

    Raises:
        NightOutOfOrder: a later night is published.
        StateRefused: the numbers so far are of another key, threshold, perturbation table or later epoch.
    """
    nights = night.warehouse.manifests()
    last = max(nights, default=None)
    publication.require_order(night.day, (last, nights[last][0]) if last else None)
    before = manifest.parse(nights[last][1]).get("disclosure", {}) if last else night.disclosure
    require_state(night.disclosure, before, again=last == night.day)
    week = week_before(night.day)
    told = [t for t in night.tables.values() if t.period is Period.WEEK]
    unpublished = any(_published(night, table).names.empty for table in told)
    return week if unpublished else None


def require_state(ours: dict, before: dict, *, again: bool) -> None:
    """
    Check that published numbers may be carried on.

    Args:
        ours: What tonight's numbers depend on: epoch, key id, perturbation table, threshold.

        before: The same of the last published night.

        again: That was this very night.

    Raises:
        StateRefused: something is not the same, and the epoch is no later one; or it is, and the night is published.
    """
    if not before:
        raise StateRefused(
            "the published numbers were made by a version without a change quorum and cannot be carried on; give "
            "another warehouse"
        )
    if ours["epoch"] > before["epoch"]:
        if again:
            raise StateRefused(
                "this night is published; a new epoch begins with another one, or both could be compared"
            )
        return
    shared = ours["thresholds"].keys() & before["thresholds"].keys()
    if other := sorted(
        name
        for name, value in ours.items()
        if (any(value[t] != before[name][t] for t in shared) if name == "thresholds" else before[name] != value)
    ):
        raise StateRefused(
            f"the published numbers have another {', '.join(other)}; going on would tell who changed. Set it back, or "
            "start a new epoch with SUDARE_EPOCH, after which old and new numbers cannot be compared"
        )


def _published(night: Night, table: Table):
    return night.warehouse.published(table, night.settings.epoch, periods(table, night.day))


def _require_writable(night: Night) -> None:
    """Check every place, and take the night over: of its other runs, whether they are dead or not, nothing stays."""
    of_all_runs = Staging(night.settings.staging_url, night.day)
    of_all_runs.remove()
    of_all_runs.write_json(night.run, _RUN)
    of_all_runs.remove_leftovers()
    outbox.forget_other_pending(night.settings.outbox, night.day)
    night.staging.write_json({}, "probe.json")
    for error, folder in ((OutboxUnwritable, night.settings.outbox), (PublicationBroken, night.settings.published)):
        with unwritable_as(error, folder.name):
            make_folder(folder)
            probe = folder / ".probe"
            probe.write_bytes(b"sudare")
            probe.unlink()


def _require_policy(session: Session, today: datetime.date) -> str:
    rows = session.rows(
        f"select version from {SCHEMA}.policy_versions where effective_on <= date '{today}' "
        "order by effective_on desc limit 1"
    )
    version = rows[0][0] if rows else None
    if version != POLICY_VERSION:
        raise PolicyAhead(
            f"policy_versions: the policy in force is not {POLICY_VERSION}, from which the register of purposes was "
            "written; read the new one, then change transforms/purposes.py"
        )
    return version


def _require_stop_signals(night: Night, counted: dict[str, Counted]) -> dict[str, int]:
    counts = {name: counted[name].rows for name in ("opt_outs", "rights_requests", "consents")}
    nights = night.warehouse.manifests()
    before = manifest.parse(nights[max(nights)][1])["stop_signals"] if nights else {}
    watched = {name: before.get(name, 0) for name in ("opt_outs", "rights_requests")}
    require_not_vanished(night, counts, watched, "on the last night")
    return counts


def extract(night: Night, shards: list[int]) -> dict:
    """Read, de-identify and stage some shards of members and their postings; counts of all of them."""
    planned = night.planned
    summaries = extract_shards(
        night.source,
        night.staging,
        [Shard(**planned["shards"][number]) for number in shards],
        shards_together(len(planned["shards"]), planned["rows"]["postings"]),
        night.planned_at,
        night.member_key(),
        night.statistics_key(),
    )
    told = []
    for number, summary in zip(shards, summaries, strict=True):
        night.staging.write_json(summary, "summaries", f"extract-{number:04d}.json")
        told.append(summary)
    return _kept(add_up(told))


def redact(night: Night, shard: int) -> dict:
    """Read, redact and stage one shard of the day's postings, and the terms of a week that has closed."""
    plan = night.planned
    planned, week = Shard(**plan["text_shards"][shard]), plan["terms_of_week"]
    summary = redact_shard(
        night.planned_source,
        night.staging,
        planned,
        night.planned_at,
        night.text_key(),
        night.statistics_key(),
        datetime.date.fromisoformat(week) if week else None,
    )
    night.staging.write_json(summary, "summaries", f"redact-{shard:04d}.json")
    return _kept(summary)


def _kept(summary: dict) -> dict:
    return {name: {key: one[key] for key in ("read", "kept", "dropped")} for name, one in summary["accounts"].items()}


def tabulate(night: Night, shards: list[int]) -> int:
    """Stage the true cells of some shards, two at a time; how many tables."""
    tables = list(night.tables.values())
    with ThreadPoolExecutor(2, thread_name_prefix="tabulate") as pool:
        for _ in pool.map(lambda shard: tabulate_shard(night.staging, shard, tables), shards):
            pass  # what one has raised is raised here
    return len(tables)


def merge_cells(night: Night) -> int:
    """
    Add up the shards' cells, table by table; how many tables.

    Raises:
        SourceUnsettled: the shards have read fewer rows of anything than there were when the night began.
    """
    planned, read = night.planned, _read_in_all(night)["read"]
    for dataset, rows in planned["rows"].items():
        require_not_fewer(dataset, read.get(dataset, 0), rows)
    shards, text_shards = len(planned["shards"]), len(planned["text_shards"])
    counted = {name: t for name, t in night.tables.items() if t.over != "terms" or planned["terms_of_week"]}
    for name, table in counted.items():
        of_terms = table.over == "terms"
        cells = (
            merge_terms(night.staging, table, shards, text_shards) if of_terms else merge(night.staging, table, shards)
        )
        night.staging.write_table(cells.to_arrow(), "merged", f"{name}.parquet")
    return len(counted)


def disclose(night: Night) -> dict[str, int]:
    """
    Stage what would be published of every table; cells with and without a change per table.

    Raises:
        SliceSilent: a code that had a number has nearly nobody tonight.
    """
    disclosures = _disclosures(night)
    for name, disclosed in disclosures.items():
        frame = published_frame(night.tables[name], disclosed.release)
        night.staging.write_table(pa.Table.from_pandas(frame, preserve_index=False), "releases", f"{name}.parquet")
    return {name: disclosed.release.changed_cells for name, disclosed in disclosures.items()}


def _disclosures(night: Night) -> dict[str, Disclosure]:
    boards, week = night.staging.read_json("boards.json"), night.planned["terms_of_week"]
    control, key = night.settings.control, night.statistics_key()
    disclosures: dict[str, Disclosure] = {}
    silent: list[str] = []
    for name, table in night.tables.items():
        published = _published(night, table)
        if table.over == "terms" and not week:
            disclosures[name] = repeat(table, published, night.day, control, key)
        else:
            cells = Cells.from_arrow(night.staging.read_table("merged", f"{name}.parquet"))
            silent += silent_slices(table, cells, published, night.day)
            disclosures[name] = release(table, cells, published, night.day, boards, control, key)
    require_heard(silent, night.settings.accept_silent)
    return disclosures


def gate_tables(night: Night) -> dict:
    """
    Validate every table as it would be published, and attack what is suppressed in them.

    Raises:
        AttackReportRefused: the attacks were not run against these tables and this protection, or one succeeded.
        GateRefused: an expectation failed; the outcomes are kept in staging either way.
    """
    from expectations.validation import validate  # Great Expectations takes many seconds to import
    from transforms.audit import audit  # and so does SciPy

    if not night.tables:  # a deployment for feeds only
        night.staging.write_json([], "gates", "tables.json")
        return {"gate": "tables", "expectations": 0, "failed": 0}
    attack_report.require_holds(attack_report.read(), fingerprint())
    threshold = night.settings.control.threshold
    outcomes: list[Outcome] = []
    frames = {name: night.staging.read_table("releases", f"{name}.parquet").to_pandas() for name in night.tables}
    for name, table in night.tables.items():
        outcomes += validate(name, frames[name], table_suite(table, table.control.at_least(threshold).threshold))
    if all(outcome.success for outcome in outcomes):  # what is no table of its own kind need not be attacked
        outcomes += audit(night.tables, frames, night.day, threshold)
    return night.judge("tables", outcomes)


def publish(night: Night) -> dict:
    """
    Publish the releases that the gate let pass.

    Raises:
        GateRefused: a release is not what was validated.
    """
    # Before the numbers are read that these build on, so that whoever publishes meanwhile is noticed.
    until_now = {day: sha256 for day, (sha256, _) in night.warehouse.manifests().items() if day <= night.day}
    disclosures = _disclosures(night)
    for name, disclosed in disclosures.items():
        validated = night.staging.read_table("releases", f"{name}.parquet").to_pandas()
        frame = published_frame(night.tables[name], disclosed.release)
        if not frame.astype(object).equals(validated.astype(object)):
            raise GateRefused(f"{name}: what would be published is not what was validated; run the night again")
    finished = publication.publish(
        night.warehouse,
        night.settings.published,
        night.day,
        night.settings.epoch,
        disclosures,
        night.tables,
        _statistics_manifest(night),
        max(until_now.items(), default=None),
    )
    return {"tables": len(disclosures), "rows": sum(o["rows"] for o in finished["outputs"])}


def _read_in_all(night: Night) -> dict:
    """What all shards have read, kept and dropped."""
    planned = night.planned
    steps = [("extract", len(planned["shards"])), ("redact", len(planned["text_shards"]))]
    told = add_up(
        [night.staging.read_json("summaries", f"{step}-{n:04d}.json") for step, count in steps for n in range(count)]
    )
    if not told["read"].get("members"):
        raise SourceEmpty("members: 0 rows; an empty source publishes nothing")
    return told


def _statistics_manifest(night: Night) -> dict:
    planned, inputs = night.planned, _read_in_all(night)
    manifest.require_adds_up(inputs["accounts"])
    return {
        "night": planned["day"],
        "purpose": STATISTICS,
        "policy_version": planned["policy_version"],
        "code_version": manifest.code_version(),
        "key_ids": {key.purpose: key.id for key in (night.member_key(), night.text_key())},
        "disclosure": night.disclosure,
        "threshold": night.settings.control.threshold,
        "inputs": inputs["accounts"],
        "unfit_values": inputs["unfit"],
        "texts_found": inputs["found"],
        "infinite_dates": planned["non_finite"],
        "undeclared_in_source": planned["undeclared"],
        "stop_signals": planned["stop_signals"],
        "accepted_silent": list(night.settings.accept_silent),
        "gate": night.staging.read_json("gates", "tables.json"),
    }


def close(night: Night) -> None:
    """Remove true cells, pending feeds and whatever else was only needed between two steps, also after a failure."""
    for part in ("cells", "merged", "releases", "terms"):
        night.staging.remove(part)
    for name in night.destinations:
        outbox.forget_pending(outbox.pending_place(night.settings.outbox, name, night.owner))
