"""The `sudare` command: what a person types."""

import datetime
import getpass
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from anonymizers.errors import SettingRefused, SudareError
from sudare import operations
from sudare.options import Actor, AsJson, Date, Destination, Reason, err, night_now, out, parse_day, tell

if TYPE_CHECKING:
    from delivery.night import Night

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Statistics that point at nobody, and ad feeds of people who said yes. One night after another.",
)
feeds_app = typer.Typer(invoke_without_command=True)
app.add_typer(feeds_app, name="feeds")
for command in (operations.status, operations.backfill, operations.retention):
    app.command()(command)


def main() -> None:
    """Run a command; an error of ours ends with its reason and its exit status."""
    os.umask(0o077)
    try:
        app()
    except SudareError as error:
        err.print(f"[bold red]{error.reason}[/] {escape(str(error))}", markup=True)
        sys.exit(error.exit_status)


@app.command()
def demo(
    members: Annotated[int, typer.Option(min=100, help="Members on the site.")] = 20_000,
    postings: Annotated[int, typer.Option(min=0, help="Postings of the last weeks.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same site.")] = 1,
    until: Annotated[str | None, typer.Option(help="Last full day of the site; a later one lets it live on.")] = None,
    replace: Annotated[bool, typer.Option(help="Throw an existing demo site away first.")] = False,
) -> None:
    """Make the synthetic site, or let it live on, in SUDARE_SOURCE_URL or an embedded PostgreSQL."""
    from delivery.settings import intake
    from sudare.demo.partner_list import write_partner_list
    from sudare.demo.site import DEMO_DAY, make_site
    from sudare.deployment import environment

    last = parse_day(until, "--until") if until else DEMO_DAY
    found = environment()
    with err.status("making the site") as status:
        summary = make_site(
            found["SUDARE_SOURCE_URL"],
            members=members,
            postings=postings,
            seed=seed,
            until=last,
            replace=replace,
            progress=lambda what, done, total: status.update(f"{what}: {done:,} of {total:,}"),
        )
    _apply_grants(found["SUDARE_SOURCE_URL"])
    write_partner_list(found["SUDARE_SOURCE_URL"], intake(found))
    done = f"made, then lived {summary.nights} nights" if summary.created else f"lived {summary.nights} nights"
    out.print(f"demo site until {last}: {summary.members:,} members, {summary.postings:,} postings; {done}")


def _apply_grants(url: str) -> None:
    from sudare.grants import apply

    apply(url)


@app.command()
def night(date: Date = None, as_json: AsJson = False) -> None:
    """Run one night through the DAG and tell what came of it."""
    from delivery.settings import read_settings
    from sudare.deployment import environment
    from sudare.runner import run_night
    from sudare.summary import print_step, print_summary, summarise

    found = environment()
    settings = read_settings(found)
    day = parse_day(date) if date else _default_day(found["SUDARE_SOURCE_URL"])
    quiet: Callable[[dict], None] = lambda record: None  # noqa: E731
    run = run_night(found, day, quiet if as_json else lambda record: print_step(out, record))
    told = summarise(settings, day, run)
    tell(told, as_json, lambda: print_summary(out, told))
    sys.exit(run.exit_status)


def _default_day(source_url: str) -> datetime.date:
    """The demo site's last day; for any other source, yesterday in Tokyo."""
    from delivery.days import last_day_over
    from transforms.source import Source, read_demo_mark

    with Source(source_url).session(None) as session:
        mark = read_demo_mark(session)
    if mark:
        return datetime.date.fromisoformat(mark["until"])
    return last_day_over(datetime.datetime.now(datetime.UTC))


@app.command()
def up() -> None:
    """Serve the Airflow UI, with scheduler and parallel tasks, until Ctrl-C."""
    from sudare.deployment import environment
    from sudare.up import up as serve

    sys.exit(serve(environment()))


@app.command()
def grants(
    apply: Annotated[bool, typer.Option("--apply", help="Run them against SUDARE_SOURCE_URL, as its owner.")] = False,
) -> None:
    """Print the statements that make the three reader roles and grant each its columns."""
    from sudare import grants as reader_grants
    from transforms.datasets import grants as statements

    if apply:
        from sudare.deployment import environment

        reader_grants.apply(environment()["SUDARE_SOURCE_URL"])
        err.print("applied: sudare_statistics, sudare_ads, sudare_text")
        return
    for statement in statements():
        sys.stdout.write(statement + ";\n")


@app.command()
def tables(as_json: AsJson = False) -> None:
    """List the statistical tables: what is counted, by what, and what was done to it."""
    from sudare.catalogue import describe_all, print_catalogue

    if as_json:
        sys.stdout.write(json.dumps(describe_all(), ensure_ascii=False, indent=1) + "\n")
    else:
        print_catalogue(out)


