"""What was read of files and waits to go in: of text in temporary tables, of Parquet in the files.

Files that are laid out alike are read by one statement: DuckDB reads many files on all its threads,
and one small file, or one branch of a union after the other, on one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assets.sql_text import quoted

RECORD = "coalesce(_record, rowid + 1)"
ROW = "coalesce(_row, rowid + 1)"
# The place of a row's file among those that a statement reads.
FILE = "_file"


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A Parquet file that is read where it lies, and how: the SQL that reads files alike.

    Files are alike whose `shape`, their types and that SQL without any file, is the same.
    """

    location: Path
    shape: str
    select: Callable[[Sequence[Path]], str]


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A file that was read: the temporary tables, or the view, of its rows and of those set aside.

    `file_columns` are the file's columns with their types, as a JSON object.
    """

    rows: str
    rejects: str
    rows_read: int
    rows_rejected: int
    file_columns: str | None = None
    scan: Scan | None = None

    @property
    def row_number(self) -> str:
        """The SQL of a row's number in its file; a view has no row ids, and knows its numbers."""
        return ROW if self.scan is None else "_row"


@dataclass(frozen=True, kw_only=True)
class Sheaf:
    """Deliveries whose rows one FROM reads, and the SQL of a row's number in its file."""

    deliveries: tuple[int, ...]
    relation: str
    row_number: str
    _place: str

    def each(self, kind: str) -> str:
        """The SQL of a value of the row's delivery; its `?` is the list of all, in their order."""
        return f"(?::{kind}[])[{self._place}]"


def sheaves(staged: Mapping[int, Staged]) -> Iterator[Sheaf]:
    """The deliveries, those together that one FROM can read."""
    alike: dict[str, dict[int, Scan]] = {}
    for number, file in staged.items():
        if file.scan is None:
            yield Sheaf(
                deliveries=(number,),
                relation=f"temp.{quoted(file.rows)}",
                row_number=file.row_number,
                _place="1",
            )
        else:
            alike.setdefault(file.scan.shape, {})[number] = file.scan
    for scans in alike.values():
        first, *_ = scans.values()
        yield Sheaf(
            deliveries=tuple(scans),
            relation=f"({first.select([scan.location for scan in scans.values()])})",
            row_number="_row",
            _place=f"{FILE} + 1",
        )
