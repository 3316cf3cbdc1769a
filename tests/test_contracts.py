"""What every declared table, dataset and destination must be, whoever adds one."""

import dataclasses
import re

import pytest

from anonymizers.bands import TOTAL
from anonymizers.controls import DEFAULT_THRESHOLD
from delivery.destinations import called, destinations
from delivery.destinations.liveramp import DESTINATION
from delivery.identifiers import RULES
from delivery.spec import Digest, Method, Recipient, Relation
from sudare.demo import schema
from transforms.datasets import DATASETS, grants
from transforms.purposes import ADVERTISING, PURPOSES, STATISTICS, require_served
from transforms.spec import (
    Column,
    Dataset,
    Dimension,
    Drop,
    Gate,
    Generalise,
    Keep,
    MatchKey,
    Measure,
    MeasureKind,
    Per,
    Pseudonymise,
    Reader,
    Redact,
    Role,
    Table,
)
from transforms.suites import table_suite
from transforms.tables import catalogue

TABLES = list(catalogue().values())
COLUMNS = [(dataset, column) for dataset in DATASETS.values() for column in dataset.columns]
per_table = pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
per_dataset = pytest.mark.parametrize("dataset", list(DATASETS.values()), ids=lambda d: d.name)
per_destination = pytest.mark.parametrize("destination", list(destinations().values()), ids=lambda d: d.name)
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")


def read_by(reader: Reader) -> set[str]:
    return {f"{dataset.name}.{c.name}" for dataset in DATASETS.values() for c in dataset.read_by(reader)}


def test_there_is_something_to_check():
    assert len(TABLES) == 8
    assert len(DATASETS) == 14
    assert list(destinations()) == [
        *(
            "amazon",
            "criteo",
            "google",
            "line",
            "liveramp",
            "meta",
            "microsoft",
            "snap",
            "tiktok",
            "trade_desk",
            "uid2",
        ),
        *("x", "yahoo_japan"),
    ]