@app.command()
def show(
    table: Annotated[str, typer.Argument(help="A name from `sudare tables`.")],
    rows: Annotated[int, typer.Option(min=1, help="Rows to print.")] = 40,
    as_json: AsJson = False,
) -> None:
    """Print a table as it is published now, as an analyst reads it."""
    from delivery.settings import read_settings
    from sudare.catalogue import print_table, read_current
    from sudare.deployment import environment

    spec, frame = read_current(read_settings(environment()), table)
    if as_json:
        sys.stdout.write(frame.to_json(orient="records", force_ascii=False, date_format="iso") + "\n")
    else:
        print_table(out, spec, frame, rows)


@feeds_app.callback()
def feeds(context: typer.Context, as_json: AsJson = False) -> None:
    """Per destination: eligible, sent, added, removed, held back and rejected by reason; owed, by age; its list."""
    if context.invoked_subcommand:
        return
    from sudare.feeds import print_all, read_all

    night = night_now()
    told = read_all(night.settings, night.day, night.now)
    tell(told, as_json, lambda: print_all(out, told))


@feeds_app.command()
def preview(destination: Destination, date: Date = None, as_json: AsJson = False) -> None:
    """What a feed would be now, against the last delivery: counts only. Nothing is recorded, nothing leaves."""
    from sudare.feeds import preview as look
    from sudare.feeds import print_preview

    told = look(_agreed(night_now(date), destination), destination)
    tell(told, as_json, lambda: print_preview(out, told))


@app.command()
def hold(destination: Destination, reason: Reason, actor: Actor = None) -> None:
    """Stop feeds to a destination until `sudare release`. Removals go on."""
    night = _agreed(night_now(), destination)
    night.ledger.hold(destination, actor or getpass.getuser(), reason, night.now)
    out.print(f"{destination}: held; no feed leaves until `sudare release {destination}`, removals do")


@app.command()
def release(destination: Destination, reason: Reason, actor: Actor = None) -> None:
    """Let feeds to a destination out again."""
    night = _agreed(night_now(), destination)
    count = night.ledger.release(destination, actor or getpass.getuser(), reason, night.now)
    out.print(f"{destination}: released" if count else f"{destination}: was not held")


@app.command()
def resend(
    destination: Destination, file: Annotated[str, typer.Argument(help="A file name from `sudare feeds`.")]
) -> None:
    """Send the very bytes of an earlier feed again, if everybody in it may still be sent."""
    from delivery.feed_steps import resend as again

    outcome = again(_agreed(night_now(), destination), destination, file)
    out.print(f"{destination}: {outcome}")


@app.command()
def provisions(
    member: Annotated[int, typer.Option("--member", help="The member's number on the site.")], as_json: AsJson = False
) -> None:
    """第三者提供記録: to whom a member's data was provided, from when to when, which items, on which consent."""
    from sudare.feeds import print_provisions, read_provisions

    told = read_provisions(night_now(), member)
    tell(told, as_json, lambda: print_provisions(out, told))


def _agreed(night: "Night", destination: str) -> "Night":
    if destination not in night.destinations:
        known = ", ".join(night.destinations) or "none"
        raise SettingRefused(f"{destination!r}: no agreement with such a destination; there are {known}")
    return night


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Recompute the digests and counts of every manifest; a changed byte is an error."""
    from delivery.settings import read_settings
    from delivery.verification import verify as check
    from sudare.deployment import environment

    told = check(read_settings(environment()))
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    else:
        counted = f"{told['nights']} nights, {told['files']} files, {told['feeds']} feeds"
        out.print(f"{counted}: every digest and count is as recorded")


@app.command()
def redact(
    html: Annotated[
        Path | None,
        typer.Option("--html", dir_okay=False, help="Also a page that shows every text: personal data, mode 0600."),
    ] = None,
) -> None:
    """
    Redact texts: JSON lines {"id", "text", "names"?, "thread"?} in, {"id", "text", "spans"} out.

    Offsets are code points of the text given. A text that cannot be treated comes back with its reason under
    "refused" and no text at all. Lines of one thread that follow each other share the names known of their authors.
    """
    from sudare.redaction import all_usable, told, treat_lines
    from sudare.redaction_page import on_page

    treated = treat_lines(sys.stdin.buffer)
    for one in all_usable(on_page(treated, html) if html else treated):
        # Half a character in an id, which JSON can say, goes out as it came in: as an escape.
        sys.stdout.buffer.write(told(one).encode("utf-8", "backslashreplace") + b"\n")
        sys.stdout.buffer.flush()


@app.command()
def digest() -> None:
    """
    Show what a destination digests: JSON lines {"id", "destination", "field", "value", "region"?} in, answers out.

    An answer is {"id", "normalized", "digests", "encoded", "rejected"}: the form, its digests in hexadecimal, the
    first of them as the destination writes it, or a reason and nothing else. Feeds hold e-mail addresses only.
    """
    from sudare.digest import answer_lines
    from sudare.json_lines import as_they_come

    for answers in answer_lines(as_they_come(sys.stdin.buffer)):
        # Half a character in an id, which JSON can say, goes out as it came in: as an escape.
        sys.stdout.buffer.write("".join(f"{one}\n" for one in answers).encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
