"""Where extracts land: a folder, or a bucket of an object store behind the same four verbs.

An object is fetched only when somebody wants its content, into a spool folder, and given back
after that; a folder's files are read where they lie.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import from_url

from assets.extracts.errors import ExtractError, RefusedFileError

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

SCHEMES = ("s3", "gs", "az", "abfs", "abfss")
PIECE = 1 << 25
# An endpoint that somebody names may be plain HTTP; the clouds' own never are.
_CLIENT: "ClientConfig" = {"allow_http": True, "connect_timeout": "10s", "timeout": "180s"}
_RETRIES: "RetryConfig" = {"max_retries": 3}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file of a landing as a listing shows it.

    Attributes:
        path: Relative to the landing's root, with forward slashes.
        size: In bytes.
        stamp: Another one after the file was written to.
        written_ns: When it was last written to, in nanoseconds of the epoch; 0 where `stamp` is of
            the content, so that no clock decides whether it is new.
    """

    path: str
    size: int
    stamp: str
    written_ns: int = 0


class Store(Protocol):
    """A folder or a bucket."""

    @property
    def name(self) -> str:
        """What people call it; no secret is in it."""

    def entries(self) -> Iterator[Entry]:
        """All files but those that are hidden or lie in a hidden folder, in no order.

        Raises:
            ExtractError: it is not there or cannot be reached.
        """

    def location(self, path: str) -> Path:
        """Where a file lies, or will lie once it is fetched."""

    def fetch(self, entry: Entry) -> None:
        """Makes a file lie at its location.

        Raises:
            FileNotFoundError: it is gone since it was listed.
            RefusedFileError: it was replaced since it was listed.
            ExtractError: the store cannot be reached.
        """

    def release(self, path: str) -> None:
        """Removes what `fetch` put there."""

    def clear(self) -> None:
        """Removes what a killed process fetched; only whoever holds the build may."""

    def read(self, path: str) -> bytes | None:
        """A small file as a whole, hidden or not; None if there is none."""

    def write(self, path: str, data: bytes) -> bool:
        """Writes a small file as a whole, atomically; False where nobody may write."""


def open_store(where: Path | str, spool: Path | None = None) -> Store:
    """The store that a path or URL names; an object store fetches into `spool`.

    Raises:
        ExtractError: the URL is none that is read, or one with credentials in it.
    """
    if not is_url(where):
        return Folder(Path(where))
    if spool is None:
        raise ExtractError(f"{where} is no folder; only a run with a home can fetch from there.")
    return Bucket(str(where), spool)


def is_url(where: Path | str) -> bool:
    """True for what is no path of a folder."""
    return isinstance(where, str) and "://" in where


def plain_url(url: str) -> str:
    """The URL without a slash at its end.

    Raises:
        ExtractError: its scheme is not read, or it carries credentials; they are not repeated.
    """
    parts = urlsplit(url)
    # abfss://container@account is an address, not a login.
    has_login = "@" in parts.netloc and not parts.scheme.startswith("abfs")
    if parts.query or parts.fragment or has_login or ":" in parts.netloc:
        raise ExtractError(
            f"The landing's URL ({parts.scheme}://…) carries credentials or options; name bucket "
            "and folder only, and let the cloud's usual environment variables hold the rest."
        )
    if parts.scheme not in SCHEMES or not parts.netloc:
        allowed = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise ExtractError(f"{url} is no landing: name a folder, or a URL that begins {allowed}.")
    return url.rstrip("/")


@dataclass(frozen=True)
class Folder:
    """A landing folder."""

    root: Path

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self.root)

    def entries(self) -> Iterator[Entry]:
        """All files; links are followed, but never in a circle."""
        if not self.root.is_dir():
            raise ExtractError(
                f"The landing folder {self.root} does not exist; create it, or name another one."
            )
        yield from _walk(self.root, "", ())

    def location(self, path: str) -> Path:
        """The file itself."""
        return self.root / path

    def fetch(self, entry: Entry) -> None:
        """Only looks whether it is still there."""
        self.location(entry.path).stat()

    def release(self, path: str) -> None:
        """Leaves it alone."""

    def clear(self) -> None:
        """Has fetched nothing."""

    def read(self, path: str) -> bytes | None:
        """The file's bytes, if it is there."""
        try:
            return self.location(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, data: bytes) -> bool:
        """Writes beside and renames."""
        file = self.location(path)
        if not self._may_be_written():
            return False
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_name(f"{file.name}.draft")
            draft.write_bytes(data)
            draft.replace(file)
        except OSError:
            return False
        return True

    def _may_be_written(self) -> bool:
        """False where nobody is meant to write: root could all the same."""
        return not self.root.exists() or bool(self.root.stat().st_mode & 0o222)


