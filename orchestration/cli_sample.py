"""`csw sample`: extracts to try things with, a small story or as many events as are asked for."""

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from assets.extracts.errors import ExtractError
from assets.extracts.sampling.many import DAYS, ManySummary, write_many
from assets.extracts.sampling.sample import SampleSummary, write_sample
from orchestration.terminal import EXIT_CODE_USAGE, console, stop

DEMO_THROUGH = date(2026, 6, 30)
ACCOUNTS = 60


def sample(
    landing: Annotated[Path, typer.Argument(help="Folder to write the extracts into.")],
    accounts: Annotated[
        int | None,
        typer.Option(help=f"Accounts; {ACCOUNTS} at the start, or as go with --events.", min=1),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed writes the same bytes.")] = 7,
    through: Annotated[
        str | None,
        typer.Option(
            help="Last day; called again with a later one, only new days are added "
            f"({DEMO_THROUGH} by default; not with --events)."
        ),
    ] = None,
    events: Annotated[
        int | None,
        typer.Option(help="A large sample of this many events in --days days.", min=1),
    ] = None,
    days: Annotated[int, typer.Option(help="With --events: days of history.", min=1)] = DAYS,
    more_days: Annotated[
        int, typer.Option(help="With --events: days after those, as busy; others stay.", min=0)
    ] = 0,
    messy: Annotated[  # noqa: FBT002 - typer makes the flag of it
        bool, typer.Option("--messy", help="With --events: late, doubled, odd and bad rows too.")
    ] = False,
) -> None:
    """Write deterministic sample extracts: growth, seasons, plan changes, decline before churn."""
    written: ManySummary | SampleSummary
    try:
        if events is None:
            if messy or more_days or days != DAYS:
                stop("--days, --more-days and --messy go with --events.", EXIT_CODE_USAGE)
            last = _day(through or DEMO_THROUGH.isoformat())
            written = write_sample(landing, accounts=accounts or ACCOUNTS, seed=seed, through=last)
        else:
            if through is not None:
                stop("--events goes with --days and --more-days, not --through.", EXIT_CODE_USAGE)
            write = partial(write_many, landing, events=events, days=days, more_days=more_days)
            written = _with_a_bar(partial(write, accounts=accounts, seed=seed, messy=messy))
    except (ExtractError, ValueError) as error:
        stop(str(error), EXIT_CODE_USAGE)
    console.print(
        f"{written.events_written:,} events of {written.accounts:,} accounts through "
        f"{written.through} in {written.files_written:,} files under {landing}"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(f"{text!r} is no day: give one such as {DEMO_THROUGH}", EXIT_CODE_USAGE)


def _with_a_bar(write: Callable[..., ManySummary]) -> ManySummary:
    """Writes a large sample, with a bar on a terminal."""
    columns = (TextColumn("days"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("days")
        return write(on_day=lambda done, of: progress.update(task, completed=done, total=of))
