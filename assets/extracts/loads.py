"""What a load is made of: its fixed circumstances, the files that it found, what it reports."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from assets.extracts.contracts import Contract
from assets.extracts.deliveries import Delivery, read_deliveries
from assets.extracts.inspection import Inspection
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import LandedFile, Landing
from assets.extracts.lookups import LookupFiles
from assets.extracts.profiles import ReadPlan
from assets.extracts.retention import read_horizon
from assets.extracts.staged import Staged


@dataclass(frozen=True, kw_only=True)
class RejectedRow:
    """A row in quarantine, for people to look at."""

    path: str
    line: int
    column_name: str | None
    rule: str
    reason: str
    raw_text: str

    @property
    def sentence(self) -> str:
        """Where it is and what is wrong with it."""
        return f"{self.path}, line {self.line}: {self.reason}."


@dataclass(frozen=True, kw_only=True)
class TableLoad:
    """What one call of `load_table` did.

    Rows are those of the files that were loaded now; rows_read = rows_loaded + rows_rejected +
    rows_duplicate. `formats` counts them by format and compression. `rows_in_table` are those of
    all deliveries. `is_landed` is False for a table of which nothing was ever loaded.
    """

    table: str
    mode: str
    files_new: int = 0
    files_already_loaded: int = 0
    files_refused: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    refusals: tuple[str, ...] = ()
    watermark_at: datetime | None = None
    rejected_sample: tuple[RejectedRow, ...] = ()
    new_delivery_ids: tuple[int, ...] = ()
    formats: Mapping[str, int] = field(default_factory=dict)
    rows_in_table: int = 0
    is_landed: bool = False


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file of the landing with what one look at it said, and when that look began.

    `content_hash` is what its rows are made of: its own content, and that of its lookups.
    """

    file: LandedFile
    inspection: Inspection
    content_hash: str
    looked_at_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A file that was turned down; `is_lasting` where the same content always will be."""

    found: Found
    reason: str
    is_lasting: bool = False


@dataclass(frozen=True, kw_only=True)
class Job:
    """A file to be read, and the delivery that it becomes or, read again, already is."""

    found: Found
    delivery: Delivery
    staged: Staged | None = None


@dataclass(frozen=True, kw_only=True)
class Load:
    """What stays the same through one call of `load_table`."""

    connection: duckdb.DuckDBPyConnection
    contract: Contract
    plan: ReadPlan
    landing: Landing
    known: KnownLog
    as_of: datetime
    run_id: str
    loaded_at: datetime
    time_zone: str
    shrink_limit: float
    batch_bytes: int
    clock_ns: Callable[[], int]
    say: Callable[[str], None]
    lookups: Mapping[str, LookupFiles] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """True where each file is the whole table."""
        return self.plan.mode == "full"

    @property
    def retained_from(self) -> datetime | None:
        """The first instant of which raw rows are kept; None where all are."""
        return read_horizon(self.connection, self.contract)

    def deliveries(self, *states: str) -> list[Delivery]:
        """The table's deliveries of some states, loaded by default, in the order of counting."""
        every = read_deliveries(self.connection, self.contract, states or ("loaded",))
        return sorted(every, key=lambda d: d.load_order)

    def ever_loaded(self) -> list[Delivery]:
        """The table's deliveries whose rows are or were in it."""
        return self.deliveries("loaded", "superseded")

    def newest(self) -> dict[str, Delivery]:
        """The newest version of each path whose rows are or were in the table."""
        return newest_by_path(self.ever_loaded())


def newest_by_path(deliveries: Sequence[Delivery]) -> dict[str, Delivery]:
    """The newest version of each path."""
    return {d.path: d for d in sorted(deliveries, key=lambda d: d.path_version)}
