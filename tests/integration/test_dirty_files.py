"""Files that somebody collected because they break readers: each loads right, or says why not."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml
import zstandard

from assets.extracts.contracts import load_contracts
from assets.extracts.errors import RefusedFileError
from assets.extracts.inspection import DELIMITERS, inspect
from assets.extracts.landing import LandedFile, find_files, open_landing
from assets.extracts.profiles import load_profile
from assets.extracts.reader import stage

DIRTY = Path(__file__).parents[3] / "shared" / "data" / "dirty"
pytestmark = pytest.mark.skipif(not DIRTY.is_dir(), reason="needs ../shared/data/dirty")
# Everything that a file says goes to the extras: what is compared is the whole row.
COLUMNS = {
    "account_id": {"row_hash": True},
    "account_name": {"constant": "any"},
    "created_at": {"constant": "2024-01-01"},
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file."""

    word: str
    why: str
    read: int = 0
    rejected: int = 0
    rows: tuple[dict[str, str | None], ...] = ()


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    made = duckdb.connect()
    made.execute("set TimeZone = 'UTC'")
    yield made
    made.close()


def read(
    connection: duckdb.DuckDBPyConnection, file: LandedFile, delimiter: str, folder: Path
) -> Outcome:
    """Reads one file as accounts whose every column is an extra one."""
    profile = folder / "profile.yml"
    tables = {"crm.accounts": {"files": "**", "columns": COLUMNS}}
    profile.write_text(yaml.safe_dump({"delimiter": delimiter, "tables": tables}))
    contract = load_contracts()["crm.accounts"]
    plan = load_profile(profile).table(contract)
    assert plan is not None
    plain = dict.fromkeys(set(contract.column_names) - set(COLUMNS))
    plan = plan.model_copy(update={"columns": plan.columns | plain})
    inspection = inspect(file)
    if inspection.refusal is not None:
        return Outcome(word="refused", why=inspection.refusal)
    try:
        staged = stage(
            connection,
            file=file,
            inspection=inspection,
            contract=contract,
            plan=plan,
            table="staged",
        )
    except RefusedFileError as error:
        return Outcome(word="refused", why=str(error))
    extras = connection.execute(
        "select _extras from staged where _broken is null order by rowid"
    ).fetchall()
    reasons = connection.execute(
        "select reason, line, raw_text from staged_rejects order by row_number"
    ).fetchall()
    assert all(reason and line >= 1 and text is not None for reason, line, text in reasons)
    return Outcome(
        word="quarantined" if staged.rows_rejected else "loaded",
        why=reasons[0][0] if reasons else "",
        read=staged.rows_read,
        rejected=staged.rows_rejected,
        rows=tuple(json.loads(said) if said else {} for (said,) in extras),
    )


def landed(path: Path, tmp_path: Path, number: int) -> LandedFile:
    """A file as if it had landed under its own name."""
    folder = tmp_path / str(number)
    folder.mkdir(parents=True)
    # Some names begin with a dot or hold signs of patterns: the content is what is tried.
    name = path.name.lstrip("._") or "file.csv"
    (folder / name).write_bytes(path.read_bytes())
    return find_files(open_landing(folder), "**")[0]


def as_text(value: Any) -> str | None:
    """A value as the extras have it: an empty text is nothing."""
    return None if value in (None, "") else str(value)