@per_table
class TestTable:
    def test_its_purpose_is_served(self, table):
        assert require_served(table.purpose).id == STATISTICS

    def test_it_speaks_both_languages(self, table):
        for named in (table, *table.dimensions, *table.measures):
            assert named.title
            assert not JAPANESE.search(named.title)
            assert JAPANESE.search(named.title_ja)
        assert table.note
        assert JAPANESE.search(table.note_ja)
        assert all(measure.unit for measure in table.measures)

    def test_no_column_points_at_a_person(self, table):
        assert [name for name in table.columns if re.search(r"_id$|pseudonym|e?mail|hash|token|member_no", name)] == []
        assert len(set(table.columns)) == len(table.columns)

    def test_its_threshold_is_no_lower_than_the_default(self, table):
        assert table.control.threshold >= DEFAULT_THRESHOLD == 10

    def test_magnitudes_stand_without_a_count(self, table):
        kinds = {measure.kind for measure in table.measures}
        magnitudes = {MeasureKind.MEAN, MeasureKind.QUANTILE}
        assert not kinds & magnitudes or kinds <= magnitudes
        assert bool(table.bins) == (MeasureKind.QUANTILE in kinds)

    def test_it_has_a_margin_over_every_dimension_but_periods(self, table):
        periods = {"day", "week"}
        assert set(table.summed_over) == {d.name for d in table.dimensions} - periods
        for dimension in table.dimensions:
            assert dimension.is_period == (dimension.name in periods)
            told = dimension.published_codes or re.fullmatch(dimension.published_pattern, TOTAL) and (TOTAL,) or ()
            assert (TOTAL in told) == (not dimension.is_period)
            assert TOTAL not in dimension.codes
            assert not dimension.labels or dict(dimension.published_labels)[TOTAL] == "全体"

    def test_it_says_of_which_night_each_number_is(self, table):
        assert table.columns[-1] == "as_of"

    def test_only_a_closed_list_or_terms_that_have_a_number_tell_that_a_cell_is_there(self, table):
        assert table.is_open == (table.over == "terms")

    def test_a_top_code_says_of_which_year_it_is(self, table):
        assert bool(table.contribution) == bool(table.cap_year)

    def test_a_share_is_within_some_but_not_all_dimensions(self, table):
        names = {d.name for d in table.dimensions}
        for measure in table.measures:
            assert bool(measure.within) == (measure.kind is MeasureKind.SHARE)
            assert not measure.within or set(measure.within) < names

    def test_its_suite_counts_rows_first_and_checks_every_value(self, table):
        suite = table_suite(table, 10)
        assert suite[0].expectation == "ExpectTableRowCountToBeBetween"
        assert suite[0].params["min_value"] >= 1
        checked = {(check.column, check.expectation) for check in suite}
        for dimension in table.dimensions:
            kind = "ExpectColumnValuesToBeInSet" if dimension.codes else "ExpectColumnValuesToMatchRegex"
            assert (dimension.name, kind) in checked
            assert (dimension.name, "ExpectColumnValuesToNotBeNull") in checked
            assert not dimension.labels or (f"{dimension.name}_ja", "ExpectColumnValuesToBeInSet") in checked
            searched = (dimension.name, "ExpectColumnValuesToNotMatchRegex") in checked
            assert searched == dimension.is_text
        for measure in table.measures:
            assert (measure.name, "ExpectColumnValuesToBeBetween") in checked
        assert [c.params["column_list"] for c in suite if c.expectation == "ExpectTableColumnsToMatchOrderedList"] == [
            list(table.columns)
        ]

    def test_its_suite_refuses_small_counts(self, table):
        kinds = {m.name: m.kind for m in table.measures}
        least = {c.column: c.params["min_value"] for c in table_suite(table, 12) if c.column in kinds}
        for name, kind in kinds.items():
            assert least[name] == (12 if kind in (MeasureKind.MEMBERS, MeasureKind.CONTRIBUTIONS) else 0)

    def test_its_suite_wants_a_night_for_every_row(self, table):
        checks = {c.expectation for c in table_suite(table, 10) if c.column == "as_of"}
        assert checks == {"ExpectColumnValuesToNotBeNull", "ExpectColumnValuesToMatchRegex"}

    def test_members_are_counted_or_averaged_only(self, table):
        assert {m.kind for m in table.measures} <= set(MeasureKind)
        assert table.contribution in ("", "postings_28d")


@per_dataset
class TestDataset:
    def test_every_column_is_described(self, dataset):
        assert [c.name for c in dataset.columns if not c.description.strip()] == []

    def test_what_is_staged_is_deleted_on_schedule(self, dataset):
        assert 0 <= dataset.staging_days <= 30

    def test_secrets_and_names_are_never_kept(self, dataset):
        for column in dataset.columns:
            if column.role in (Role.DIRECT_IDENTIFIER, Role.SECRET, Role.FREE_TEXT, Role.SENSITIVE, Role.RELATED):
                assert not any(isinstance(column.for_reader(reader), Keep) for reader in Reader), column.name

    def test_no_email_but_for_a_match_key_and_no_text_but_redacted(self, dataset):
        for column in dataset.columns:
            treatments = {type(column.for_reader(reader)) for reader in Reader} - {Drop}
            if "email" in column.name and column.type == "text":
                assert treatments <= {MatchKey}
            if column.role is Role.FREE_TEXT:
                assert treatments <= {Redact}


def readers_of(*patterns: str) -> set[str]:
    """Columns that somebody reads, among those that match."""
    everything = set().union(*(read_by(reader) for reader in Reader))
    return {name for name in everything for pattern in patterns if re.fullmatch(pattern, name)}


def test_nobody_reads_secrets_logs_or_medical_notes():
    assert readers_of(r"members\.password_hash", r"posting_access_logs\..*", r"children\.medical_note") == set()
    assert readers_of(r".*phone.*", r".*address.*", r".*\.last_ip", r".*user_agent", r"legal_holds\..*") == set()
    assert readers_of(r"campaign_entries\..*", r"enquiries\..*", r"reactions\..*") == set()


