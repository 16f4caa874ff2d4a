"""Every delivery is loaded exactly once, whatever happens in which order."""

import itertools
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.extracts import batches, loader
from assets.extracts.contracts import load_contracts
from assets.extracts.deliveries import read_deliveries

FIRST = datetime(2025, 1, 1, tzinfo=UTC)


def tallies(bench: Any, table: str = "events.events") -> list[tuple[int, ...]]:
    """What is booked of each loaded file, having held it against the rows that are there."""
    found = []
    for delivery in read_deliveries(bench.connection, load_contracts()[table]):
        if delivery.state != "loaded":
            continue
        there = bench.rows(
            f"select count(*) from {table} where _delivery_id = {delivery.delivery_id}"  # noqa: S608
        )
        assert there == [(delivery.rows_loaded,)]
        counts = (delivery.rows_loaded, delivery.rows_rejected, delivery.rows_duplicate)
        assert delivery.rows_read == sum(counts)
        found.append((delivery.rows_read, *counts))
    return found


def test_a_second_load_loads_nothing(bench: Any, events: Any) -> None:
    """Rows loaded again on every run."""
    bench.write("events/events/e.csv", events("e1", "e2"))
    first = bench.load("events.events")
    second = bench.load("events.events", FIRST + timedelta(days=1))
    assert (first.files_new, first.rows_loaded) == (1, 2)
    assert (second.files_new, second.files_already_loaded, second.rows_read) == (0, 1, 0)
    assert bench.rows("select count(*) from events.events") == [(2,)]


def test_a_copy_under_another_name_is_all_duplicates(bench: Any, events: Any) -> None:
    """An export that is sent twice doubling the use."""
    bench.write("events/events/a.csv", events("e1", "e2", "e2"))
    bench.write("events/events/b.csv", events("e1", "e2", "e2"))
    load = bench.load("events.events")
    assert (load.rows_read, load.rows_loaded, load.rows_duplicate) == (6, 2, 4)
    assert tallies(bench) == [(3, 2, 0, 1), (3, 0, 0, 3)]


def test_a_changed_file_takes_back_its_own_rows_only(bench: Any, events: Any) -> None:
    """A corrected file counted beside the one that it corrects, or taking others' rows along."""
    bench.write("events/events/a.csv", events("e1", "e2"))
    bench.write("events/events/b.csv", events("e2", "e3"))
    bench.load("events.events")
    assert tallies(bench) == [(2, 2, 0, 0), (2, 1, 0, 1)]
    bench.write("events/events/a.csv", events("e1", "e4"))
    load = bench.load("events.events", FIRST + timedelta(days=1))
    assert (load.files_new, load.rows_loaded) == (1, 2)
    assert bench.rows("select event_id from events.events order by 1") == [
        ("e1",), ("e2",), ("e3",), ("e4",),
    ]  # fmt: skip
    assert tallies(bench) == [(2, 2, 0, 0), (2, 2, 0, 0)]
    assert bench.rows("select state, count(*) from landing.deliveries group by 1 order by 1") == [
        ("loaded", 2), ("superseded", 1),
    ]  # fmt: skip


def test_two_changed_files_at_once_give_everything_back(bench: Any, events: Any) -> None:
    """A duplicate that was dropped for a row that is now gone, lost for good."""
    bench.write("events/events/a.csv", events("e1"))
    bench.write("events/events/b.csv", events("e1", "e2"))
    bench.write("events/events/c.csv", events("e1", "e2", "e3"))
    bench.load("events.events")
    bench.write("events/events/a.csv", events("x"))
    bench.write("events/events/b.csv", events("y"))
    bench.load("events.events", FIRST + timedelta(days=1))
    assert bench.rows("select event_id from events.events order by 1") == [
        ("e1",), ("e2",), ("e3",), ("x",), ("y",),
    ]  # fmt: skip
    assert sorted(tallies(bench)) == [(1, 1, 0, 0), (1, 1, 0, 0), (3, 3, 0, 0)]


def test_quarantine_follows_its_file(bench: Any, events: Any) -> None:
    """Rejects of a content that was replaced reported for ever."""
    bench.write("events/events/a.csv", events("e1", quantity="many"))
    bench.load("events.events")
    assert bench.rows("select count(*) from landing.quarantine") == [(1,)]
    bench.write("events/events/a.csv", events("e1"))
    bench.load("events.events", FIRST + timedelta(days=1))
    assert bench.rows("select count(*) from landing.quarantine") == [(0,)]


