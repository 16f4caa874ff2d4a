"""`csw sample`: which options go together, and what it says that it wrote."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from orchestration.cli_sample import sample
from orchestration.terminal import EXIT_CODE_USAGE

app = typer.Typer()
app.command()(sample)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--messy"], "--days, --more-days and --messy go with --events."),
        (["--days", "3"], "--days, --more-days and --messy go with --events."),
        (
            ["--events", "9", "--through", "2026-07-01"],
            "--events goes with --days and --more-days, not --through.",
        ),
    ],
)
def test_options_that_would_be_ignored_are_refused(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """Somebody who asks for a messy sample and gets a clean one without a word."""
    ran = CliRunner().invoke(app, [str(tmp_path / "landing"), *arguments])
    assert (ran.exit_code, ran.stderr) == (EXIT_CODE_USAGE, f"{sentence}\n")
    assert not (tmp_path / "landing").exists()


def test_a_large_sample_is_written_day_by_day(tmp_path: Path) -> None:
    """An option that never reaches what writes the sample."""
    arguments = ["--events", "700", "--days", "2", "--more-days", "1", "--accounts", "51"]
    ran = CliRunner().invoke(app, [str(tmp_path), *arguments])
    assert ran.exit_code == 0, ran.output
    names = [path.name for path in sorted((tmp_path / "events" / "events").iterdir())]
    assert names == [f"dt=2024-01-0{day}" for day in (1, 2, 3)]
    first = (tmp_path / "profile.yml").read_text("utf-8").splitlines()[0]
    assert "events=700 days=2 accounts=51 seed=7 messy=False" in first