def test_statistics_read_no_address_no_text_no_name():
    read = read_by(Reader.STATISTICS)
    assert {n for n in read if re.search(r"email(?!_verified)|body|name|kana|phone|postal|_line", n)} == set()
    assert "members.email" not in read


def test_ads_read_no_postings_no_children_no_names():
    read = read_by(Reader.ADS)
    assert {n.split(".")[0] for n in read} == {"members", "consents", "opt_outs", "rights_requests", "policy_versions"}
    assert {n for n in read if re.search(r"name|kana|nick|prefecture|registered", n)} == set()


def test_texts_read_no_address_and_no_age():
    read = read_by(Reader.TEXT)
    assert {n for n in read if re.search(r"email|birth_date|due_date|prefecture|consents", n)} == set()


def test_texts_read_titles_to_redact_them_and_who_opened_a_thread():
    read = {n for n in read_by(Reader.TEXT) if n.startswith(("boards.", "threads."))}
    assert read == {
        *("threads.thread_id", "threads.board_id", "threads.member_id", "threads.title"),
        *("boards.board_id", "boards.title", "boards.is_sensitive"),
    }
    assert not {n for n in read_by(Reader.STATISTICS) if n.startswith("threads.")} - {
        "threads.thread_id",
        "threads.board_id",
    }


def test_nobody_sees_both_an_address_and_a_text():
    for reader in Reader:
        assert not {"members.email", "postings.body"} <= read_by(reader)


def test_every_treatment_is_one_that_its_reader_may_have():
    may = {
        Reader.STATISTICS: (Drop, Keep, Pseudonymise, Generalise, Gate),
        Reader.ADS: (Drop, Keep, Gate, MatchKey),
        Reader.TEXT: (Drop, Pseudonymise, Generalise, Redact, Gate),
    }
    for dataset, column in COLUMNS:
        for reader in Reader:
            assert isinstance(column.for_reader(reader), may[reader]), f"{dataset.name}.{column.name}"


GRANT = re.compile(r"grant select \((.*)\) on (\w+)\.(\w+) to (\w+)")


def granted(statements: list[str]) -> set[tuple[str, str]]:
    """Role and column of every grant of columns."""
    found = [GRANT.fullmatch(statement) for statement in statements]
    return {(m[4], f"{m[3]}.{name}") for m in found if m for name in m[1].split(", ")}


def test_grants_name_each_reader_s_columns_and_no_dropped_one():
    wanted = {(reader.database_role, name) for reader in Reader for name in read_by(reader)}
    assert granted(grants()) == wanted
    dropped = {f"{d.name}.{c.name}" for d, c in COLUMNS if isinstance(c.treatment, Drop)}
    assert dropped
    assert not dropped & {name for _, name in granted(grants())}


def test_grants_take_everything_back_first_and_grant_no_whole_table():
    statements = grants()
    for reader in Reader:
        role = reader.database_role
        mine = [s for s in statements if s.endswith(f" {role}") and s.startswith(("grant", "revoke"))]
        assert mine[0] == f"revoke all on all tables in schema public from {role}"
        assert all(GRANT.fullmatch(s) or s.startswith("grant usage on schema public") for s in mine[1:])
    assert not [s for s in statements if re.search(r"grant (all|insert|update|delete|truncate|select on)", s)]


