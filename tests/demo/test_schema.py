"""The demo's schema, column by column, as the site's own database has it."""

import psycopg
import pytest

from sudare.demo import schema

TABLES = {
    "members": """
        member_id          bigint                    not null
        email              text
        email_verified_at  timestamp with time zone
        password_hash      text
        full_name          text
        full_name_kana     text
        nickname           text
        phone              text
        postal_code        text
        prefecture_code    character(2)
        municipality_code  character(5)
        address_line       text
        birth_date         date
        gender             text
        registered_at      timestamp with time zone  not null
        updated_at         timestamp with time zone  not null
        last_login_at      timestamp with time zone
        last_ip            inet
        user_agent         text
        status             text                      not null
        withdrawn_at       timestamp with time zone
    """,
    "children": """
        child_id           bigint                    not null
        member_id          bigint                    not null
        nickname           text
        birth_date         date
        due_date           date
        gender             text
        nursery_or_school  text
        medical_note       text
        updated_at         timestamp with time zone  not null
    """,
    "boards": """
        board_id           integer                   not null
        title              text                      not null
        category           text                      not null
        is_sensitive       boolean                   not null
    """,
    "threads": """
        thread_id          bigint                    not null
        board_id           integer                   not null
        member_id          bigint
        title              text                      not null
        created_at         timestamp with time zone  not null
    """,
    "postings": """
        posting_id         bigint                    not null
        thread_id          bigint                    not null
        member_id          bigint
        display_name       text
        body               text                      not null
        image_url          text
        posted_at          timestamp with time zone  not null
        edited_at          timestamp with time zone
        deleted_at         timestamp with time zone
    """,
    "posting_access_logs": """
        posting_id         bigint                    not null
        ip                 inet                      not null
        port               integer
        user_agent         text
        cookie_id          text
        accessed_at        timestamp with time zone  not null
    """,
    "reactions": """
        posting_id         bigint                    not null
        member_id          bigint                    not null
        reacted_at         timestamp with time zone  not null
    """,
    "consents": """
        consent_id         bigint                    not null
        member_id          bigint                    not null
        purpose            text                      not null
        text_version       text                      not null
        method             text                      not null
        given_at           timestamp with time zone  not null
        withdrawn_at       timestamp with time zone
    """,
    "opt_outs": """
        opt_out_id         bigint                    not null
        member_id          bigint
        email              text
        kind               text                      not null
        opted_out_at       timestamp with time zone  not null
        revoked_at         timestamp with time zone
    """,
    "rights_requests": """
        request_id         bigint                    not null
        member_id          bigint                    not null
        kind               text                      not null
        received_at        timestamp with time zone  not null
        identity_verified_at  timestamp with time zone
        completed_at       timestamp with time zone
    """,
    "legal_holds": """
        hold_id            bigint                    not null
        subject_kind       text                      not null
        subject_id         bigint                    not null
        case_reference     text                      not null
        placed_at          timestamp with time zone  not null
        released_at        timestamp with time zone
    """,
    "policy_versions": """
        version            text                      not null
        effective_on       date                      not null
        sha256             character(64)             not null
    """,
    "campaign_entries": """
        entry_id           bigint                    not null
        campaign_id        integer                   not null
        member_id          bigint                    not null
        recipient_name     text
        recipient_address  text
        recipient_phone    text
        entered_at         timestamp with time zone  not null
    """,
    "enquiries": """
        enquiry_id         bigint                    not null
        from_email         text                      not null
        category           text                      not null
        body               text                      not null
        received_at        timestamp with time zone  not null
    """,
}

