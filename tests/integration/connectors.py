"""A landing of vendors' files, loaded under a shipped profile, with what was set aside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.loader import TableLoad, load_table, prepare
from assets.extracts.profiles import load_profile

DATA = Path(__file__).parents[2].parent / "shared" / "data"
CONNECTORS = DATA / "connectors"
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="../shared/data is not beside the project"
)

Content = Path | str | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Landed:
    """What came of a landing: one load per table of the profile, and the raw tables."""

    connection: duckdb.DuckDBPyConnection
    loads: Mapping[str, TableLoad]

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query of the raw tables says."""
        return self.connection.execute(sql, list(values)).fetchall()

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Rows loaded, rejected and taken for duplicates, by table that had a file."""
        return {
            name: (load.rows_loaded, load.rows_rejected, load.rows_duplicate)
            for name, load in self.loads.items()
            if load.files_new or load.files_refused
        }

    def reasons(self, table: str) -> list[str]:
        """Why rows of a table were set aside."""
        return [row.reason for row in self.loads[table].rejected_sample]


def land(folder: Path, profile: str, files: Mapping[str, Content], *, more: str = "") -> Landed:
    """Lands files under a shipped profile, or one that extends it, and loads every table of it.

    Every load is checked to account for all rows that it read.

    Args:
        folder: an empty folder.
        profile: a shipped profile's name.
        files: by path in the landing a file to copy, the text itself, or objects, one per line.
        more: what the landing's own profile says beside `extends`.
    """
    landing = folder / "landing"
    for path, content in files.items():
        (landing / path).parent.mkdir(parents=True, exist_ok=True)
        (landing / path).write_bytes(_bytes(content))
    if more:
        (landing / "profile.yml").write_text(f"extends: {profile}\n{more}", encoding="utf-8")
    connection = duckdb.connect()
    prepare(connection)
    connection.execute("set TimeZone = 'UTC'")
    said = profile_for(open_landing(landing), None) if more else load_profile(profile)
    loads = {
        name: load_table(
            connection,
            contract=contract,
            profile=said,
            landing=open_landing(landing),
            as_of=AS_OF,
            known=KnownLog.beside(open_landing(landing), otherwise=folder / "home"),
            run_id="run",
            loaded_at=AS_OF,
        )
        for name, contract in load_contracts().items()
        if said.table(contract) is not None
    }
    for name, load in loads.items():
        accounted = load.rows_loaded + load.rows_rejected + load.rows_duplicate
        assert load.rows_read == accounted, name
    return Landed(connection=connection, loads=loads)


def _bytes(content: Content) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    if isinstance(content, str):
        return content.encode()
    return "".join(json.dumps(each) + "\n" for each in content).encode()
