"""`csw checks` and `csw quarantine`: what a release was judged by, and what was set aside."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import duckdb
import sqlalchemy as sa
import typer
from rich.markup import escape
from rich.table import Table

from assets.alerts.check_history import CheckOutcome, CheckWords, read_words
from assets.alerts.ledger import create_ledger
from assets.alerts.operations import last_runs
from assets.releases import folders
from orchestration.cli_extracts import reload
from orchestration.settings import Settings
from orchestration.terminal import (
    EXIT_CODE_USAGE,
    Home,
    Landing,
    ProfileName,
    console,
    settings_of,
    stop,
)

checks_app = typer.Typer(
    help="What the checks of the last run said, and what each of them means.",
    no_args_is_help=True,
)
quarantine_app = typer.Typer(
    help="Rows of extracts that were set aside, and how they are tried again.",
    no_args_is_help=True,
)

_STYLES = {"block": "red", "warn": "yellow", "info": "blue"}


@checks_app.command("list")
def list_checks(
    home: Home = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="The green ones, too.")] = False,
) -> None:
    """The checks that are red in the last run, blocking ones first."""
    settings = settings_of(home=home)
    outcomes, _ = _last_run(settings)
    shown = [found for found in outcomes if every or not found.passed]
    order = sorted(shown, key=lambda found: (found.passed, found.severity, _key(found)))
    table = Table("check", "severity", "is", "rows", "red since", "last green", box=None)
    for found in order:
        table.add_row(
            escape(_key(found)),
            found.severity,
            "[green]green" if found.passed else f"[{_STYLES.get(found.severity, 'red')}]red",
            _rows(found),
            f"{found.failing_since:%Y-%m-%d %H:%M}" if found.failing_since else "",
            f"{found.last_green_at:%Y-%m-%d %H:%M}" if found.last_green_at else "",
        )
    reds = sum(not found.passed for found in outcomes)
    console.print(table if order else "[green]No check is red.")
    console.print(f"{reds:,} of {len(outcomes):,} checks are red; csw checks show CHECK says more")


@checks_app.command("show")
def show_check(
    check: Annotated[str, typer.Argument(help="Its key, or a part of it that no other has.")],
    home: Home = None,
) -> None:
    """What one check said in the last run, what it means, whose it is, and what to do."""
    outcomes, words = _last_run(settings_of(home=home))
    found = _one_of(check, outcomes)
    said = words.get((found.asset, found.check))
    state = "green" if found.passed else "red"
    console.print(f"[bold]{escape(_key(found))}[/] is {state} ({found.severity})")
    facts = {
        "said": found.summary,
        "rows": _rows(found),
        "red since": found.failing_since,
        "last green": found.last_green_at,
        "layer": said.layer if said else None,
        "owner": said.owner if said else None,
        "means": said.means if said else None,
        "to do": said.what_to_do if said else None,
    }
    for name, value in facts.items():
        if value:
            console.print(f"  {name}: {escape(str(value))}", soft_wrap=True)
    _print_rows(found.failing_rows)


@quarantine_app.command("list")
def list_quarantine(home: Home = None) -> None:
    """How many rows of each table were set aside, why, and an example of each reason."""
    table = Table("table", "column", "rule", "rows", "files", "for example", box=None)
    with _release(settings_of(home=home)) as release:
        rows = release.execute(
            "select source || '.' || table_name as name, coalesce(column_name, ''), rule, "
            "count(*), count(distinct path), arg_min(reason, (path, line)) "
            "from meta.quarantine group by all order by 4 desc, 1, 2, 3"
        ).fetchall()
    for name, column, rule, count, files, example in rows:
        table.add_row(name, escape(column), rule, f"{count:,}", f"{files:,}", escape(example))
    console.print(table if rows else "[green]Nothing was set aside.")


@quarantine_app.command("show")
def show_quarantine(
    table: Annotated[str, typer.Argument(help="Its name, as in crm.accounts.")],
    home: Home = None,
    *,
    most: Annotated[int, typer.Option(help="At most so many rows.", min=1)] = 20,
) -> None:
    """The rows of one table that were set aside: file, line, column and reason."""
    shown = Table("file", "line", "column", "reason", box=None)
    with _release(settings_of(home=home)) as release:
        known = release.execute(
            "select distinct source || '.' || table_name from meta.deliveries order by 1"
        ).fetchall()
        rows = release.execute(
            "select path, line, column_name, reason from meta.quarantine "
            "where source || '.' || table_name = ? order by path, line limit ?",
            [table, most],
        ).fetchall()
    names = [name for (name,) in known]
    if table not in names:
        stop(f"Nothing of {table} was ever loaded; there are {', '.join(names)}.", EXIT_CODE_USAGE)
    for path, line, column, reason in rows:
        shown.add_row(escape(path), str(line or ""), escape(column or ""), escape(reason))
    console.print(shown if rows else f"[green]Nothing of {table} was set aside.")


@quarantine_app.command()
def retry(landing: Landing = None, home: Home = None, profile: ProfileName = None) -> None:
    """Read what was refused or set aside again, as csw land reload --rejected does."""
    reload(files=None, rejected=True, landing=landing, home=home, profile=profile)


def _last_run(
    settings: Settings,
) -> tuple[tuple[CheckOutcome, ...], Mapping[tuple[str, str], CheckWords]]:
    """What the checks of the last run said, and what they mean."""
    engine: sa.Engine = create_ledger(settings.ledger)
    try:
        runs, words = last_runs(engine, count=1), read_words(engine)
    finally:
        engine.dispose()
    if not runs:
        stop("No run is known; run csw run first.", EXIT_CODE_USAGE)
    return runs[0].checks, words


def _one_of(named: str, outcomes: tuple[CheckOutcome, ...]) -> CheckOutcome:
    keys = {_key(found): found for found in outcomes}
    like = [named] if named in keys else [key for key in keys if named in key]
    if not like:
        stop(f"No check is named {named}; csw checks list --all names them.", EXIT_CODE_USAGE)
    if len(like) > 1:
        more = ", …" if len(like) > 3 else ""
        stop(f"{len(like)} checks are named so: {', '.join(like[:3])}{more}.", EXIT_CODE_USAGE)
    return keys[like[0]]


def _key(found: CheckOutcome) -> str:
    """As `meta.check_results` calls it."""
    return f"{found.asset}/{found.check}"


def _rows(found: CheckOutcome) -> str:
    if found.rows_failed is None:
        return ""
    of = f" of {found.rows_tested:,}" if found.rows_tested is not None else ""
    return f"{found.rows_failed:,}{of}"


def _print_rows(rows: tuple[Mapping[str, Any], ...]) -> None:
    if not rows:
        return
    table = Table(*(escape(name) for name in rows[0]), box=None)
    for row in rows:
        table.add_row(*(escape(str(row.get(name, ""))) for name in rows[0]))
    console.print(table)


@contextmanager
def _release(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current release, as a reader opens it."""
    path = settings.releases / folders.CURRENT / folders.RELEASE_FILE
    if not path.is_file():
        stop(f"There is no release in {settings.releases} yet: csw run makes one.", EXIT_CODE_USAGE)
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection
