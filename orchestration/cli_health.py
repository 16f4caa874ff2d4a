"""`csw health`: why health is what it is, what changed it, and how well it tells churn."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any

import duckdb
import typer
from rich.markup import escape
from rich.table import Table

from assets.health.explaining import PARTS, Difference, Explanation, compare, explain, worded
from assets.releases import folders
from orchestration.cli_preview import STYLES, points, preview_command
from orchestration.terminal import EXIT_CODE_USAGE, Home, console, settings_of, stop

health_app = typer.Typer(help="Health: why it is so, and what it is worth.", no_args_is_help=True)
health_app.command("preview")(preview_command)

Account = Annotated[str, typer.Argument(help="The account's id.", metavar="ACCOUNT")]


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
            "top_decile_lift, precision_of_poor_ratio, recall_of_poor_ratio, "
            "predicted_churn_ratio, observed_churn_ratio, verdict "
            "from health.health_backtest order by model, horizon_days, segment <> 'all', segment"
        ).fetchall()
        fit = release.execute("select is_used, verdict from health.renewal_model").fetchall()
    table = Table(title="Back-test", box=None, header_style="bold")
    for name in ("model", "days", "segment", "n", "churned", "AUC", "95 %", "lift", "precision",
                 "recall", "foretold / came", "verdict"):  # fmt: skip
        table.add_column(name)
    for row in rows:
        (
            model, days, segment, n, churned, auc, low, high, lift, precision, recall, foretold,
            came, said,
        ) = row  # fmt: skip
        between = f"{low:.2f}-{high:.2f}" if low is not None else "-"
        calibration = f"{foretold:.1%} / {came:.1%}" if foretold is not None else "-"
        table.add_row(
            model, str(days), segment, f"{n:,}", f"{churned:,}", _number(auc), between,
            _number(lift), _number(precision), _number(recall), calibration, said,
        )  # fmt: skip
    console.print(table if rows else "No prediction has an outcome yet.")
    for is_used, said in fit:
        use = "is used for expected losses" if is_used else "is not used"
        console.print(f"The fitted model {use}: {said}.")


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
        f"[bold]{escape(health['account_id'])}[/] on {health['day']}: [{STYLES[state]}]{state}[/], "
        f"{points(health['score'])} points by profile {health['profile']} "
        f"(configuration {health['configuration_version']})"
    )
    for line in _asides(health):
        console.print(f"  {escape(line)}")
    console.print(_conditions(found))
    for row in found.conditions:
        if row["influences_state"]:
            console.print(f"• {escape(found.reason(row))}")
    if found.change is not None:
        parts = {part: found.change[f"from_{part}"] for part in PARTS}
        console.print(_change(found.change["change"], parts, "since the day before"))


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
            points(row["score"]), points(row["effective_weight"] * 100),
            points(row["contribution"]),
        )  # fmt: skip
    return table


def _asides(health: Mapping[str, Any]) -> list[str]:
    """What stands between the conditions and the state, as far as it holds."""
    told = (
        (True, "coverage {coverage:.0%}"),
        (health["unknown_reason"], "unknown: {unknown_reason}"),
        (
            health["cap"] and health["cap_score"] < health["raw_score"],
            "capped at {cap_score:.1f} by {cap}",
        ),
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
            f"{health['day']}: [{STYLES[state]}]{state}[/], {points(health['score'])} points "
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


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
