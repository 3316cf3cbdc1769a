"""The source database of the demo site: every table, key, check and index."""

import psycopg

TABLES: str = """
create table members (
    member_id          bigint primary key,
    email              text,                  -- whatever was typed; nothing is normalised
    email_verified_at  timestamptz,
    password_hash      text,
    full_name          text,
    full_name_kana     text,
    nickname           text,
    phone              text,                  -- whatever was typed
    postal_code        text,                  -- whatever was typed
    prefecture_code    char(2),               -- JIS X 0401
    municipality_code  char(5),               -- JIS X 0402
    address_line       text,
    birth_date         date,
    gender             text check (gender in ('female', 'male', 'other')),
    registered_at      timestamptz not null,
    updated_at         timestamptz not null,
    last_login_at      timestamptz,
    last_ip            inet,
    user_agent         text,
    status             text not null check (status in ('active', 'suspended', 'withdrawn')),
    withdrawn_at       timestamptz
);

create table children (
    child_id           bigint primary key,
    member_id          bigint not null,
    nickname           text,
    birth_date         date,                  -- null while expected
    due_date           date,
    gender             text check (gender in ('female', 'male')),
    nursery_or_school  text,
    medical_note       text,
    updated_at         timestamptz not null
);

create table boards (
    board_id           integer primary key,
    title              text not null,
    category           text not null,
    is_sensitive       boolean not null
);

create table threads (
    thread_id          bigint primary key,
    board_id           integer not null,
    member_id          bigint,
    title              text not null,
    created_at         timestamptz not null
);

create table postings (
    posting_id         bigint primary key,
    thread_id          bigint not null,
    member_id          bigint,                -- null: not logged in
    display_name       text,
    body               text not null,
    image_url          text,
    posted_at          timestamptz not null,
    edited_at          timestamptz,
    deleted_at         timestamptz
);

create table posting_access_logs (
    posting_id         bigint primary key,
    ip                 inet not null,
    port               integer,
    user_agent         text,
    cookie_id          text,
    accessed_at        timestamptz not null
);

create table reactions (
    posting_id         bigint not null,
    member_id          bigint not null,
    reacted_at         timestamptz not null,
    primary key (posting_id, member_id)
);

create table consents (
    consent_id         bigint primary key,
    member_id          bigint not null,
    purpose            text not null,
    text_version       text not null,
    method             text not null,
    given_at           timestamptz not null,
    withdrawn_at       timestamptz
);

create table opt_outs (
    opt_out_id         bigint primary key,
    member_id          bigint,
    email              text,                  -- set where there is no account
    kind               text not null,
    opted_out_at       timestamptz not null,
    revoked_at         timestamptz
);

create table rights_requests (
    request_id         bigint primary key,
    member_id          bigint not null,       -- no reference: it outlives the member's row
    kind               text not null check (kind in ('disclose', 'correct', 'stop_use', 'stop_provision', 'erase')),
    received_at        timestamptz not null,
    identity_verified_at timestamptz,
    completed_at       timestamptz
);

create table legal_holds (
    hold_id            bigint primary key,
    subject_kind       text not null check (subject_kind in ('member', 'posting')),
    subject_id         bigint not null,
    case_reference     text not null,
    placed_at          timestamptz not null,
    released_at        timestamptz
);

create table policy_versions (
    version            text primary key,
    effective_on       date not null,
    sha256             char(64) not null
);

create table campaign_entries (
    entry_id           bigint primary key,
    campaign_id        integer not null,
    member_id          bigint not null,
    recipient_name     text,
    recipient_address  text,
    recipient_phone    text,
    entered_at         timestamptz not null
);

create table enquiries (
    enquiry_id         bigint primary key,
    from_email         text not null,
    category           text not null,
    body               text not null,
    received_at        timestamptz not null
);
"""
"""The tables with their primary keys and checks, as they stand while rows are loaded."""

INDEXES: str = """
create index on members (updated_at);
create index on children (member_id);
create index on postings (posted_at);
create index on postings (member_id, posted_at);
create index on consents (member_id);
create index on opt_outs (member_id);
"""
"""Built after loading: one sort is cheaper than a million insertions."""

REFERENCES: str = """
alter table children add foreign key (member_id) references members;
alter table threads add foreign key (board_id) references boards;
alter table threads add foreign key (member_id) references members;
alter table postings add foreign key (thread_id) references threads;
alter table postings add foreign key (member_id) references members;
alter table posting_access_logs add foreign key (posting_id) references postings;
alter table reactions add foreign key (posting_id) references postings;
alter table reactions add foreign key (member_id) references members;
alter table consents add foreign key (member_id) references members;
alter table opt_outs add foreign key (member_id) references members;
alter table campaign_entries add foreign key (member_id) references members;
"""
"""Added after loading, so that each is checked by one join; the default names are those of inline references."""

KEYS: dict[str, str] = {
    "members": "member_id",
    "children": "child_id",
    "boards": "board_id",
    "threads": "thread_id",
    "postings": "posting_id",
    "posting_access_logs": "posting_id",
    "reactions": "posting_id, member_id",
    "consents": "consent_id",
    "opt_outs": "opt_out_id",
    "rights_requests": "request_id",
    "legal_holds": "hold_id",
    "policy_versions": "version",
    "campaign_entries": "entry_id",
    "enquiries": "enquiry_id",
}
"""Each table's primary key, in an order in which rows can be inserted."""


def create(connection: psycopg.Connection) -> None:
    """Create every table, index and reference, in the caller's transaction."""
    for script in (TABLES, INDEXES, REFERENCES):
        connection.execute(script)


def drop(connection: psycopg.Connection) -> None:
    """Drop the demo's own tables, and nothing else, in the caller's transaction."""
    connection.execute(f"drop table if exists {', '.join(KEYS)}")
