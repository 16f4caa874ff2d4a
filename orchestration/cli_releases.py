"""`csw releases`: what was published, what differs, going back to an earlier one, making room."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from assets.alerts.evaluation import last_evaluated_sequence
from assets.releases import folders
from assets.releases.comparing import ReleaseDifference, compare
from assets.releases.keeping import (
    NO_RELEASE,
    ReleaseSummary,
    find_release,
    find_superfluous,
    go_back,
    read_summaries,
)
from orchestration.terminal import (
    EXIT_CODE_RED,
    EXIT_CODE_USAGE,
    Home,
    build_held,
    console,
    settings_of,
    stop,
)

releases_app = typer.Typer(help="What readers get, and got before.", no_args_is_help=True)

_NONE = "—"
_WORDS = frozenset({"file", "column", "table", "such as", "number"})  # the rest are numbers
Release = Annotated[str, typer.Argument(help="A release's id, or the number it begins with.")]


@releases_app.command("list")
def list_command(home: Home = None) -> None:
    """Every release that is kept, the newest last."""
    found = read_summaries(settings_of(home=home).releases)
    if not found:
        stop(NO_RELEASE, EXIT_CODE_USAGE)
    table = Table(box=None, header_style="bold")
    for name in ("release", "as of", "published", "tables", "rows", "MB", "checks", ""):
        table.add_column(name, justify="right" if name in ("tables", "rows", "MB") else "left")
    for each in found:
        tables, checks = each.manifest["tables"], each.manifest["checks"]
        warned = sum(not check["passed"] for check in checks)
        table.add_row(
            each.release_id,
            _minute(each.manifest["as_of"]),
            _minute(each.manifest["published_at"]),
            f"{len(tables):,}",
            f"{sum(one['rows'] for one in tables.values()):,}",
            _megabytes(each.bytes),
            f"{len(checks) - warned:,} passed" + (f", [yellow]{warned:,} warn[/]" * bool(warned)),
            _standing(each),
        )
    console.print(table)


@releases_app.command("show")
def show_command(
    release: Annotated[
        str | None,
        typer.Argument(help="Its id, or the number it begins with; by default the current one."),
    ] = None,
    home: Home = None,
) -> None:
    """What a release was made of and holds, as its manifest says."""
    found = find_release(read_summaries(settings_of(home=home).releases), release)
    console.rule(f"[bold]{found.release_id}[/] {_standing(found)}", align="left")
    _print_manifest(found.manifest)


@releases_app.command("diff")
def diff_command(first: Release, last: Release, home: Home = None) -> None:
    """Which tables, accounts and numbers differ between two releases, and what can be the cause."""
    settings = settings_of(home=home)
    summaries = read_summaries(settings.releases)
    chosen = [find_release(summaries, named) for named in (first, last)]
    before, after = sorted(chosen, key=lambda each: each.sequence)
    console.rule(f"[bold]{before.release_id}[/], then [bold]{after.release_id}", align="left")
    _print_difference(compare(settings.releases, before, after))


@releases_app.command()
def rollback(
    to: Annotated[
        str | None,
        typer.Option(help="Where to; by default the newest release before the current one."),
    ] = None,
    home: Home = None,
) -> None:
    """Give readers an earlier release, until a later run publishes another one.

    Alerts that were told stay told, and days that were shown stay recorded as they were shown. What
    was withdrawn is run again by the next day's run, or by csw run --as-of.
    """
    settings = settings_of(home=home)
    with build_held(settings, "csw releases rollback"):
        current, withdrawn = go_back(settings.releases, to)
    console.print(f"[green]✓[/] readers get [bold]{current}[/]")
    if withdrawn:
        console.print(f"[dim]withdrawn: {', '.join(withdrawn)}; csw releases rollback --to returns")


@releases_app.command()
def prune(
    keep: Annotated[int, typer.Option(min=1, help="How many of the last releases stay.")] = 30,
    home: Home = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Remove releases that are neither among the last ones nor the last of their month.

    The current one stays, and so does what the alerts have not seen. Readers keep what they have
    open.
    """
    settings = settings_of(home=home)
    with build_held(settings, "csw releases prune"):
        try:
            evaluated = last_evaluated_sequence(settings.ledger)
        except SQLAlchemyError as error:
            reason = str(error).splitlines()[0]
            stop(f"The ledger can't be read, so that nothing is removed: {reason}", EXIT_CODE_RED)
        found = read_summaries(settings.releases)
        superfluous = find_superfluous(found, keep=keep, evaluated=evaluated)
        for each in superfluous:
            if not dry_run:
                folders.remove(settings.releases, each.release_id)
            console.print(f"[dim]· {'would remove' if dry_run else 'removed'} {each.release_id}")
    freed = _megabytes(sum(each.bytes for each in superfluous))
    console.print(
        f"[green]✓[/] {len(superfluous):,} of {len(found):,} releases, {freed} MB"
        f"{' would go' if dry_run else ' are gone'}"
    )


