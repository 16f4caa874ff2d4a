"""`csw health preview`: what an edit of the seeds would do, before it ships."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from assets.alerts.published import ReleaseError
from assets.alerts.replay import Replay, ReplayedAlert, ReplayError
from assets.alerts.rule_files import read_rules
from assets.alerts.rules import RuleSet
from assets.health.preview import (
    MODELS,
    Preview,
    compare,
    copy_build,
    forget_judgements,
    write_days,
)
from assets.health.preview_alerts import AlertsBeside, beside, days_judged_anew, fired
from checks.seeds import find_problems
from orchestration.settings import ROOT, Settings, export_as_of
from orchestration.terminal import (
    EXIT_CODE_RED,
    EXIT_CODE_USAGE,
    Home,
    build_held,
    console,
    settings_of,
    stop,
)

MOST_MOVED = 30
STYLES = {"good": "green", "average": "yellow", "poor": "red", "unknown": "dim"}


def preview_command(
    days: Annotated[
        int,
        typer.Option(help="Judge so many days anew and replay the alert rules.", min=1, max=36_500),
    ] = 28,
    into: Annotated[
        Path | None,
        typer.Option(help="Write the days to this CSV file: as shown and by the seeds now."),
    ] = None,
    home: Home = None,
) -> None:
    """What the seeds as they stand now would have made of the last days that were shown."""
    settings = settings_of(home=home)
    if into and not into.parent.is_dir():
        stop(f"There is no folder {into.parent} to write {into.name} into.", EXIT_CODE_USAGE)
    problems = find_problems(settings.seeds, ROOT / "models")
    if problems:
        stop(f"{problems[0]} Mend it first; csw validate lists everything.", EXIT_CODE_USAGE)
    house = settings.model_copy(update={"home": settings.home / "preview"})
    copied = _copy(settings, house.build_database)
    if copied is None:
        stop("No release has shown any health yet: csw run makes one.", EXIT_CODE_USAGE)
    day, as_of = copied
    rules, replayed = read_rules(house.seeds), (day - timedelta(days=days - 1), day)
    try:
        shown = _fired(house, rules, replayed, as_of)
        forget_judgements(house.build_database, day, days_judged_anew(rules, days))
        _judge_anew(house, as_of)
        _print_preview(compare(house.build_database, day))
        if into:
            written = write_days(house.build_database, replayed[0], into)
            console.print(f"{written:,} account-days are in {into}")
        _print_alerts(beside(shown, _fired(house, rules, replayed, as_of)))
    finally:
        house.build_database.unlink()


def _judge_anew(house: Settings, as_of: datetime) -> None:
    # dbt takes seconds to import: only where it runs.
    from orchestration.dbt import DbtParseError, build_models

    house.export()
    export_as_of(as_of)
    try:
        build_models(house, *MODELS)
    except DbtParseError as error:
        stop(str(error), EXIT_CODE_RED)


def _fired(house: Settings, rules: RuleSet, days: tuple[date, date], as_of: datetime) -> Replay:
    try:
        return fired(house.build_database, rules, days, as_of, house.reporting_time_zone)
    except (ReplayError, ReleaseError) as error:
        stop(f"The alerts can't be replayed: {error}", EXIT_CODE_RED)


def _copy(settings: Settings, copy: Path) -> tuple[date, datetime] | None:
    """Copies the build while no run writes it; None where it is not there or has shown nothing."""
    if not settings.build_database.is_file():
        return None
    with build_held(settings, "csw health preview"):
        return copy_build(settings.build_database, copy)


def _print_preview(found: Preview) -> None:
    states = Table(title=f"Accounts on {found.day}", box=None, header_style="bold")
    for name in ("state", "as shown", "by the seeds now"):
        states.add_column(name)
    for state, (before, after) in found.accounts.items():
        states.add_row(f"[{STYLES[state]}]{state}[/]", f"{before:,}", f"{after:,}")
    console.print(states)
    console.print(_moved(found) if found.moved else "No account would have another score.")
    if len(found.moved) > MOST_MOVED:
        console.print(f"… and {len(found.moved) - MOST_MOVED:,} more")


def _print_alerts(found: AlertsBeside) -> None:
    """What rules fire under the seeds now and as shown, and the alerts that are new."""
    counts = Table(
        title=f"Alerts from {found.first} to {found.last}", box=None, header_style="bold"
    )
    for name in ("rule", "as shown", "by the seeds now"):
        counts.add_column(name)
    for rule, (before, after) in found.counts.items():
        counts.add_row(rule, f"{before:,}", f"{after:,}")
    console.print(counts if found.counts else "No rule would have fired, nor has one.")
    console.print(f"{len(found.gained):,} alerts more, {len(found.lost):,} fewer")
    for rule, (before, after) in found.held.items():
        console.print(
            f"[yellow]held[/] {rule}: for too many accounts on {after:,} days, {before:,} as shown"
        )
    if found.gained:
        console.print(_gained(found.gained))


def _gained(alerts: Sequence[ReplayedAlert]) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("new alert", "account", "opened", "what"):
        table.add_column(name)
    for alert in alerts[:MOST_MOVED]:
        table.add_row(
            alert.rule, escape(alert.account_id), str(alert.opened_on), escape(alert.sentence)
        )
    return table


def _moved(found: Preview) -> Table:
    table = Table(title=f"{len(found.moved):,} accounts move", box=None, header_style="bold")
    for name in ("account", "from", "to", "why"):
        table.add_column(name)
    for one in found.moved[:MOST_MOVED]:
        table.add_row(
            escape(one.account_name or one.account_id),
            f"[{STYLES[one.state_before]}]{one.state_before}[/] {points(one.score_before)}",
            f"[{STYLES[one.state]}]{one.state}[/] {points(one.score)}",
            escape(one.reason or ""),
        )
    return table


def points(value: Any) -> str:
    """A score as it is printed; a dash without one."""
    return "-" if value is None else f"{value:.1f}"
