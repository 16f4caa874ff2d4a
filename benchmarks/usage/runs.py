"""A step of a benchmark in a process of its own, so that its peak of memory is its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEMORY_LIMIT = "4GB"
THREADS = 2


class StepError(Exception):
    """A step ended badly; its own last words are in the text."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a process took with its start: seconds, those of CPU; peak bytes; and what it said."""

    seconds: float
    cpu: float
    peak: int
    said: Mapping[str, float] = field(default_factory=dict)


def run_module(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Step:
    """Runs `python -m module` to its end; a last line of JSON is what it said.

    Raises:
        StepError: it did not end well.
    """
    command = [sys.executable, "-m", module, *arguments]
    surroundings = os.environ | (environment or {})  # noqa: TID251 - for a process of its own
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command, cwd=ROOT, env=surroundings, stdout=out, stderr=subprocess.STDOUT
        )
        # Not process.wait(): only wait4 tells the resources of this one child.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begun
        out.seek(0)
        text = out.read()
    if process.returncode:
        raise StepError(
            f"{module} {' '.join(arguments)}: exit {process.returncode}\n{text[-3000:]}"
        )
    return Step(
        seconds=seconds,
        cpu=used.ru_utime + used.ru_stime,
        peak=used.ru_maxrss * 1024,
        said=_json_of(text),
    )


def _json_of(text: str) -> dict[str, float]:
    last = text.strip().rsplit("\n", 1)[-1]
    return dict(json.loads(last)) if last.startswith("{") else {}