@pytest.mark.parametrize("batch_bytes", [1, 1 << 29])
def test_any_order_of_days_gives_equal_content(bench: Any, events: Any, batch_bytes: int) -> None:
    """A late file, or one row more per batch, changing what the table says."""
    days = {
        "2024-12-01": events("e1", "e2"),
        "2024-12-02": events("e2", "e3", quantity="2"),
        "2024-12-03": events("e1", "e4", "e4", quantity="3"),
    }
    contents = []
    for order in itertools.permutations(days):
        for log in bench.landing.glob(".csw/*"):
            log.unlink()
        for file in bench.landing.glob("events/events/*/*.csv"):
            file.unlink()
        bench.rebuild()
        for number, day in enumerate(order):
            bench.write(f"events/events/dt={day}/e.csv", days[day])
            bench.load("events.events", FIRST + timedelta(days=number), batch_bytes=batch_bytes)
        tallies(bench)
        contents.append(bench.content("events.events"))
        bench.rebuild()
        bench.load("events.events", FIRST + timedelta(days=400), batch_bytes=batch_bytes)
        contents.append(bench.content("events.events"))
    assert all(content == contents[0] for content in contents)
    assert [row[0] for row in contents[0]] == ["e1", "e2", "e3", "e4"]


def test_snapshots_a_b_a_end_at_a(bench: Any, accounts: Any) -> None:
    """A content that came back skipped, because it was loaded once before."""
    for day, tier in enumerate(["Basic", "Pro", "Basic", "Basic"]):
        bench.write("crm/accounts/a.csv", accounts("a1", tier=tier))
        load = bench.load("crm.accounts", FIRST + timedelta(days=day))
        assert load.files_new == (day < 3)
    assert bench.rows(
        "select tier, right(_load_order, 6) from crm.accounts "
        "order by _version_at nulls first, _load_order, _row"
    ) == [("Basic", "000001"), ("Pro", "000002"), ("Basic", "000003")]


def test_a_kill_before_the_commit_leaves_nothing(
    bench: Any, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows without a manifest row, or the other way round."""
    bench.write("events/events/a.csv", events("e1", "e2"))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batches, "count_rows", die)
        with pytest.raises(KeyboardInterrupt):
            bench.load("events.events")
    assert bench.rows("select count(*) from events.events") == [(0,)]
    assert bench.rows("select count(*) from landing.deliveries") == [(0,)]
    assert bench.load("events.events").rows_loaded == 2


def test_a_file_written_to_while_it_is_read_is_refused(
    bench: Any, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows booked under the hash of a content that they are not from."""
    file = bench.write("events/events/a.csv", events("e1"))
    original = batches.stage

    def slow(*args: Any, **kwargs: Any) -> Any:
        staged = original(*args, **kwargs)
        file.write_text(events("e1", "e2"))
        return staged

    with monkeypatch.context() as patch:
        patch.setattr(batches, "stage", slow)
        load = bench.load("events.events")
    assert load.refusals[0].startswith("events/events/a.csv: was written to while")
    assert bench.load("events.events").rows_loaded == 2


def test_random_corrections_end_where_one_load_of_the_last_files_ends(
    bench: Any, events: Any
) -> None:
    """Any sequence of corrections, copies and restarts drifting from the truth."""
    chance = random.Random(7)  # noqa: S311
    for step in range(25):
        name = chance.choice(["a", "b", "c", "d"])
        ids = [f"e{chance.randrange(8)}" for _ in range(chance.randrange(1, 6))]
        bench.write(f"events/events/{name}.csv", events(*ids))
        bench.load("events.events", FIRST + timedelta(days=step), batch_bytes=1)
        tallies(bench)
    before = bench.content("events.events")
    bench.rebuild()
    bench.load("events.events", FIRST + timedelta(days=900))
    assert bench.content("events.events") == before


def test_a_gained_column_is_added(bench: Any) -> None:
    """A build from before a contract's new column failing on its first load."""
    bench.connection.execute("alter table crm.accounts drop column tier")
    loader.prepare(bench.connection)
    assert bench.rows("select tier from crm.accounts") == []


@given(
    files=st.lists(
        st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4), min_size=1, max_size=4
    ),
    data=st.data(),
)
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_order_and_repetition_of_deliveries_gives_the_same_rows(
    bench: Any, events: Any, files: list[list[str]], data: st.DataObject
) -> None:
    """A row that depends on which file came first, or how often."""
    contents = []
    numbers = list(range(len(files)))
    repeated = data.draw(st.permutations(numbers + numbers[:1]))
    for order, batch_bytes in ((numbers, 1 << 20), (repeated, 1)):
        for old in [*bench.landing.glob("events/events/*/*"), *bench.landing.glob(".csw/*")]:
            old.unlink()
        bench.rebuild()
        for number in order:
            text = events(*files[number], quantity=str(number))
            bench.write(f"events/events/dt=2024-12-0{number + 1}/e.csv", text)
            bench.load("events.events", batch_bytes=batch_bytes)
        tallies(bench)
        contents.append(bench.content("events.events"))
    assert contents[0] == contents[1]
    assert {row[0] for row in contents[0]} == {i for ids in files for i in ids}


