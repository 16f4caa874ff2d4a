"""`csw`: what a person types."""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text
from typer.core import TyperGroup

from assets.alerts.ledger import LedgerError
from assets.clock import first_instant, last_full_day, parse_as_of
from assets.extracts.errors import ConfigurationError, ExtractError
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.profiles import load_profile
from assets.extracts.sampling.sample import write_sample
from assets.releases import folders
from checks.seeds import find_problems
from orchestration.cli_account import account_app
from orchestration.cli_alerts import alerts_app
from orchestration.cli_checks import checks_app, quarantine_app
from orchestration.cli_extracts import contracts_app, land_app, profile_app
from orchestration.cli_health import health_app
from orchestration.cli_releases import releases_app
from orchestration.cli_sample import DEMO_THROUGH, sample
from orchestration.cli_status import status
from orchestration.refusals import refusal_of
from orchestration.run_lock import EXIT_CODE_BUSY, BuildBusyError
from orchestration.settings import ROOT, Settings
from orchestration.terminal import (
    EXIT_CODE_RED,
    EXIT_CODE_USAGE,
    Home,
    Landing,
    ProfileName,
    console,
    settings_of,
    stop,
)


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Calls the command; what is wrong with release, ledger or disk is a sentence."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            stop(*refusal)


app = typer.Typer(
    cls=_Commands,
    name="csw",
    help="A customer-success warehouse: raw extracts to marts, releases and alerts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(account_app, name="account")
app.add_typer(alerts_app, name="alerts")
app.add_typer(contracts_app, name="contracts")
app.add_typer(health_app, name="health")
app.add_typer(profile_app, name="profile")
app.add_typer(releases_app, name="releases")
app.add_typer(land_app, name="land")
app.add_typer(checks_app, name="checks")
app.add_typer(quarantine_app, name="quarantine")
app.command()(sample)
app.command()(status)


@app.command()
def run(
    as_of: Annotated[
        str, typer.Option(help="A date (all before its first instant counts) or an instant.")
    ],
    landing: Landing = None,
    home: Home = None,
    profile: ProfileName = None,
) -> None:
    """Load what landed, build and check the marts, publish a release, evaluate the alerts."""
    settings = settings_of(home=home, landing=landing, profile=profile)
    _run(settings, as_of)
    _print_summary(settings)


@app.command()
def validate(home: Home = None) -> None:
    """Say what is wrong in the seeds and the profile, a sentence each, or that nothing is."""
    settings = settings_of(home=home)
    problems: list[object] = list(find_problems(settings.seeds, ROOT / "models"))
    try:
        if settings.profile:
            load_profile(settings.profile)
        elif not isinstance(settings.landing_place, Path) or settings.landing_place.is_dir():
            profile_for(open_landing(settings.landing_place, spool=settings.spool), None)
    except ExtractError as error:
        problems.append(error)
    for problem in problems:
        console.print(f"[red]✗[/] {problem}", soft_wrap=True)
    if problems:
        raise typer.Exit(EXIT_CODE_RED)
    console.print("[green]✓[/] seeds and profile name only what exists")


@app.command()
def demo(home: Home = None) -> None:
    """Write a sample and run it, twice: a first load, then the days that landed since."""
    settings = settings_of(home=home)
    landing = settings.landing_folder
    last = folders.current_as_of(settings.releases)
    days = [DEMO_THROUGH - timedelta(days=6), DEMO_THROUGH]
    if last is not None:
        released = last_full_day(last, settings.zone)
        days = [max(released, DEMO_THROUGH) + timedelta(days=1)]
        console.print(f"[bold]Incremental:[/] released through {released}; one more day lands")
    for day in days:
        written = write_sample(landing, through=day)
        console.rule(f"[bold]{day}: {written.files_written:,} files land", align="left")
        _run(settings, first_instant(day + timedelta(days=1), settings.zone).isoformat())
    _print_summary(settings)


@app.command()
def summary(home: Home = None) -> None:
    """Print what the current release holds."""
    _print_summary(settings_of(home=home))


@app.command()
def ui(
    home: Home = None,
    port: Annotated[int, typer.Option(help="Port of the Dagster UI, on this machine only.")] = 3000,
) -> None:
    """Open the Dagster UI over a home, with its schedule and sensors on."""
    from orchestration.running import prepare_dagster_home

    settings = settings_of(home=home)
    prepare_dagster_home(settings)
    console.print(f"http://127.0.0.1:{port} over {settings.home} (Ctrl-C ends it)")
    os.chdir(ROOT)
    dagster = str(Path(sys.executable).parent / "dagster")
    command = [dagster, "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    os.execv(dagster, command)  # noqa: S606 - a fixed command, no shell


@app.command()
def parse(home: Home = None) -> None:
    """Make dbt's manifest for the models and seeds as they are, or say why they don't parse."""
    from orchestration.dbt import DbtParseError, prepare_project

    try:
        project = prepare_project(settings_of(home=home))
    except DbtParseError as error:
        stop(str(error), EXIT_CODE_RED)
    console.print(f"[green]✓[/] {project.manifest_path}")


def _run(settings: Settings, as_of: str) -> None:
    instant = _instant(settings, as_of)
    # The engines take seconds to import: only where something runs.
    from orchestration.dbt import DbtParseError
    from orchestration.running import run_daily

    try:
        outcome = run_daily(settings, instant, console)
    except BuildBusyError as error:
        stop(str(error), EXIT_CODE_BUSY)
    except (DbtParseError, ExtractError) as error:
        stop(str(error), EXIT_CODE_RED)
    _look_after(settings)
    if outcome.failures:
        _stop_red(settings, outcome.failures, is_released=outcome.is_released)
    newest, current = folders.list_releases(settings.releases)[-1], _current_id(settings)
    console.print(f"[green]released[/] {newest} in {outcome.seconds:.0f} s")
    if newest != current:
        console.print(
            f"[yellow]current stays at {current}, whose as-of is later; open {newest} by its name"
        )


def _look_after(settings: Settings) -> None:
    """Keeps what the run and its checks said, and has ops told of what is wrong."""
    import dagster as dg

    from orchestration.operations import look_after

    with dg.DagsterInstance.get() as instance:
        try:
            look_after(settings, instance, now=datetime.now(settings.zone))
        except LedgerError as error:
            console.print(f"[yellow]{error} Nobody was told of this run.", soft_wrap=True)


def _instant(settings: Settings, as_of: str) -> datetime:
    """The as-of instant, once everything that a run was told to use is known to be there."""
    place = settings.landing_place
    if isinstance(place, Path) and not place.is_dir():
        stop(
            f"There is no landing folder {place}: name one with --landing, or "
            "write a sample into it with csw sample.",
            EXIT_CODE_USAGE,
        )
    if not settings.seeds.is_dir():
        stop(
            f"There is no seeds folder {settings.seeds}: let CSW_SEEDS name a copy of "
            f"{ROOT / 'seeds'}, or unset it.",
            EXIT_CODE_USAGE,
        )
    try:
        if settings.profile:
            load_profile(settings.profile)
        return parse_as_of(as_of, settings.zone)
    except (ConfigurationError, ValueError) as error:
        stop(str(error), EXIT_CODE_USAGE)


def _stop_red(settings: Settings, failures: tuple[str, ...], *, is_released: bool) -> NoReturn:
    current = _current_id(settings)
    kept = f"release {current} stays current" if current else "there is no release yet"
    for failure in failures:
        console.print(Text("✗ ", style="red") + Text(failure), soft_wrap=True)
    what = f"No release: {kept}"
    if is_released:
        newest = folders.list_releases(settings.releases)[-1]
        what = f"{newest} is released, and its alerts are not: the next run takes them up"
    stop(f"{what}. The log is {settings.home / 'logs' / 'run.log'}", EXIT_CODE_RED)


def _current_id(settings: Settings) -> str | None:
    manifest = folders.read_manifest(settings.releases)
    return str(manifest["id"]) if manifest else None


def _print_summary(settings: Settings) -> None:
    from orchestration.summary import print_summary

    print_summary(settings, console)


def main() -> None:
    """Entry point of the `csw` command."""
    app()
