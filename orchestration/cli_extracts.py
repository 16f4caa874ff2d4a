"""`csw contracts`, `csw profile` and `csw land`: what a data engineer asks about extracts."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from assets.extracts.contracts import load_contracts
from assets.extracts.dictionary import HEADERS, contract_rows, dictionary_rows
from assets.extracts.errors import ExtractError
from assets.extracts.landing import Landing as ListedLanding
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.profiles import Profile
from orchestration.run_lock import EXIT_CODE_BUSY, BuildBusyError
from orchestration.settings import Settings
from orchestration.terminal import (
    EXIT_CODE_RED,
    EXIT_CODE_USAGE,
    Home,
    Landing,
    ProfileName,
    console,
    settings_of,
    stop,
    unexported_settings_of,
)

if TYPE_CHECKING:
    from assets.extracts.checking import LandingCheck, TableCheck
    from assets.extracts.reload import Reload

contracts_app = typer.Typer(no_args_is_help=True, help="What extracts are written against.")
profile_app = typer.Typer(no_args_is_help=True, help="How a vendor's files become the contracts'.")
land_app = typer.Typer(no_args_is_help=True, help="Look at a landing; read files of it again.")


@contracts_app.command()
def show(
    table: Annotated[
        str | None, typer.Argument(help="Such as crm.accounts; all by default.")
    ] = None,
) -> None:
    """Show the contracts: each table's key and mode, or one table's columns."""
    contracts = load_contracts()
    if table is None:
        _print_rows(("table", "mode", "key", "dated by", "holds"), contract_rows())
        return
    if table not in contracts:
        stop(f"{table} is no contract table; there are {', '.join(contracts)}.", EXIT_CODE_USAGE)
    console.print(f"[bold]{table}[/] ({contracts[table].mode}): {contracts[table].description}")
    _print_rows(HEADERS, dictionary_rows(contracts[table]))


@profile_app.command()
def suggest(
    file: Annotated[Path, typer.Argument(help="A CSV, JSON Lines or Parquet file.")],
    table: Annotated[
        str | None, typer.Option(help="The contract table that it is; guessed by default.")
    ] = None,
) -> None:
    """Propose a profile for a file: YAML on standard output, which a person then edits."""
    from assets.extracts.suggesting.suggest import suggest_profile

    try:
        suggestion = suggest_profile(file, table=table)
    except ExtractError as error:
        stop(str(error), EXIT_CODE_USAGE)
    # To be redirected into a file: no markup, no wrapping.
    typer.echo(suggestion.text, nl=False)


@land_app.command()
def check(
    landing: Annotated[str, typer.Argument(help="Folder, or s3://, gs:// or az:// URL.")],
    profile: ProfileName = None,
) -> None:
    """Say what would be loaded, rejected and refused, and why; nothing is written."""
    from assets.extracts.checking import check_landing

    settings = unexported_settings_of(landing=landing, profile=profile)
    try:
        listed, said = _listed(settings)
        with console.status(f"reading {listed.store.name} …"):
            found = check_landing(
                listed,
                said,
                time_zone=settings.reporting_time_zone,
                shrink_limit=settings.max_shrink_share,
                memory_limit=settings.memory_limit,
                threads=settings.threads,
            )
    except ExtractError as error:
        stop(str(error), EXIT_CODE_USAGE)
    _print_check(found, settings)
    blocked = [table for table in found.tables if _is_blocked(table, settings)]
    if blocked or found.refusals:
        raise typer.Exit(EXIT_CODE_RED)


@land_app.command()
def reload(
    files: Annotated[list[str] | None, typer.Argument(help="Paths in the landing.")] = None,
    rejected: Annotated[  # noqa: FBT002 - typer makes the flag of it
        bool, typer.Option("--rejected", help="Every file that was refused or has rejected rows.")
    ] = False,
    landing: Landing = None,
    home: Home = None,
    profile: ProfileName = None,
) -> None:
    """Read files again under today's contract and profile, in place of what they had loaded."""
    if bool(files) == rejected:
        stop("Name the files to read again, or say --rejected.", EXIT_CODE_USAGE)
    settings = settings_of(home=home, landing=landing, profile=profile)
    if not settings.build_database.is_file():
        stop(
            f"Nothing was loaded into {settings.home} yet: there is nothing to read again. "
            "Load it with csw run.",
            EXIT_CODE_USAGE,
        )
    try:
        done = _reload(settings, files, rejected=rejected)
    except BuildBusyError as error:
        stop(str(error), EXIT_CODE_BUSY)
    except ExtractError as error:
        stop(str(error), EXIT_CODE_USAGE)
    _print_reload(done)
    if done.still_refused or done.missing:
        raise typer.Exit(EXIT_CODE_RED)