def test_two_loads_at_once_never_share_a_build(tmp_path: Path) -> None:
    """Two writers in one file: DuckDB refuses the second process, before it changes anything."""
    file = tmp_path / "build.duckdb"
    script = f"import duckdb; duckdb.connect({str(file)!r})"
    with duckdb.connect(str(file)):
        second = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
    assert second.returncode != 0
    assert "lock" in second.stderr


PARQUET_FILES = {
    "dt=2024-12-02/[a]*.parquet": {"event_id": ["1", "2", "2"]},
    "dt=2024-12-01/'b'.parquet": {"event_id": ["2", "3", ""]},
    "dt=2024-12-03/whole.parquet": {"event_id": [4, 3]},
    "dt=2024-12-04/placed.parquet": {"event_id": ["5", "1"], "file_index": [70, 80]},
    "dt=2024-12-05/empty.parquet": {"event_id": pl.Series([], dtype=pl.String)},
}


def test_parquet_files_alike_and_not_come_in_with_their_own_deliveries(
    bench: Any, events: Any
) -> None:
    """Files that are read by one statement and get each other's delivery, number or duplicates."""
    bench.write("events/events/dt=2024-11-01/first.csv", events("0", day="2024-11-01"))
    bench.load("events.events")
    for path, columns in PARQUET_FILES.items():
        file = bench.write(f"events/events/{path}", b"")
        frame = pl.DataFrame(columns)
        told = {"account_id": "a1", "occurred_at": "2024-12-01T10:00:00Z", "event_type": "use"}
        frame.with_columns(**{n: pl.lit(word) for n, word in told.items()}).write_parquet(file)
    loaded = bench.load("events.events")
    assert (loaded.rows_read, loaded.rows_rejected, loaded.rows_duplicate) == (10, 1, 4)
    assert bench.rows(
        "select deliveries.path[28:], _row, event_id, cast(_extras as varchar), day(_known_at) "
        "from events.events inner join landing.deliveries "
        "on events._delivery_id = deliveries.delivery_id where event_id > '0' order by all"
    ) == [
        ("/'b'.parquet", 1, "2", None, 2),
        ("/'b'.parquet", 2, "3", None, 2),
        ("/[a]*.parquet", 1, "1", None, 3),
        ("/placed.parquet", 1, "5", '{"file_index":"70"}', 5),
        ("/whole.parquet", 1, "4", None, 4),
    ]


def test_parquet_files_of_other_types_are_not_read_by_the_first_ones(bench: Any) -> None:
    """10.1234 of the second file came as 10.12, and an id past 32 bits failed the whole run."""
    told = {"account_id": "a1", "currency": "USD", "paid_at": "2024-12-01T10:00:00Z"}
    for path, payment, kind, amount in (
        ("a", pl.Series([1], dtype=pl.Int32), pl.Decimal(5, 2), "10.50"),
        ("b", pl.Series([2**40], dtype=pl.Int64), pl.Decimal(18, 4), "10.1234"),
    ):
        frame = pl.DataFrame({"payment_id": payment}).with_columns(
            amount=pl.lit(amount).cast(kind), **{n: pl.lit(word) for n, word in told.items()}
        )
        frame.write_parquet(bench.write(f"invoices/payments/{path}.parquet", b""))
    assert bench.load("invoices.payments").rows_rejected == 0
    assert bench.rows(
        "select payment_id, cast(amount as varchar) from invoices.payments order by all"
    ) == [("1", "10.5000"), (str(2**40), "10.1234")]