def _walk(folder: Path, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[Entry]:
    here = folder.stat()
    me = (here.st_dev, here.st_ino)
    if me in above:
        return
    with os.scandir(folder) as found:
        for item in found:
            if item.name.startswith((".", "_")):
                continue
            path = f"{prefix}{item.name}"
            if item.is_dir():
                yield from _walk(folder / item.name, f"{path}/", (*above, me))
            elif item.is_file():
                yield _entry_of(path, item.stat())


def _entry_of(path: str, stat: os.stat_result) -> Entry:
    # A file renamed onto another keeps its modification time, but not its inode.
    stamp = f"{stat.st_mtime_ns}-{stat.st_ctime_ns}-{stat.st_ino}"
    written = max(stat.st_mtime_ns, stat.st_ctime_ns)
    return Entry(path=path, size=stat.st_size, stamp=stamp, written_ns=written)


class Bucket:
    """A folder of an object store; credentials are those of the cloud's usual variables."""

    def __init__(self, url: str, spool: Path) -> None:
        self.name = plain_url(url)
        self._spool = spool / hashlib.sha256(self.name.encode()).hexdigest()[:12]
        try:
            self._objects: ObjectStore = from_url(
                self.name, client_options=_CLIENT, retry_config=_RETRIES
            )
        except BaseError:
            raise self._unusable("cannot be opened") from None

    def entries(self) -> Iterator[Entry]:
        """All objects; an empty one that stands for a folder is none."""
        try:
            found = [meta for page in obstore.list(self._objects) for meta in page]
        except FileNotFoundError:
            raise self._unusable("does not exist") from None
        except (BaseError, OSError):
            raise self._unusable("cannot be listed") from None
        folders = {"/".join(m["path"].split("/")[:-1]) for m in found}
        for meta in found:
            path = meta["path"]
            is_folder = meta["size"] == 0 and (path in folders or "." not in path.split("/")[-1])
            if not is_folder and not is_hidden(path):
                yield _entry_of_object(meta)

    def location(self, path: str) -> Path:
        """Where the object is fetched to."""
        return self._spool / path

    def fetch(self, entry: Entry) -> None:
        """Streams the object piece by piece, as it was when it was listed."""
        file = self.location(entry.path)
        if file.is_file():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.draft")
        try:
            with draft.open("wb") as spooled:
                for start in range(0, entry.size, PIECE):
                    spooled.write(self._piece(entry, start))
            # A copy has no time of its own: fetched again it is the same file.
            os.utime(draft, ns=(0, 0))
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)

    def _piece(self, entry: Entry, start: int) -> bytes:
        end = min(start + PIECE, entry.size)
        etag = entry.stamp if entry.written_ns == 0 else None
        try:
            found = obstore.get(
                self._objects, entry.path, options={"if_match": etag, "range": (start, end)}
            )
            return bytes(found.bytes())
        except FileNotFoundError:
            raise
        except PreconditionError as error:
            raise RefusedFileError(
                f"{entry.path}: was replaced while it was being read; run again."
            ) from error
        except (BaseError, OSError):
            raise self._unusable(f"does not give {entry.path}") from None

    def release(self, path: str) -> None:
        """Removes the object's copy."""
        self.location(path).unlink(missing_ok=True)

    def clear(self) -> None:
        """Removes the spool."""
        shutil.rmtree(self._spool, ignore_errors=True)

    def read(self, path: str) -> bytes | None:
        """A small object."""
        try:
            return bytes(obstore.get(self._objects, path).bytes())
        except FileNotFoundError:
            return None
        except (BaseError, OSError):
            raise self._unusable(f"does not give {path}") from None

    def write(self, path: str, data: bytes) -> bool:
        """One put, which is atomic."""
        try:
            obstore.put(self._objects, path, data)
        except (BaseError, OSError):
            return False
        return True

    def _unusable(self, what: str) -> ExtractError:
        # What the store said is left out: it holds signed addresses and names of keys.
        return ExtractError(
            f"The landing {self.name} {what}; look at the bucket's name, the endpoint and the "
            "credentials in the cloud's usual environment variables (AWS_…, GOOGLE_…, AZURE_…)."
        )


def _entry_of_object(meta: "ObjectMeta") -> Entry:
    if meta["e_tag"]:
        return Entry(path=meta["path"], size=meta["size"], stamp=meta["e_tag"])
    written = int(meta["last_modified"].timestamp() * 1e9)
    return Entry(path=meta["path"], size=meta["size"], stamp=str(written), written_ns=written)


def is_hidden(path: str) -> bool:
    """True for what begins with `.` or `_`, and for whatever lies in a folder that does."""
    return any(part.startswith((".", "_")) for part in path.split("/"))