def _reload(settings: Settings, files: list[str] | None, *, rejected: bool) -> "Reload":
    import dagster as dg

    from assets.extracts.known_log import KnownLog
    from assets.extracts.reload import reload_files
    from orchestration.resources import build_database, mark_failed
    from orchestration.run_lock import hold_build
    from orchestration.running import prepare_dagster_home

    prepare_dagster_home(settings)
    listed, said = _listed(settings)
    name = f"reload {uuid.uuid4()}"
    with (
        dg.DagsterInstance.get() as instance,
        hold_build(
            settings.build_lock,
            holder=name,
            wait_seconds=settings.lock_wait_minutes * 60,
            say=console.print,
            on_dead_holder=lambda holder: mark_failed(instance, holder),
        ),
        build_database(settings).get_connection() as connection,
    ):
        return reload_files(
            connection,
            profile=said,
            landing=listed,
            known=KnownLog.beside(listed, otherwise=settings.home),
            reload_id=name,
            reloaded_at=datetime.now(UTC),
            files=files,
            rejected=rejected,
            time_zone=settings.reporting_time_zone,
            shrink_limit=settings.max_shrink_share,
            say=console.print,
        )


def _listed(settings: Settings) -> tuple[ListedLanding, Profile]:
    listed = open_landing(settings.landing_place, spool=settings.spool)
    return listed, profile_for(listed, settings.profile)


def _is_blocked(table: "TableCheck", settings: Settings) -> bool:
    return table.is_blocked(
        max_reject_share=settings.max_reject_share, max_rejects=settings.max_rejects
    )


def _print_check(found: "LandingCheck", settings: Settings) -> None:
    names = ("table", "files", "refused", "rows", "would load", "rejected", "duplicates", "")
    table = Table(*names, title=f"{found.landing} under profile {found.profile}")
    for one in found.tables:
        load = one.load
        numbers = (load.files_new, load.files_refused, load.rows_read, load.rows_loaded)
        more = (load.rows_rejected, load.rows_duplicate)
        end = "[red]too many rejects" if _is_blocked(one, settings) else "[green]✓"
        table.add_row(load.table, *(f"{number:,}" for number in (*numbers, *more)), end)
    console.print(table)
    _print_sentences(found)


def _print_sentences(found: "LandingCheck") -> None:
    reasons = [(one.load.table, reason.sentence) for one in found.tables for reason in one.reasons]
    said = [f"[yellow]{table}[/]: {escape(sentence)}" for table, sentence in reasons]
    said += [f"[red]refused[/] {escape(sentence)}" for sentence in found.refusals]
    said += [
        f"[yellow]not read[/] {escape(path)}: no table of the profile takes it"
        for path in found.unclaimed
    ]
    if found.absent:
        said.append(f"[dim]nothing landed of {', '.join(found.absent)}")
    for line in said:
        console.print(line, soft_wrap=True)


def _print_reload(done: "Reload") -> None:
    for one in done.reloaded:
        console.print(f"[green]✓[/] {escape(one.sentence)}", soft_wrap=True)
    for sentence in (*done.still_refused, *done.missing):
        console.print(f"[red]✗[/] {escape(sentence)}", soft_wrap=True)
    if not (done.reloaded or done.still_refused or done.missing):
        console.print("Nothing is refused or in quarantine.")
    if done.reloaded:
        console.print("The next csw run builds and publishes with it.")


def _print_rows(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    table = Table(*headers)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
