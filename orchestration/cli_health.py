"""`csw health`: why health is what it is, what changed it, and how well it tells churn."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import duckdb
import typer
from rich.table import Table

from assets.health.explaining import PARTS, Difference, Explanation, compare, explain, worded
from assets.health.preview import MODELS, Preview, copy_build
from assets.health.preview import compare as compare_with_shown
from assets.releases import folders
from checks.seeds import find_problems
from orchestration.run_lock import EXIT_CODE_BUSY, BuildBusyError, hold_build
from orchestration.settings import ROOT, Settings, export_as_of
from orchestration.terminal import (
    EXIT_CODE_RED,
    EXIT_CODE_USAGE,
    Home,
    console,
    settings_of,
    stop,
)

health_app = typer.Typer(help="Health: why it is so, and what it is worth.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account's id.", metavar="ACCOUNT")]
MOST_MOVED = 30
STYLES = {"good": "green", "average": "yellow", "poor": "red", "unknown": "dim"}


@health_app.command("explain")
def explain_command(
    account: Account,
    on: Annotated[str | None, typer.Option(help="A day; by default the last full one.")] = None,
    home: Home = None,
) -> None:
    """The score, each condition's part in it, the reasons, and what changed in a day."""
    with _open_release(home) as release:
        found = explain(release, account, _day(on) if on else None)
    if found is None:
        stop(_nothing(account, on), EXIT_CODE_USAGE)
    _print_explanation(found)


@health_app.command("diff")
def diff_command(
    account: Account,
    first: Annotated[str, typer.Argument(help="The earlier day.")],
    last: Annotated[str, typer.Argument(help="The later day.")],
    home: Home = None,
) -> None:
    """What the change of the score between two days is due to, and how each condition moved."""
    days = sorted((_day(first), _day(last)))
    with _open_release(home) as release:
        found = compare(release, account, *days)
    if found is None:
        stop(_nothing(account, f"{first} or {last}"), EXIT_CODE_USAGE)
    _print_difference(found)


@health_app.command("backtest")
def backtest_command(home: Home = None) -> None:
    """How well health and renewal risk told churn beforehand, as the current release has it."""
    with _open_release(home) as release:
        rows = release.execute(
            "select model, horizon_days, segment, n, churned, auc, auc_low, auc_high, "
            "top_decile_lift, precision_of_poor_ratio, recall_of_poor_ratio, verdict "
            "from health.health_backtest order by model, horizon_days, segment <> 'all', segment"
        ).fetchall()
    table = Table(title="Back-test", box=None, header_style="bold")
    for name in ("model", "days", "segment", "n", "churned", "AUC", "95 %", "lift", "precision",
                 "recall", "verdict"):  # fmt: skip
        table.add_column(name)
    for model, days, segment, n, churned, auc, low, high, lift, precision, recall, said in rows:
        between = f"{low:.2f}-{high:.2f}" if low is not None else "-"
        table.add_row(
            model, str(days), segment, f"{n:,}", f"{churned:,}", _number(auc), between,
            _number(lift), _number(precision), _number(recall), said,
        )  # fmt: skip
    console.print(table if rows else "No prediction has an outcome yet.")


@health_app.command("preview")
def preview_command(home: Home = None) -> None:
    """What the seeds as they stand now would have made of the last day that was shown."""
    # dbt takes seconds to import: only where it runs.
    from orchestration.dbt import DbtParseError, build_models

    settings = settings_of(home=home)
    problems = find_problems(settings.seeds, ROOT / "models")
    if problems:
        stop(f"{problems[0]} Mend it first; csw validate lists everything.", EXIT_CODE_USAGE)
    house = settings.model_copy(update={"home": settings.home / "preview"})
    shown = _copy(settings, house.build_database)
    if shown is None:
        stop("No release has shown any health yet: csw run makes one.", EXIT_CODE_USAGE)
    day, as_of = shown
    house.export()
    export_as_of(as_of)
    try:
        build_models(house, *MODELS)
    except DbtParseError as error:
        stop(str(error), EXIT_CODE_RED)
    found = compare_with_shown(house.build_database, day)
    house.build_database.unlink()
    _print_preview(found)


