"""A `csw` command as a person types it, on a wide screen."""

import io
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestration.cli import app


@dataclass(frozen=True)
class Said:
    """How a command ended, and all that it printed."""

    exit_code: int
    output: str


def csw(module: ModuleType, home: Path, *arguments: str) -> Said:
    """Runs a command whose tables the console of a module prints."""
    screen = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "console", Console(file=screen, width=250))
        done = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    return Said(done.exit_code, screen.getvalue() + done.output)
