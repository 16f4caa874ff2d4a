"""What a load is made of: its fixed circumstances, the files that it found, what it reports."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from assets.extracts.contracts import Contract
from assets.extracts.deliveries import Delivery, read_deliveries
from assets.extracts.inspection import Inspection
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import LandedFile
from assets.extracts.profiles import ReadPlan
from assets.extracts.rejects import Staged


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
    rows_duplicate. `is_landed` is False for a table of which nothing was ever loaded.
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
    is_landed: bool = False


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file of the landing with what one look at it said."""

    file: LandedFile
    inspection: Inspection


Refusal = tuple[Found, str]


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
    known: KnownLog
    as_of: datetime
    run_id: str
    loaded_at: datetime
    time_zone: str
    shrink_limit: float
    batch_bytes: int

    @property
    def is_full(self) -> bool:
        """True where each file is the whole table."""
        return self.plan.mode == "full"

    def deliveries(self, state: str = "loaded") -> list[Delivery]:
        """The table's deliveries of one state, in the order in which they count."""
        every = read_deliveries(self.connection, self.contract)
        return sorted((d for d in every if d.state == state), key=lambda d: d.load_order)

    def ever_loaded(self) -> list[Delivery]:
        """The table's deliveries whose rows are or were in it."""
        return [*self.deliveries("loaded"), *self.deliveries("superseded")]
