"""A PostgreSQL server of a test's own, on a free port, in a folder that is thrown away."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_USERS = ("postgres", "nobody")


def _binaries() -> Path | None:
    """The folder with initdb and postgres: Debian's, or where a link on the path leads."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    linked = shutil.which("initdb") or shutil.which("postgres")
    found = debian[-1].parent if debian else Path(linked).resolve().parent if linked else None
    return found if found and (found / "initdb").is_file() else None


def _user() -> str | None:
    """Whom the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _USERS if name in names), None)


def is_installed() -> bool:
    """Whether there is a server that a test could start."""
    return _binaries() is not None


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server's database."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed here")
    user = _user()
    with tempfile.TemporaryDirectory(prefix="csw-pg-") as folder:
        Path(folder).chmod(0o700)
        if user:
            shutil.chown(folder, user)
        _run(user, binaries / "initdb", "-D", f"{folder}/data", "-U", "csw", "-A", "trust", "-N")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(  # noqa: S603 - our own arguments
            [binaries / "postgres", "-D", f"{folder}/data", "-p", str(port), "-k", folder,
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
            user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait(binaries, port)
            yield f"postgresql://csw@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(timeout=30)


def _run(user: str | None, *command: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, user=user, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _wait(binaries: Path, port: int) -> None:
    command = [binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
    for _ in range(300):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:  # noqa: S603
            return
        time.sleep(0.05)
    pytest.fail("the PostgreSQL server did not start")
