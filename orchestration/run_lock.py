"""One run at a time: an OS lock on `<home>/build.lock`, held for the whole run."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

EXIT_CODE_BUSY = 75  # EX_TEMPFAIL: try again later


class BuildBusyError(Exception):
    """Another run holds the build and did not give it back in time."""


_held: dict[Path, int] = {}
_unfinished: set[Path] = set()


@contextmanager
def hold_build(
    lock_file: Path,
    *,
    holder: str,
    wait_seconds: float,
    say: Callable[[str], None],
    on_dead_holder: Callable[[str], None],
) -> Iterator[None]:
    """Hold the build for one run; a process that holds it already goes on holding it.

    The kernel gives the lock back when its process ends, however it ends. The file then still names
    the holder that never gave it back: that run is dead, and whoever comes next says so.

    Args:
        lock_file: The file that is locked.
        holder: Who wants it, for those who wait: a run's id or a command.
        wait_seconds: How long to wait.
        say: Told once for whom the run waits.
        on_dead_holder: Told the holder that died.

    Raises:
        BuildBusyError: If the wait was in vain.
    """
    if lock_file in _held:
        yield
        return
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, lock_file, wait_seconds, say)
        previous = _read_holder(lock_file)
        if previous:
            on_dead_holder(previous["holder"])
        _write_holder(descriptor, {"holder": holder, "pid": os.getpid()})
        _held[lock_file] = descriptor
        try:
            yield
        finally:
            del _held[lock_file]
            if lock_file in _unfinished:
                _unfinished.discard(lock_file)
            else:
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def dead_holder(lock_file: Path) -> str | None:
    """Who died while holding the build, if nobody holds it since; nothing is changed."""
    if lock_file in _held or not lock_file.is_file():
        return None
    descriptor = os.open(lock_file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        # Read under the lock: who has just ended has taken its name away before it gave it back.
        who = _read_holder(lock_file)
    except BlockingIOError:
        return None
    finally:
        os.close(descriptor)
    return who["holder"] if who else None


def name_holder(lock_file: Path, holder: str) -> None:
    """Say who uses the build that this process holds: whoever finds it dead knows what to heal."""
    descriptor = _held.get(lock_file)
    if descriptor is not None:
        _write_holder(descriptor, {"holder": holder, "pid": os.getpid()})


def leave_unfinished(lock_file: Path) -> None:
    """The holder could not say how it ended, on a full disk: it is left like one that was killed.

    Whoever comes next then ends its run, which would go on for ever in the eyes of others.
    """
    if lock_file in _held:
        _unfinished.add(lock_file)


def _acquire(
    descriptor: int, lock_file: Path, wait_seconds: float, say: Callable[[str], None]
) -> None:
    deadline = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = _read_holder(lock_file) or {"holder": "another run", "pid": "?"}
            if time.monotonic() >= deadline:
                raise BuildBusyError(
                    f"{who['holder']} (process {who['pid']}) still holds {lock_file}; "
                    "try again when it has ended."
                ) from None
            if not told:
                say(f"waiting for {who['holder']} (process {who['pid']}), which holds the build")
                told = True
            time.sleep(min(0.5, max(0.0, deadline - time.monotonic())))
        else:
            return


def _read_holder(lock_file: Path) -> dict[str, str] | None:
    try:
        holder = json.loads(lock_file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return {"holder": str(holder.get("holder")), "pid": str(holder.get("pid"))}


def _write_holder(descriptor: int, holder: dict[str, str | int]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(holder).encode(), 0)
    os.fsync(descriptor)