@per_destination
class TestDestination:
    def test_its_purpose_is_served(self, destination):
        assert require_served(destination.purpose).id == ADVERTISING

    def test_its_rules_can_be_looked_up(self, destination):
        assert all(source.startswith("https://") for source in destination.sources)
        assert re.fullmatch(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]", destination.read_on)
        assert destination.rule_id.endswith(destination.read_on)

    def test_it_receives_digests_of_addresses_from_adults(self, destination):
        assert destination.age_floor >= 18
        assert destination.rows_floor >= 1
        assert all(isinstance(algorithm, Digest) for _, algorithm in destination.columns)
        assert destination.recipient.relation is Relation.THIRD_PARTY

    def test_its_file_name_and_headers_are_ascii(self, destination):
        headers = [header for header, _ in (*destination.columns, *destination.removal.columns)]
        assert destination.name.isascii()
        assert all(header.isascii() and not set(header) & set('",|\t\n') for header in (*headers, destination.rule_id))
        assert not destination.removal.flag or all(part.isascii() for part in destination.removal.flag)

    def test_its_forms_are_told_from_each_other(self, destination):
        for form in (destination.form, destination.removal.form):
            assert re.fullmatch(r"csv|psv|txt|tsv", form.extension)
            assert len(form.delimiter) == 1
            assert destination.rows_floor <= form.rows_ceiling
            # Base64 has a plus, a slash and an equals sign, hexadecimal none: no delimiter can be part of a value.
            assert not form.delimiter.isalnum() and form.delimiter not in "+/="

    def test_only_what_was_sent_is_taken_back(self, destination):
        assert {d for _, d in destination.removal.columns} <= {d for _, d in destination.columns}
        assert bool(destination.removal.flag) == (destination.removal.method is not Method.FEED_HEADERS)

    def test_no_column_is_anything_but_an_address_s(self, destination):
        for header, _ in (*destination.columns, *destination.removal.columns):
            assert re.fullmatch(r"(?i)(e-?mail1?)?[_-]?((sha-?256|sha-?1|md5)|hash)?(_hash)?", header), header
            assert not re.search(r"(?i)phone|tel|child|birth|dob|age|health|board|text|name|zip|city|address", header)

    def test_its_other_identifiers_have_rules_and_no_column(self, destination):
        names = [name for name, _ in destination.fields]
        assert len(set(names)) == len(names)
        assert {rule for _, rule in destination.fields} <= set(RULES)
        assert not {name for name in names if re.search(r"child|health|board|pregnan|due_date|posting|text", name)}
        assert not set(names) & {header.lower() for header, _ in destination.columns}

    def test_what_its_pages_do_not_say_is_said(self, destination):
        assert destination.unconfirmed
        assert all(what.strip() == what and not what.endswith(".") for what in destination.unconfirmed)
        publishes_removal = destination.removal.method is not Method.FEED_HEADERS
        told = " ".join(destination.unconfirmed)
        # Google's and Meta's pages say it: the same list, uploaded as people to remove.
        assert publishes_removal or destination.name in ("google", "meta") or re.search(r"taken|take", told)
        assert destination.name in ("liveramp", "line", "yahoo_japan") or "in which countries" in told

    def test_an_opt_out_list_is_one_that_is_kept(self, destination):
        kept = {"liveramp": "liveramp", "uid2": "uid2", "trade_desk": "uid2"}
        assert destination.opt_out_list == kept.get(destination.name, "")


def test_every_rule_is_some_destination_s():
    assert {rule for d in destinations().values() for _, rule in d.fields} == set(RULES)


def test_no_two_destinations_answer_to_one_name():
    for destination in destinations().values():
        for name in (destination.name, *destination.aliases):
            assert called(name) is destination
            assert called(name.upper().replace(" ", "-")) is destination
    assert called("nobody") is None


def test_a_recipient_abroad_needs_a_basis():
    assert Recipient(name="Ads Inc.", country="US", relation=Relation.THIRD_PARTY).needs_basis


@pytest.mark.parametrize("country", ["JP", "DE", "GB"])
def test_a_recipient_at_home_or_under_equal_law_needs_none(country):
    assert not Recipient(name="Ads", country=country, relation=Relation.THIRD_PARTY).needs_basis


@pytest.mark.parametrize("country", ["", "jp", "JPN", "J", "日本"])
def test_a_country_is_two_capital_letters(country):
    with pytest.raises(ValueError, match=r"two capital letters"):
        Recipient(name="Ads", country=country, relation=Relation.THIRD_PARTY)


def test_a_relation_that_the_policy_does_not_know_is_refused():
    with pytest.raises(ValueError, match=r"third-party"):
        Recipient(name="Ads", country="JP", relation="委託")


@pytest.mark.parametrize("changes", [{"age_floor": 17}, {"columns": ()}, {"name": "Live Ramp"}, {"name": "../x"}])
def test_a_destination_that_must_not_be_is_refused(changes):
    with pytest.raises(ValueError, match=r"18|columns|name"):
        dataclasses.replace(DESTINATION, **changes)


