"""
The site's database, column by column: what each says about a person and what is done with it.

The `GRANT`s of the three database roles, the queries and the check for drift are all made
from this list. A column that is not in it is never read. Standard library only.
"""

from transforms.spec import (
    Column,
    Dataset,
    Drop,
    Gate,
    Generalise,
    Keep,
    MatchKey,
    Per,
    Pseudonymise,
    Reader,
    Redact,
    Role,
)

ID, QI, SENSITIVE = Role.DIRECT_IDENTIFIER, Role.QUASI_IDENTIFIER, Role.SENSITIVE
RELATED, TEXT, SECRET, OTHER = Role.RELATED, Role.FREE_TEXT, Role.SECRET, Role.OTHER
NEVER = Drop()
TIME = "timestamp with time zone"

JOIN = Gate("joins the rows of one member in memory")
WHOSE = Gate("whose row it is")
STOPPED = Gate("leaves out whoever said stop")
WHEN = Gate("in force at the end of the day")

DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="members",
            key=("member_id",),
            staging_days=30,
            columns=(
                Column(
                    "member_id",
                    "bigint",
                    ID,
                    Per(statistics=Pseudonymise("member"), ads=WHOSE, text=WHOSE),
                    "the member's number",
                ),
                Column("email", "text", ID, Per(ads=MatchKey()), "as typed"),
                Column(
                    "email_verified_at",
                    TIME,
                    OTHER,
                    Per(ads=Gate("only a verified address is the member's own", read="presence")),
                    "when the address answered",
                ),
                Column("password_hash", "text", SECRET, NEVER, "the site's login"),
                Column("full_name", "text", ID, Per(text=Gate("a name to find in the text")), "as typed"),
                Column("full_name_kana", "text", ID, Per(text=Gate("a name to find in the text")), "as typed"),
                Column("nickname", "text", ID, Per(text=Gate("a name to find in the text")), "chosen, often reused"),
                Column("phone", "text", ID, NEVER, "as typed; its digest protects nothing"),
                Column("postal_code", "text", QI, NEVER, "as typed; the prefecture is coarse enough"),
                Column(
                    "prefecture_code", "character(2)", QI, Per(statistics=Keep("a prefecture is coarse")), "JIS X 0401"
                ),
                Column("municipality_code", "character(5)", QI, NEVER, "JIS X 0402; too fine for a nightly table"),
                Column("address_line", "text", ID, NEVER, "as typed"),
                Column(
                    "birth_date",
                    "date",
                    QI,
                    Per(statistics=Generalise("age_band"), ads=Gate("of age on the day")),
                    "date of birth",
                ),
                Column("gender", "text", QI, NEVER, "no table needs it"),
                Column("registered_at", TIME, QI, Per(statistics=Generalise("registered_month")), "when she joined"),
                Column("updated_at", TIME, OTHER, NEVER, "last change of the row"),
                Column("last_login_at", TIME, RELATED, NEVER, "last login"),
                Column("last_ip", "inet", RELATED, NEVER, "last address on the network"),
                Column("user_agent", "text", RELATED, NEVER, "last browser"),
                Column(
                    "status",
                    "text",
                    OTHER,
                    Per(statistics=Gate("active members only"), ads=Gate("active members only"), text=STOPPED),
                    "active, suspended or withdrawn",
                ),
                Column("withdrawn_at", TIME, OTHER, Per(ads=Gate("a later consent reopens it")), "when she left"),
            ),
        ),
        Dataset(
            name="children",
            key=("child_id",),
            staging_days=0,
            columns=(
                Column("child_id", "bigint", ID, NEVER, "the child's number"),
                Column("member_id", "bigint", ID, Per(statistics=JOIN, text=WHOSE), "the parent"),
                Column(
                    "nickname", "text", ID, Per(text=Gate("a name to find in the text")), "what she calls the child"
                ),
                Column("birth_date", "date", QI, Per(statistics=Generalise("youngest_child_band")), "date of birth"),
                Column(
                    "due_date",
                    "date",
                    SENSITIVE,
                    Per(statistics=Generalise("youngest_child_band")),
                    "expected date of birth; then birth_date is null",
                ),
                Column("gender", "text", QI, NEVER, "no table needs it"),
                Column("nursery_or_school", "text", ID, NEVER, "where the child is found by day"),
                Column("medical_note", "text", SENSITIVE, NEVER, "要配慮個人情報"),
                Column("updated_at", TIME, OTHER, NEVER, "last change of the row"),
            ),
        ),
        Dataset(
            name="boards",
            key=("board_id",),
            staging_days=0,
            columns=(
                Column("board_id", "integer", OTHER, Per(statistics=JOIN, text=JOIN), "the board's number"),
                Column(
                    "title",
                    "text",
                    OTHER,
                    Per(statistics=Generalise("board"), text=Generalise("board")),
                    "set by the site's staff",
                ),
                Column("category", "text", OTHER, NEVER, "set by the site's staff"),
                Column(
                    "is_sensitive",
                    "boolean",
                    SENSITIVE,
                    Per(statistics=Generalise("board"), text=Generalise("board")),
                    "posting there says something about health or family",
                ),
            ),
        ),
        Dataset(
            name="threads",
            key=("thread_id",),
            staging_days=30,
            columns=(
                Column("thread_id", "bigint", RELATED, Per(statistics=JOIN, text=Pseudonymise("thread")), "its number"),
                Column("board_id", "integer", OTHER, Per(statistics=JOIN, text=JOIN), "its board"),
                Column("member_id", "bigint", ID, Per(text=WHOSE), "who opened it"),
                Column("title", "text", TEXT, Per(text=Redact()), "as typed"),
                Column("created_at", TIME, QI, NEVER, "when it was opened"),
            ),
        ),
        Dataset(
            name="postings",
            key=("posting_id",),
            staging_days=30,
            columns=(
                Column("posting_id", "bigint", RELATED, Per(text=Pseudonymise("posting")), "the posting's number"),
                Column("thread_id", "bigint", RELATED, Per(statistics=JOIN, text=Pseudonymise("thread")), "its thread"),
                Column("member_id", "bigint", ID, Per(statistics=JOIN, text=WHOSE), "null: posted without logging in"),
                Column("display_name", "text", ID, NEVER, "the name shown"),
                Column("body", "text", TEXT, Per(text=Redact()), "as typed"),
                Column("image_url", "text", ID, NEVER, "a picture"),
                Column(
                    "posted_at",
                    TIME,
                    QI,
                    Per(statistics=Generalise("day, hour, weekday"), text=WHEN),
                    "when it was posted",
                ),
                Column("edited_at", TIME, OTHER, NEVER, "when it was changed"),
                Column(
                    "deleted_at",
                    TIME,
                    OTHER,
                    Per(
                        statistics=Gate("deleted postings are left out", read="presence"),
                        text=Gate("deleted postings are left out", read="presence"),
                    ),
                    "when it was deleted",
                ),
            ),
        ),
        Dataset(
            name="posting_access_logs",
            key=("posting_id",),
            staging_days=0,
            columns=(
                Column("posting_id", "bigint", RELATED, NEVER, "kept for 発信者情報開示; never the pipeline's"),
                Column("ip", "inet", RELATED, NEVER, "the same"),
                Column("port", "integer", RELATED, NEVER, "the same"),
                Column("user_agent", "text", RELATED, NEVER, "the same"),
                Column("cookie_id", "text", RELATED, NEVER, "the same"),
                Column("accessed_at", TIME, RELATED, NEVER, "the same"),
            ),
        ),
        Dataset(
            name="reactions",
            key=("posting_id", "member_id"),
            staging_days=0,
            columns=(
                Column("posting_id", "bigint", RELATED, NEVER, "no table needs it"),
                Column("member_id", "bigint", ID, NEVER, "no table needs it"),
                Column("reacted_at", TIME, RELATED, NEVER, "no table needs it"),
            ),
        ),
        Dataset(
            name="consents",
            key=("consent_id",),
            staging_days=0,
            columns=(
                Column("consent_id", "bigint", OTHER, NEVER, "the row's number"),
                Column("member_id", "bigint", ID, Per(statistics=JOIN, ads=WHOSE), "who consented"),
                Column(
                    "purpose",
                    "text",
                    OTHER,
                    Per(statistics=Generalise("consent_status"), ads=Gate("to what")),
                    "ad_match, behavioural, newsletter",
                ),
                Column(
                    "text_version",
                    "text",
                    OTHER,
                    Per(statistics=Generalise("consent_status"), ads=Gate("to which text")),
                    "the text she was shown",
                ),
                Column(
                    "method",
                    "text",
                    OTHER,
                    Per(statistics=Generalise("consent_status"), ads=Gate("an act of hers, not a notice")),
                    "checkbox, button, policy_posted",
                ),
                Column(
                    "given_at",
                    TIME,
                    OTHER,
                    Per(statistics=Generalise("consent_status"), ads=WHEN),
                    "when she consented",
                ),
                Column(
                    "withdrawn_at",
                    TIME,
                    OTHER,
                    Per(
                        statistics=Gate("withdrawn is withdrawn, whatever the date", read="presence"),
                        ads=Gate("withdrawn is withdrawn, whatever the date", read="presence"),
                    ),
                    "when she withdrew",
                ),
            ),
        ),
        Dataset(
            name="opt_outs",
            key=("opt_out_id",),
            staging_days=0,
            columns=(
                Column("opt_out_id", "bigint", OTHER, NEVER, "the row's number"),
                Column("member_id", "bigint", ID, Per(statistics=STOPPED, ads=STOPPED, text=STOPPED), "who said stop"),
                Column("email", "text", ID, Per(ads=MatchKey()), "where someone opted out without an account"),
                Column("kind", "text", OTHER, Per(statistics=STOPPED, ads=STOPPED, text=STOPPED), "what is to stop"),
                Column("opted_out_at", TIME, OTHER, Per(ads=Gate("a later consent may lift it")), "when"),
                Column("revoked_at", TIME, OTHER, Per(statistics=WHEN, ads=WHEN, text=WHEN), "when taken back"),
            ),
        ),
        Dataset(
            name="rights_requests",
            key=("request_id",),
            staging_days=0,
            columns=(
                Column("request_id", "bigint", OTHER, NEVER, "the row's number"),
                Column(
                    "member_id",
                    "bigint",
                    ID,
                    Per(statistics=STOPPED, ads=STOPPED, text=STOPPED),
                    "may outlive her row",
                ),
                Column("kind", "text", OTHER, Per(statistics=STOPPED, ads=STOPPED, text=STOPPED), "what is asked"),
                Column("received_at", TIME, OTHER, Per(ads=Gate("a later consent may lift it")), "when"),
                Column(
                    "identity_verified_at",
                    TIME,
                    OTHER,
                    Per(
                        statistics=Gate("the member herself asks", read="presence"),
                        ads=Gate("the member herself asks", read="presence"),
                        text=Gate("the member herself asks", read="presence"),
                    ),
                    "when she proved who she is",
                ),
                Column("completed_at", TIME, OTHER, NEVER, "a completed stop is still a stop"),
            ),
        ),
        Dataset(
            name="legal_holds",
            key=("hold_id",),
            staging_days=0,
            columns=(
                Column("hold_id", "bigint", OTHER, NEVER, "the pipeline erases nothing in the source"),
                Column("subject_kind", "text", OTHER, NEVER, "the same"),
                Column("subject_id", "bigint", ID, NEVER, "the same"),
                Column("case_reference", "text", SENSITIVE, NEVER, "the same"),
                Column("placed_at", TIME, SENSITIVE, NEVER, "the same"),
                Column("released_at", TIME, SENSITIVE, NEVER, "the same"),
            ),
        ),
        Dataset(
            name="policy_versions",
            key=("version",),
            staging_days=0,
            columns=(
                Column("version", "text", OTHER, Per(statistics=Keep("published"), ads=Keep("published")), "its date"),
                Column(
                    "effective_on", "date", OTHER, Per(statistics=Keep("published"), ads=Keep("published")), "from when"
                ),
                Column("sha256", "character(64)", OTHER, NEVER, "of its text"),
            ),
        ),
        Dataset(
            name="campaign_entries",
            key=("entry_id",),
            staging_days=0,
            columns=(
                Column("entry_id", "bigint", OTHER, NEVER, "another purpose (P03)"),
                Column("campaign_id", "integer", OTHER, NEVER, "the same"),
                Column("member_id", "bigint", ID, NEVER, "the same"),
                Column("recipient_name", "text", ID, NEVER, "the same"),
                Column("recipient_address", "text", ID, NEVER, "the same"),
                Column("recipient_phone", "text", ID, NEVER, "the same"),
                Column("entered_at", TIME, RELATED, NEVER, "the same"),
            ),
        ),
        Dataset(
            name="enquiries",
            key=("enquiry_id",),
            staging_days=0,
            columns=(
                Column("enquiry_id", "bigint", OTHER, NEVER, "another purpose (P05)"),
                Column("from_email", "text", ID, NEVER, "the same"),
                Column("category", "text", OTHER, NEVER, "the same"),
                Column("body", "text", TEXT, NEVER, "the same"),
                Column("received_at", TIME, RELATED, NEVER, "the same"),
            ),
        ),
    )
}


def grants(schema: str = "public") -> list[str]:
    """The statements that make the three reader roles and grant each just its columns."""
    statements = []
    for reader in Reader:
        role = reader.database_role
        statements += [
            f"do $$ begin if not exists (select from pg_roles where rolname = '{role}') then "
            f"create role {role} nologin noinherit; end if; end $$",
            f"revoke all on all tables in schema {schema} from {role}",
            f"grant usage on schema {schema} to {role}",
        ]
        for dataset in DATASETS.values():
            names = ", ".join(column.name for column in dataset.read_by(reader))
            if names:
                statements.append(f"grant select ({names}) on {schema}.{dataset.name} to {role}")
    return statements
