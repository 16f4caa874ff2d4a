"""What a person is told, in a sentence, of what is wrong with a release, the ledger or the disk."""

import errno
import sqlite3

import duckdb
from sqlalchemy.exc import DatabaseError

from assets.alerts.ledger import LedgerError
from assets.alerts.published import ReleaseError, first_line
from assets.releases.folders import ManifestError
from assets.releases.keeping import ReleaseChoiceError
from orchestration.terminal import EXIT_CODE_RED, EXIT_CODE_USAGE

_OF_THE_DISK = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
_REMEDY = "look at the disk of the home (CSW_HOME), its rights, and CSW_LEDGER_URL if it is set."


def refusal_of(error: Exception) -> tuple[str, int] | None:
    """The sentence and the exit code of an error; nothing if it is a mistake of ours."""
    if isinstance(error, ReleaseChoiceError):
        return str(error), EXIT_CODE_USAGE
    if isinstance(error, ManifestError | LedgerError | ReleaseError):
        return str(error), EXIT_CODE_RED
    said = _of_a_disk(error)
    return (f"{said}: {_REMEDY}", EXIT_CODE_RED) if said else None


def _of_a_disk(error: Exception) -> str | None:
    """What a disk or a database says of itself."""
    if isinstance(error, OSError):
        named = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror}{named}" if error.errno in _OF_THE_DISK else None
    if isinstance(error, duckdb.IOException | duckdb.SerializationException):
        return first_line(error)
    if isinstance(error, DatabaseError):
        # What a server says holds host and user.
        is_file = isinstance(error.orig, sqlite3.Error)
        return str(error.orig) if is_file else "The database can't be read or written"
    return None