def _print_manifest(manifest: Mapping[str, Any]) -> None:
    facts = Table.grid(padding=(0, 2))
    for name, said in (
        ("as of", f"{manifest['as_of']} ({manifest['time_zone']})"),
        ("published", manifest["published_at"]),
        ("code", manifest["code_version"]),
        ("configuration", manifest["configuration_hash"]),
        ("engines", _listed(manifest["engines"])),
        ("landed through", _listed(manifest["watermarks"]) or "nothing"),
        ("in quarantine", _listed(manifest["quarantine"]) or "no row"),
    ):
        facts.add_row(f"[dim]{name}", escape(str(said)))
    console.print(facts)
    for check in manifest["checks"]:
        if not check["passed"]:
            said = f"warns: {check['check']} on {check['asset']}: {check['summary']}"
            console.print(f"[yellow]{escape(said)}")
    console.print(
        _table(
            "Tables",
            ("table", "rows", "MB", "content hash"),
            [
                (name, f"{one['rows']:,}", _megabytes(one["bytes"]), one["content_hash"])
                for name, one in manifest["tables"].items()
            ],
        )
    )


def _print_difference(found: ReleaseDifference) -> None:
    console.print("[bold]What can have made it")
    for cause in found.causes or ("nothing: same time, code, configuration and data",):
        console.print(f"  · {escape(cause)}")
    for title, names, rows in (
        ("Seeds", ("file", "row", "column", "before", "after"), _cell_rows(found)),
        ("Tables", ("table", "rows before", "rows after", "accounts", "such as"), _rows_of(found)),
        ("Over all accounts", ("number", "before", "after", "change"), _number_rows(found)),
    ):
        if rows:
            console.print(_table(title, names, rows))
    console.print(f"{found.equal_tables:,} tables are equal.")


def _table(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, box=None, header_style="bold", title_justify="left")
    for name in names:
        table.add_column(name, justify="left" if name in _WORDS else "right")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _cell_rows(found: ReleaseDifference) -> list[tuple[str, ...]]:
    return [
        (file, str(row), column, old or _NONE, new or _NONE)
        for file, row, column, old, new in found.cells
    ]


def _rows_of(found: ReleaseDifference) -> list[tuple[str, ...]]:
    return [
        (each.name, *map(_number, (*each.rows, each.accounts)), ", ".join(each.examples))
        for each in found.tables
    ]


def _number_rows(found: ReleaseDifference) -> list[tuple[str, ...]]:
    return [
        (one.name, _number(one.before), _number(one.after), _change(one.before, one.after))
        for one in found.numbers
    ]


def _change(before: Decimal | None, after: Decimal | None) -> str:
    return _NONE if before is None or after is None else f"{after - before:+,}"


def _number(number: Decimal | int | None) -> str:
    return _NONE if number is None else f"{number:,}"


def _standing(release: ReleaseSummary) -> str:
    words = ["[green]current[/]"] if release.is_current else []
    return ", ".join([*words, *(["[yellow]withdrawn[/]"] if release.is_withdrawn else [])])


def _megabytes(number: int) -> str:
    return f"{number / 1_000_000:,.1f}"


def _listed(named: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in named.items())


def _minute(instant: str) -> str:
    return datetime.fromisoformat(instant).strftime("%Y-%m-%d %H:%M")