def test_a_header_twice_is_refused():
    with pytest.raises(ValueError, match=r"each header once"):
        dataclasses.replace(DESTINATION, columns=(("A", Digest.MD5), ("A", Digest.SHA1)))


MEAN = Measure(name="mean", kind=MeasureKind.MEAN, title="mean", title_ja="平均", unit="x")
COUNT = Measure(name="members", kind=MeasureKind.MEMBERS, title="members", title_ja="会員数", unit="persons")


@pytest.mark.parametrize(
    "changes",
    [
        {"measures": (COUNT, MEAN), "contribution": "postings_28d"},
        {"measures": (MEAN,), "contribution": ""},
        {"measures": ()},
        {"dimensions": ()},
        {"cap": 0},
        {"name": "Members"},
        {"over": "postings"},
    ],
)
def test_a_table_that_must_not_be_is_refused(changes):
    table = catalogue()["registrations_by_month"]
    with pytest.raises(ValueError, match=r".+"):
        dataclasses.replace(table, **changes)
    assert isinstance(dataclasses.replace(table, name="other"), Table)


def test_a_dimension_has_codes_or_a_pattern():
    words = {"name": "x", "title": "x", "title_ja": "x"}
    for wrong in ({}, {"codes": ("a",), "pattern": "a"}, {"codes": ("a",), "labels": (("b", "い"),)}):
        with pytest.raises(ValueError, match=r"x: "):
            Dimension(**words, **wrong)


def test_a_dataset_declares_a_column_once_and_its_key():
    column = Column("a", "text", Role.OTHER, Per(statistics=Keep("x")), "x")
    with pytest.raises(ValueError, match=r"twice"):
        Dataset(name="d", key=("a",), columns=(column, column), staging_days=0)
    with pytest.raises(ValueError, match=r"key"):
        Dataset(name="d", key=("b",), columns=(column,), staging_days=0)


def test_two_purposes_are_served_and_each_has_its_clause():
    assert {p.id for p in PURPOSES.values() if p.served} == {STATISTICS, ADVERTISING}
    assert all(p.clause and JAPANESE.search(p.title_ja) for p in PURPOSES.values())


SPELT = {"char(2)": "character(2)", "char(5)": "character(5)", "char(64)": "character(64)"}
SPELT["timestamptz"] = "timestamp with time zone"


def demo_tables(ddl: str) -> dict[str, dict[str, str]]:
    """Columns and types, as PostgreSQL spells them, of every table that a script creates."""
    tables = {}
    for name, body in re.findall(r"create table (\w+) \(\n(.*?)\n\);", ddl, re.DOTALL):
        lines = [line.strip() for line in body.splitlines() if not line.strip().startswith("primary key")]
        words = [line.split()[:2] for line in lines]
        tables[name] = {column: SPELT.get(kind.rstrip(","), kind.rstrip(",")) for column, kind in words}
    return tables


def demo_keys(ddl: str) -> dict[str, tuple[str, ...]]:
    keys = {}
    for name, body in re.findall(r"create table (\w+) \(\n(.*?)\n\);", ddl, re.DOTALL):
        whole = re.search(r"^\s*primary key \((.*)\)", body, re.MULTILINE)
        alone = re.search(r"^\s*(\w+) .* primary key", body, re.MULTILINE)
        keys[name] = tuple(whole[1].split(", ")) if whole else (alone[1],)
    return keys


def test_the_demo_has_the_declared_tables():
    assert list(demo_tables(schema.TABLES)) == list(DATASETS)
    assert demo_keys(schema.TABLES) == {d.name: d.key for d in DATASETS.values()}
    assert {name: tuple(key.split(", ")) for name, key in schema.KEYS.items()} == demo_keys(schema.TABLES)


@per_dataset
def test_the_demo_has_the_declared_columns(dataset):
    declared = [(column.name, column.type) for column in dataset.columns]
    assert list(demo_tables(schema.TABLES)[dataset.name].items()) == declared