CONSTRAINTS = """
    boards_pkey                      PRIMARY KEY (board_id)
    campaign_entries_member_id_fkey  FOREIGN KEY (member_id) REFERENCES members(member_id)
    campaign_entries_pkey            PRIMARY KEY (entry_id)
    children_gender_check            CHECK ((gender = ANY (ARRAY['female'::text, 'male'::text])))
    children_member_id_fkey          FOREIGN KEY (member_id) REFERENCES members(member_id)
    children_pkey                    PRIMARY KEY (child_id)
    consents_member_id_fkey          FOREIGN KEY (member_id) REFERENCES members(member_id)
    consents_pkey                    PRIMARY KEY (consent_id)
    enquiries_pkey                   PRIMARY KEY (enquiry_id)
    legal_holds_pkey                 PRIMARY KEY (hold_id)
    legal_holds_subject_kind_check   CHECK ((subject_kind = ANY (ARRAY['member'::text, 'posting'::text])))
    members_gender_check             CHECK ((gender = ANY (ARRAY['female'::text, 'male'::text, 'other'::text])))
    members_pkey                     PRIMARY KEY (member_id)
    members_status_check             CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text, \
'withdrawn'::text])))
    opt_outs_member_id_fkey          FOREIGN KEY (member_id) REFERENCES members(member_id)
    opt_outs_pkey                    PRIMARY KEY (opt_out_id)
    policy_versions_pkey             PRIMARY KEY (version)
    posting_access_logs_pkey         PRIMARY KEY (posting_id)
    posting_access_logs_posting_id_fkey  FOREIGN KEY (posting_id) REFERENCES postings(posting_id)
    postings_member_id_fkey          FOREIGN KEY (member_id) REFERENCES members(member_id)
    postings_pkey                    PRIMARY KEY (posting_id)
    postings_thread_id_fkey          FOREIGN KEY (thread_id) REFERENCES threads(thread_id)
    reactions_member_id_fkey         FOREIGN KEY (member_id) REFERENCES members(member_id)
    reactions_pkey                   PRIMARY KEY (posting_id, member_id)
    reactions_posting_id_fkey        FOREIGN KEY (posting_id) REFERENCES postings(posting_id)
    rights_requests_kind_check       CHECK ((kind = ANY (ARRAY['disclose'::text, 'correct'::text, 'stop_use'::text, \
'stop_provision'::text, 'erase'::text])))
    rights_requests_pkey             PRIMARY KEY (request_id)
    threads_board_id_fkey            FOREIGN KEY (board_id) REFERENCES boards(board_id)
    threads_member_id_fkey           FOREIGN KEY (member_id) REFERENCES members(member_id)
    threads_pkey                     PRIMARY KEY (thread_id)
"""

INDEXES = """
    children_member_id_idx            children (member_id)
    consents_member_id_idx            consents (member_id)
    members_updated_at_idx            members (updated_at)
    opt_outs_member_id_idx            opt_outs (member_id)
    postings_member_id_posted_at_idx  postings (member_id, posted_at)
    postings_posted_at_idx            postings (posted_at)
"""


def lines(text: str) -> list[str]:
    """The lines that hold something, single-spaced."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_tables_are_these(site_connection: psycopg.Connection) -> None:
    """No table is missing and none is too many."""
    rows = site_connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    assert set(TABLES) == {name for (name,) in rows} == set(schema.KEYS)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_its_place_type_and_nullability(site_connection: psycopg.Connection, table: str) -> None:
    """Columns, in order; none has a default."""
    rows = site_connection.execute(
        "select attname || ' ' || format_type(atttypid, atttypmod) || "
        "case when attnotnull then ' not null' else '' end from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped and not atthasdef "
        "order by attnum",
        (table,),
    ).fetchall()
    assert lines(TABLES[table]) == [line for (line,) in rows]


def test_every_key_check_and_reference_is_there(site_connection: psycopg.Connection) -> None:
    """Constraints by name, references without an action."""
    rows = site_connection.execute(
        "select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint "
        "where connamespace = 'public'::regnamespace and contype in ('p', 'f', 'c', 'u', 'x') and convalidated "
        'order by conname collate "C"'
    ).fetchall()
    assert sorted(lines(CONSTRAINTS)) == sorted(line for (line,) in rows)


def test_every_index_is_there(site_connection: psycopg.Connection) -> None:
    """Indexes apart from those of the keys."""
    rows = site_connection.execute(
        "select indexname || ' ' || regexp_replace(indexdef, '^.* ON public\\.(.*) USING btree ', '\\1 ') "
        "from pg_indexes where schemaname = 'public' and indexname not like '%_pkey' order by 1"
    ).fetchall()
    assert lines(INDEXES) == [line for (line,) in rows]


def test_creating_by_hand_makes_the_same_schema(database: str, site_connection: psycopg.Connection) -> None:
    """`create` alone leaves what loading leaves."""
    query = (
        "select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace "
        "union all select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1, 2"
    )
    with psycopg.connect(database) as connection:
        schema.create(connection)
        assert site_connection.execute(query).fetchall() == connection.execute(query).fetchall()
