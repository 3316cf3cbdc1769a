"""What the commands share: their options, how they speak, and which night they are about."""

import datetime
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from anonymizers.errors import SettingRefused

if TYPE_CHECKING:
    from delivery.night import Night

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Date = Annotated[
    str | None, typer.Option("--date", help="Day to describe, YYYY-MM-DD, Asia/Tokyo.", show_default=False)
]
Destination = Annotated[str, typer.Argument(help="A name from `sudare feeds`.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Kept beside who and when; no names of members.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who decides; by default this login.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def tell(told: Any, as_json: bool, show: Callable[[], None]) -> None:
    """One JSON document on standard output, or what a person reads."""
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    else:
        show()


def parse_day(text: str, option: str = "--date") -> datetime.date:
    """
    A day that somebody typed.

    Raises:
        SettingRefused: it is none.
    """
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise SettingRefused(f"{option} is no date of the form YYYY-MM-DD") from None


def night_now(date: str | None = None) -> "Night":
    """As of this instant, about a day; by default the last that is over."""
    from delivery.days import last_day_over
    from delivery.night import Night
    from delivery.settings import read_settings
    from sudare.deployment import environment

    now = datetime.datetime.now(datetime.UTC)
    return Night(read_settings(environment()), parse_day(date) if date else last_day_over(now), now)