@pytest.mark.parametrize(
    "name", sorted(file.stem for file in (DIRTY / "csv-spectrum" / "csvs").glob("*.csv"))
)
def test_csv_spectrum_parses_to_what_its_json_says(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    """The set's authors say what each file means: quotes, newlines, empties, JSON in a cell."""
    file = landed(DIRTY / "csv-spectrum" / "csvs" / f"{name}.csv", tmp_path, 0)
    outcome = read(connection, file, ",", tmp_path)
    said = json.loads((DIRTY / "csv-spectrum" / "json" / f"{name}.json").read_text("utf-8"))
    wanted = [{key: as_text(value) for key, value in row.items()} for row in said]
    assert [{k: as_text(v) for k, v in row.items()} for row in outcome.rows] == wanted
    assert outcome.word == "loaded"


def test_no_file_of_the_duckdb_set_crashes_shifts_a_column_or_loses_a_row(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Each was made to break a reader. What loads is compared with Python's own csv module."""
    files = sorted(path for path in (DIRTY / "duckdb_csv").rglob("*") if path.is_file())
    tally: Counter[tuple[str, str]] = Counter()
    compared = 0
    for number, path in enumerate(files):
        file = landed(path, tmp_path, number)
        delimiter = likely_delimiter(path)
        outcome = read(connection, file, delimiter, tmp_path)
        assert outcome.read == outcome.rejected + len(outcome.rows), path
        assert outcome.word == "loaded" or outcome.why, path
        tally[outcome.word, kind_of(outcome.why, path)] += 1
        if outcome.word == "loaded" and file.format == "csv":
            assert same_as_python(path, delimiter, outcome), path
            compared += 1
    print_table(tally)
    assert sum(tally.values()) == len(files) >= 990
    assert compared > 500


def likely_delimiter(path: Path) -> str:
    """The commonest of the usual delimiters in the first line."""
    try:
        line = opened(path).split(b"\n", 1)[0].decode("utf-8", "replace")
    except (OSError, EOFError, zstandard.ZstdError):
        return ","
    return max(DELIMITERS, key=line.count)


def opened(path: Path) -> bytes:
    """The bytes of a file's text."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    return path.read_bytes()


def same_as_python(path: Path, delimiter: str, outcome: Outcome) -> bool:
    """True where Python's csv module reads the same rows; a reader of other people's making.

    Spaces around a quoted value are not part of it here, and are in Python: they don't count. A
    blank line is nothing, but in a file of one column, where it is an empty value.
    """
    csv.field_size_limit(1 << 30)
    text = opened(path).decode("utf-8-sig").splitlines(keepends=True)
    head, *body = csv.reader(text, delimiter=delimiter, skipinitialspace=True)
    names = [name.strip() or f"column_{n}" for n, name in enumerate(head, start=1)]
    rows = [row or [""] for row in body if row or len(names) == 1]
    wanted = [[as_text(cell.strip()) for cell in row[: len(names)]] for row in rows]
    found = [[as_text((row[name] or "").strip()) for name in names] for row in outcome.rows]
    return wanted == found


def kind_of(why: str, path: Path) -> str:
    """A reason without what differs from file to file."""
    words = [
        "empty (0 bytes)", "NUL byte", "not UTF-8", "is there twice", "blank where the header",
        "carriage returns alone", "cut off", "not a sound", "cannot be read as CSV",
        "header cannot be read", "is not read", "never closed", "after a closing quote",
        "fields where the header has", "carriage return stands inside", "longer than",
        "not JSON Lines", "not one JSON object", "holds JSON, but no object",
    ]  # fmt: skip
    return next((word for word in words if word in why), why.replace(path.name, "…")[:60])


def print_table(tally: Counter[tuple[str, str]]) -> None:
    """For people: `pytest -s` shows it."""
    print(f"\n{'outcome':<13}{'reason':<62}{'files':>6}")  # noqa: T201
    for (word, why), files in sorted(tally.items(), key=lambda item: (item[0][0], -item[1])):
        print(f"{word:<13}{why or 'every row as Python reads it':<62}{files:>6}")  # noqa: T201


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_naughty_string_survives_as_name_subject_and_id(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str
) -> None:
    """Emoji, right-to-left marks, SQL, script tags, and words that look like NULL are all text."""
    strings = json.loads((DIRTY / "blns" / "blns.json").read_text("utf-8"))
    assert len(strings) == 515
    frame = pl.DataFrame(
        {
            "ticket_id": strings,
            "account_id": [f"a{n}" for n in range(len(strings))],
            "subject": strings,
            "status": ["open"] * len(strings),
            "created_at": ["2024-01-01"] * len(strings),
        }
    )
    target = tmp_path / "landing" / "tickets" / "tickets" / f"a.{kind}"
    target.parent.mkdir(parents=True)
    if kind == "jsonl":
        target.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dicts()))
    else:
        (frame.write_csv if kind == "csv" else frame.write_parquet)(target)
    contract = load_contracts()["tickets.tickets"]
    plan = load_profile("canonical").table(contract)
    assert plan is not None
    file = find_files(open_landing(tmp_path / "landing"), "tickets/tickets/**")[0]
    inspection = inspect(file)
    assert inspection.refusal is None, inspection.refusal
    staged = stage(
        connection, file=file, inspection=inspection, contract=contract, plan=plan, table="staged"
    )
    number = staged.row_number
    found = connection.execute(
        f"select account_id, ticket_id, subject from staged where _broken is null order by {number}"  # noqa: S608
    ).fetchall()
    kept = [(f"a{n}", text, text) for n, text in enumerate(strings) if text.strip(" ")]
    assert found == kept
    rejects = connection.execute("select rule, column_name from staged_rejects").fetchall()
    assert rejects == [("required", "ticket_id")] * (len(strings) - len(kept))
    assert staged.rows_read == len(strings)
