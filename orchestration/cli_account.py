"""`csw account show`: everything that the top of an account's page says, in the terminal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from itertools import groupby
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from assets.releases import folders
from assets.seed_files import Problem, read_rows
from assets.warehouse.scorecard_files import LAYOUT_FILE, ScorecardField
from orchestration.terminal import EXIT_CODE_USAGE, Home, console, settings_of, stop

account_app = typer.Typer(help="What is known of one account.", no_args_is_help=True)

_STYLES = {
    "good": "green",
    "average": "yellow",
    "poor": "red",
    "unknown": "dim",
    "critical": "bold red",
    "warning": "yellow",
    "high": "red",
    "medium": "yellow",
}
# An amount from here on needs no decimals.
_WITHOUT_DECIMALS = 100
_BARS = "▁▂▃▄▅▆▇█"
_WEEKS = 26
# What is worth a line over time: a column of account_metrics_daily_restated each.
_TRENDS = ("mrr", "mau", "use_count_30d", "open_tickets")
_HEAD = "head"


@account_app.command()
def show(
    account: Annotated[str, typer.Argument(help="The account's id, or its name.", metavar="ID")],
    home: Home = None,
) -> None:
    """An account's page: health and why, trends, money, usage against peers, people, next steps."""
    settings = settings_of(home=home)
    path = settings.releases / folders.CURRENT / folders.RELEASE_FILE
    if not path.is_file():
        stop(f"There is no release in {settings.releases} yet: csw run makes one.", EXIT_CODE_USAGE)
    problems: list[Problem] = []
    told = read_rows(settings.seeds / LAYOUT_FILE, ScorecardField, problems)
    layout = [found.row for found in told]
    if problems:
        stop(str(problems[0]), EXIT_CODE_USAGE)
    with duckdb.connect(str(path), read_only=True) as release:
        release.execute("set TimeZone = 'UTC'")
        console.print(_page(release, _account_id(release, account), layout))


def _account_id(release: duckdb.DuckDBPyConnection, asked: str) -> str:
    """The account that is meant; else the command ends with the names that come near."""
    rows = release.execute(
        "select account_id, account_name from accounts.account_scorecard order by account_id"
    ).fetchall()
    ids = [account_id for account_id, _ in rows]
    if asked in ids:
        return asked
    by_name = {name.casefold(): account_id for account_id, name in rows}
    if asked.casefold() in by_name:
        return str(by_name[asked.casefold()])
    words = {**{account_id.casefold(): account_id for account_id in ids}, **by_name}
    near = dict.fromkeys(words[w] for w in get_close_matches(asked.casefold(), words, n=5))
    names = dict(rows)
    told = ", ".join(f"{account_id} ({names[account_id]})" for account_id in near)
    hint = f"; did you mean {told}?" if told else "."
    return stop(escape(f"No account has the id or name '{asked}'{hint}"), EXIT_CODE_USAGE)


def _page(
    release: duckdb.DuckDBPyConnection, account_id: str, layout: Sequence[ScorecardField]
) -> Group:
    card = _one_row(
        release, "select * from accounts.account_scorecard where account_id = ?", account_id
    )
    units = dict(release.execute("select metric, unit from meta.metric_registry").fetchall())
    sections = [
        (name, sorted(fields, key=lambda field: field.position))
        for name, fields in groupby(layout, key=lambda field: field.section)
    ]
    parts: list[Any] = []
    for name, fields in sections:
        said = _section(card, fields, units)
        if said is not None and name == _HEAD:
            parts.append(Panel(said, title=_title(card), title_align="left"))
        elif said is not None:
            parts += [Text(name.replace("_", " ").upper(), style="bold"), said]
        if name == _HEAD:
            parts.append(_trends(release, account_id, units))
    return Group(*parts)


def _title(card: Mapping[str, Any]) -> Text:
    state = card["health_state"] or "unknown"
    return Text.assemble(
        (card["account_name"], "bold"), f" · {card['status']} · ", (state, _STYLES.get(state, ""))
    )


def _section(
    card: Mapping[str, Any], fields: Sequence[ScorecardField], units: Mapping[str, str]
) -> Table | None:
    """Label and value of what is told; what is empty, or not so, takes no line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for field in fields:
        value = card.get(field.name)
        if value is not None and value is not False:
            is_share = units.get(field.name) == "ratio" or "_ratio" in field.name
            grid.add_row(field.label, said(value, is_share=is_share))
    return grid if grid.row_count else None


def said(value: object, *, is_share: bool = False) -> Text:
    """A value as people read it: shares in percent, money without cents, instants by the minute."""
    if value is True:
        return Text("yes")
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M}")
    if isinstance(value, Decimal | float) and is_share:
        return Text(f"{100 * value:.0f} %")
    if isinstance(value, Decimal | float):
        digits = 0 if abs(float(value)) >= _WITHOUT_DECIMALS else 1
        return Text(f"{value:,.{digits}f}".removesuffix(".0"))
    if isinstance(value, int):
        return Text(f"{value:,}")
    return Text(str(value), style=_STYLES.get(str(value), ""))


def _trends(release: duckdb.DuckDBPyConnection, account_id: str, units: Mapping[str, str]) -> Table:
    """A bar per week: the score as it was shown, and metrics as they are known now."""
    columns = ", ".join(_TRENDS)
    rows = release.execute(
        f"select health.score, {columns} from accounts.account_metrics_daily_restated as metrics "  # noqa: S608 - our own columns
        "left join health.fct_account_health_daily as health using (account_id, day) "
        "where account_id = ? and (select max(day) from accounts.account_metrics_daily_restated) "
        "- day < ? and ((select max(day) from accounts.account_metrics_daily_restated) - day) % 7 "
        "= 0 order by day",
        [account_id, 7 * _WEEKS],
    ).fetchall()
    names = dict(release.execute("select metric, name from meta.metric_registry").fetchall())
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right")
    for place, metric in enumerate(("score", *_TRENDS)):
        values = [row[place] for row in rows]
        if any(value is not None for value in values):
            last = next(value for value in reversed(values) if value is not None)
            label = names.get(metric, "Health score")
            grid.add_row(
                label, sparkline(values), said(last, is_share=units.get(metric) == "ratio")
            )
    return grid


def sparkline(values: Sequence[Decimal | float | None]) -> str:
    """A bar per value, the lowest and the highest bar being theirs; a gap where there is none."""
    told = [float(value) for value in values if value is not None]
    low, high = min(told), max(told)
    top = len(_BARS) - 1
    return "".join(
        " "
        if value is None
        else _BARS[round((float(value) - low) / (high - low) * top) if high > low else top // 2]
        for value in values
    )


def _one_row(release: duckdb.DuckDBPyConnection, query: str, account_id: str) -> Mapping[str, Any]:
    cursor = release.execute(query, [account_id])
    names = [column[0] for column in cursor.description or ()]
    return dict(zip(names, cursor.fetchone() or (), strict=True))