@contextmanager
def _open_release(home: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    settings = settings_of(home=home)
    path = settings.releases / folders.CURRENT / folders.RELEASE_FILE
    if not path.is_file():
        stop(f"There is no release in {settings.releases} yet: csw run makes one.", EXIT_CODE_USAGE)
    try:
        with duckdb.connect(str(path), read_only=True) as release:
            release.execute("set TimeZone = 'UTC'")
            yield release
    except (duckdb.CatalogException, duckdb.BinderException):
        stop(
            f"The release in {path.parent} was made by an older version, whose health has other "
            "columns: csw run makes a new one.",
            EXIT_CODE_USAGE,
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(f"'{text}' is no day; write it as 2026-03-31.", EXIT_CODE_USAGE)


def _nothing(account: str, day: str | None) -> str:
    when = f" on {day}" if day else ""
    return (
        f"The current release shows no health of '{account}'{when}: is the id an account's, no "
        "lead's or test account's, and the day a full one in its history?"
    )


def _print_explanation(found: Explanation) -> None:
    health = found.health
    state = health["state"]
    console.print(
        f"[bold]{health['account_id']}[/] on {health['day']}: [{STYLES[state]}]{state}[/], "
        f"{_points(health['score'])} points by profile {health['profile']} "
        f"(configuration {health['configuration_version']})"
    )
    for line in _asides(health):
        console.print(f"  {line}")
    console.print(_conditions(found))
    for row in found.conditions:
        if row["influences_state"]:
            console.print(f"• {found.reason(row)}")
    if found.change is not None:
        parts = {part: found.change[f"from_{part}"] for part in PARTS}
        console.print(_change(found.change["change"], parts, "since the day before"))


def _copy(settings: Settings, copy: Path) -> tuple[date, datetime] | None:
    """Copies the build while no run writes it; None where it is not there or has shown nothing."""
    if not settings.build_database.is_file():
        return None
    try:
        with hold_build(
            settings.build_lock,
            holder="csw health preview",
            wait_seconds=settings.lock_wait_minutes * 60,
            say=console.print,
            on_dead_holder=_leave_to_a_run,
        ):
            return copy_build(settings.build_database, copy)
    except BuildBusyError as error:
        stop(str(error), EXIT_CODE_BUSY)


def _leave_to_a_run(dead: str) -> NoReturn:
    stop(f"{dead} died while it held the build: csw run heals what it left.", EXIT_CODE_BUSY)


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


def _moved(found: Preview) -> Table:
    table = Table(title=f"{len(found.moved):,} accounts move", box=None, header_style="bold")
    for name in ("account", "from", "to", "why"):
        table.add_column(name)
    for one in found.moved[:MOST_MOVED]:
        table.add_row(
            one.account_name or one.account_id,
            f"[{STYLES[one.state_before]}]{one.state_before}[/] {_points(one.score_before)}",
            f"[{STYLES[one.state]}]{one.state}[/] {_points(one.score)}",
            one.reason or "",
        )
    return table


def _conditions(found: Explanation) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("component", "condition", "value", "edges", "band", "score", "weight", "points"):
        table.add_column(name)
    for row in found.conditions:
        unit = found.units.get(row["metric"], "")
        edges = f"{worded(row['lower_edge'], unit)} .. {worded(row['upper_edge'], unit)}"
        table.add_row(
            row["component"], ("• " if row["influences_state"] else "  ") + row["condition"],
            worded(row["metric_value"], unit), edges, row["band"] or "no data",
            _points(row["score"]), _points(row["effective_weight"] * 100),
            _points(row["contribution"]),
        )  # fmt: skip
    return table


def _asides(health: Mapping[str, Any]) -> list[str]:
    """What stands between the conditions and the state, as far as it holds."""
    told = (
        (True, "coverage {coverage:.0%}"),
        (health["unknown_reason"], "unknown: {unknown_reason}"),
        (health["cap"], "capped at {cap_score:.1f} by {cap}"),
        (
            health["override_author"],
            "set by {override_author} until {override_expires_on}: {override_reason}",
        ),
        (health["is_held"], "held at {state}, else {state_before_override}"),
        (health["lost_inputs"], "inputs lost: {lost_inputs}"),
        (health["arrow"], "{arrow}, by {slope:+.2f} points a day"),
    )
    return [words.format(**health) for holds, words in told if holds]


def _print_difference(found: Difference) -> None:
    for health in (found.first, found.last):
        state = health["state"]
        console.print(
            f"{health['day']}: [{STYLES[state]}]{state}[/], {_points(health['score'])} points "
            f"by profile {health['profile']}"
        )
    scores = (found.first["score"], found.last["score"])
    change = None if None in scores else scores[1] - scores[0]
    console.print(_change(change, found.parts, "between them"))
    table = Table(box=None, header_style="bold")
    for name in ("condition", "value then", "value now", "points then", "points now"):
        table.add_column(name)
    for name, (first, last) in found.conditions.items():
        cells = [
            "-" if row is None else worded(row[column], "")
            for column in ("metric_value", "contribution")
            for row in (first, last)
        ]
        table.add_row(name, *cells)
    console.print(table)


def _change(change: Any, parts: Mapping[str, Any] | None, when: str) -> str:
    if change is None:
        return f"No change can be told {when}: one of the days has no score."
    if parts is None:
        return f"{change:+.2f} points {when}; a day between them has no score, so not attributed."
    told = [f"{name} {value:+.2f}" for name, value in parts.items() if value]
    return f"{change:+.2f} points {when}" + (f": {', '.join(told)}" if told else "")


def _points(value: Any) -> str:
    return "-" if value is None else f"{value:.1f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
