"""What all commands share: console, settings of a call, and how one stops with a sentence."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from orchestration.run_lock import EXIT_CODE_BUSY, BuildBusyError, hold_build
from orchestration.settings import Settings

EXIT_CODE_RED = 1
EXIT_CODE_USAGE = 2

# A terminal of another encoding is shown a question mark; a run would end at its first tick.
for _stream in (sys.__stdout__, sys.__stderr__):
    if isinstance(_stream, TextIOWrapper):
        _stream.reconfigure(errors="replace")

# A log or a pipe has no width of its own; tables of reasons need more than 80 columns.
console = Console(file=sys.__stdout__, highlight=False, width=None if sys.stdout.isatty() else 120)

Home = Annotated[Path | None, typer.Option(help="Folder of everything that is written (CSW_HOME).")]
Landing = Annotated[
    str | None,
    typer.Option(help="Folder, or s3://, gs:// or az:// URL, of the extracts (CSW_LANDING)."),
]
ProfileName = Annotated[
    str | None, typer.Option(help="Connector profile, or a path to one (CSW_PROFILE).")
]


def settings_of(**given: Path | str | None) -> Settings:
    """The settings of a call, in the environment of the tools that read it."""
    settings = unexported_settings_of(**given)
    try:
        return settings.export()
    except OSError as error:
        stop(f"The home {settings.home} can't be made: {error.strerror}.", EXIT_CODE_RED)


def unexported_settings_of(**given: Path | str | None) -> Settings:
    """The settings of a call that writes nothing: no home is made for it."""
    try:
        return Settings(**{name: value for name, value in given.items() if value})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        stop(f"CSW_{name}: {first['msg'].removeprefix('Value error, ')}", EXIT_CODE_USAGE)


@contextmanager
def build_held(settings: Settings, holder: str) -> Iterator[None]:
    """Keeps runs from writing meanwhile; a run that died is left for `csw run` to heal."""
    try:
        with hold_build(
            settings.build_lock,
            holder=holder,
            wait_seconds=settings.lock_wait_minutes * 60,
            say=console.print,
            on_dead_holder=_leave_to_a_run,
        ):
            yield
    except BuildBusyError as error:
        stop(str(error), EXIT_CODE_BUSY)


def _leave_to_a_run(dead: str) -> NoReturn:
    stop(f"{dead} died while it held the build: csw run heals what it left.", EXIT_CODE_BUSY)


def stop(sentence: str, code: int) -> NoReturn:
    """Ends the command with one sentence and an exit code."""
    Console(stderr=True, highlight=False).print(f"[red]{sentence}", soft_wrap=True)
    raise typer.Exit(code)
