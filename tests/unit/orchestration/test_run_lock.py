"""The lock on the build: one run at a time, and who died while it held it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from orchestration.run_lock import BuildBusyError, hold_build, leave_unfinished, name_holder

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from orchestration.run_lock import hold_build
file = Path(sys.argv[1])
with hold_build(file, holder="run 17", wait_seconds=0, say=print, on_dead_holder=print):
    print("held", flush=True)
    sys.stdin.read()
"""


class Ears:
    """Hears what a holder is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.dead: list[str] = []

    def hold(self, file: Path, holder: str = "me") -> AbstractContextManager[None]:
        return hold_build(
            file,
            holder=holder,
            wait_seconds=0,
            say=self.said.append,
            on_dead_holder=self.dead.append,
        )


def other_process(file: Path) -> "subprocess.Popen[str]":
    """A process that holds the lock until its input ends, or until it dies."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", HOLD, str(file)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_held_build_is_busy_and_says_who_holds_it(tmp_path: Path) -> None:
    """Two runs that write into one build."""
    file, ears = tmp_path / "home" / "build.lock", Ears()
    process = other_process(file)
    with (
        pytest.raises(BuildBusyError) as busy,
        ears.hold(file),
    ):
        pass
    process.communicate("")
    assert str(busy.value) == (
        f"run 17 (process {process.pid}) still holds {file}; try again when it has ended."
    )
    assert ears.dead == []


def test_a_build_that_was_given_back_has_no_dead_holder(tmp_path: Path) -> None:
    """A run that ended well reported as dead."""
    file, ears = tmp_path / "build.lock", Ears()
    other_process(file).communicate("")
    with ears.hold(file):
        pass
    assert (ears.said, ears.dead) == ([], [])


def test_a_holder_that_was_killed_is_named_to_the_next(tmp_path: Path) -> None:
    """A run that the UI shows as running for ever; a lock that nobody can get again."""
    file, ears = tmp_path / "build.lock", Ears()
    process = other_process(file)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with ears.hold(file):
        pass
    with ears.hold(file):
        pass
    assert ears.dead == ["run 17"]


def test_a_process_that_holds_the_build_goes_on_holding_it(tmp_path: Path) -> None:
    """A command that waits for itself when its run begins, or gives the build back half way."""
    file, ears = tmp_path / "build.lock", Ears()
    with ears.hold(file, "csw run"):
        with ears.hold(file, "run 1"):
            pass
        assert json.loads(file.read_text())["holder"] == "csw run"
    assert file.read_text() == ""


def test_the_holder_is_called_by_the_run_that_goes_on(tmp_path: Path) -> None:
    """A dead `csw run` of which nobody knows which run of Dagster's it was."""
    file, ears = tmp_path / "build.lock", Ears()
    with ears.hold(file, "csw run"):
        name_holder(file, "run 2")
        assert json.loads(file.read_text()) == {"holder": "run 2", "pid": os.getpid()}
    name_holder(file, "run 3")
    assert file.read_text() == ""


def test_a_run_that_could_not_say_how_it_ended_is_ended_by_the_next(tmp_path: Path) -> None:
    """The disk was full, and the run that it stopped goes on for ever in the UI."""
    file, ears = tmp_path / "build.lock", Ears()
    leave_unfinished(file)
    for holder in ("run 4", "run 5", "run 6"):
        with ears.hold(file, holder):
            if holder == "run 4":
                leave_unfinished(file)
    assert ears.dead == ["run 4"]
    assert file.read_text() == ""


def test_a_failure_gives_the_build_back(tmp_path: Path) -> None:
    """A build that stays locked after a run that raised."""
    file, ears = tmp_path / "build.lock", Ears()
    with pytest.raises(RuntimeError), ears.hold(file):
        raise RuntimeError
    other_process(file).communicate("")
