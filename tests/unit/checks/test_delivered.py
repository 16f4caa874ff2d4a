"""Great Expectations on the delivered batch: what it finds, and that it can be run at all."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing
from assets.extracts.loader import TableLoad, load_table, prepare
from assets.extracts.profiles import load_profile
from checks import buffered_duckdb, delivered
from checks.delivered import Verdict, judge_delivery

AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
TICKETS = load_contracts()["tickets.tickets"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    max_reject_share: float = 0.01
    max_rejects: int = 2
    memory_limit: str = "1GB"


def load(folder: Path, day: int, rows: list[str]) -> TableLoad:
    file = folder / f"landing/tickets/tickets/dt=2024-12-{day:02}/t.csv"
    file.parent.mkdir(parents=True)
    file.write_text("ticket_id,account_id,created_at,status,priority\n" + "\n".join(rows) + "\n")
    landing = open_landing(folder / "landing")
    with duckdb.connect(str(folder / "build.duckdb")) as connection:
        prepare(connection)
        return load_table(
            connection,
            contract=TICKETS,
            profile=load_profile("canonical"),
            landing=landing,
            as_of=AS_OF,
            known=KnownLog.beside(landing, otherwise=folder),
            run_id=f"run {day}",
            loaded_at=AS_OF,
        )


def judge(folder: Path, load: TableLoad) -> Verdict:
    return judge_delivery(
        folder / "build.duckdb",
        contract=TICKETS,
        delivery_ids=load.new_delivery_ids,
        limits=Limits(),
    )


def good(day: int, count: int = 150, status: str = "open", priority: str = "low") -> list[str]:
    return [f"t{day}-{n},a,2024-12-01,{status},{priority}" for n in range(count)]


def test_a_good_batch_has_no_findings_that_failed(tmp_path: Path) -> None:
    """An expectation that correct data breaks."""
    verdict = judge(tmp_path, load(tmp_path, 1, good(1)))
    assert verdict.errors == ()
    assert [f for f in verdict.findings if not f.success] == []
    assert [f.expectation for f in verdict.findings] == [
        "expect_table_row_count_to_be_between",
        "expect_table_columns_to_match_set",
        "expect_column_values_to_be_null",
    ]


def test_too_many_rejects_block_and_name_their_column(tmp_path: Path) -> None:
    """Rejected rows left out of what is judged, so that nothing ever fails."""
    bad = [f"b{n},a,never,open,low" for n in range(3)]
    verdict = judge(tmp_path, load(tmp_path, 1, good(1, 10) + bad))
    assert [(f.column, f.failed_rows, f.tested_rows) for f in verdict.failed("block")] == [
        (None, 3, 13),
        ("created_at", 3, 13),
    ]
    assert verdict.failed("block")[1].sentence == (
        "tickets.tickets: at most 1.00% or 2 of the rows are rejected for created_at: no "
        "(3 of 13 rows)."
    )


def test_rows_without_a_shape_block_and_say_so(tmp_path: Path) -> None:
    """Lines that no column can be blamed for, let through because none was."""
    verdict = judge(tmp_path, load(tmp_path, 1, [*good(1, 10), "x", "y", "z"]))
    assert [finding.sentence for finding in verdict.failed("block")] == [
        f"tickets.tickets: at most 1.00% or 2 of the rows are rejected{why}: no (3 of 13 rows)."
        for why in ("", " for shape")
    ]


def test_few_rejects_are_tolerated_and_counted(tmp_path: Path) -> None:
    """One bad row among many blocking a release."""
    verdict = judge(tmp_path, load(tmp_path, 1, [*good(1, 10), "b,a,never,open,low", "x"]))
    assert verdict.failed("block") == ()
    assert {f.column: f.failed_rows for f in verdict.findings if f.failed_rows} == {
        None: 1,
        "created_at": 1,
    }


def test_a_batch_is_counted_without_being_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """7.7 million events in Python's memory, to learn the names of their columns."""
    monkeypatch.setattr(buffered_duckdb, "_ENOUGH", 3)
    bad = [f"b{n},a,never,open,low" for n in range(30)]
    verdict = judge(tmp_path, load(tmp_path, 1, good(1) + bad))
    failed = {f.column: (f.failed_rows, f.tested_rows) for f in verdict.failed("block")}
    assert failed == {None: (30, 180), "created_at": (30, 180)}


def test_a_batch_is_compared_with_those_before_it(tmp_path: Path) -> None:
    """A source that quietly lost a column, a word or most of its rows."""
    for day in (1, 2, 3):
        load(tmp_path, day, good(day))
    verdict = judge(tmp_path, load(tmp_path, 4, good(4, 5, status="parked", priority="")))
    assert verdict.failed("block") == ()
    about, empty = "tickets.tickets: the batch", "tickets.tickets: priority is empty"
    assert [f.sentence for f in verdict.failed("warn")] == [
        f"{about} has about as many rows as the last loads (median 150): no (found 5).",
        f"{empty} about as often as in the batch before (0%): no (5 of 5 rows).",
    ]
    (new,) = verdict.failed("info")
    assert new.sentence == (
        "tickets.tickets: status has only values that were seen before: no "
        "(5 of 5 rows have a new value, such as parked)."
    )


def test_two_rows_are_not_compared_with_a_hundred(tmp_path: Path) -> None:
    """A warning each morning: of two new rows one has no priority, of those before every ninth."""
    before = [*good(1, 133), *[row.removesuffix("low") for row in good(2, 17)]]
    load(tmp_path, 1, before)
    two = load(tmp_path, 2, [*good(3, 1), *good(4, 1, priority="")])
    assert judge(tmp_path, two).failed("warn") == ()


def test_an_expectation_that_raised_is_an_error_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken check reported as broken data."""
    done = load(tmp_path, 1, good(1, 3))
    wrong = delivered._Expected(  # noqa: SLF001
        kind="ExpectColumnValuesToBeNull",
        arguments={"column": "nowhere"},
        column="nowhere",
        severity="block",
        says="nowhere is empty",
    )
    monkeypatch.setattr(delivered, "_expected", lambda *_: iter([wrong]))
    verdict = judge(tmp_path, done)
    assert (len(verdict.errors), verdict.failed("block")) == (1, ())
    assert verdict.errors[0].sentence.startswith(
        "tickets.tickets: could not judge whether nowhere is empty: "
    )


def test_nothing_is_printed_and_the_file_is_free_afterwards(tmp_path: Path) -> None:
    """Warnings and lists of leaked objects at exit, or a lock that stops the next step."""
    done = load(tmp_path, 1, good(1, 3))
    script = (
        "import sys, duckdb\nfrom pathlib import Path\nfrom types import SimpleNamespace\n"
        "from assets.extracts.contracts import load_contracts\n"
        "from checks.delivered import judge_delivery\n"
        "verdict = judge_delivery(Path(sys.argv[1]), contract=load_contracts()['tickets.tickets'],"
        f" delivery_ids={list(done.new_delivery_ids)},"
        " limits=SimpleNamespace(max_reject_share=0.01, max_rejects=1, memory_limit='1GB'))\n"
        "assert not verdict.errors and 'dagster' not in sys.modules\n"
        "duckdb.connect(sys.argv[1]).execute('create table free (a int)')\n"
    )
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "default", "-c", script, str(tmp_path / "build.duckdb")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
