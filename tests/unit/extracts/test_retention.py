"""Raw rows go once rollups keep what they said, and nothing that comes later opens their days."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest
from dagster_duckdb import DuckDBResource

from assets.extracts.assets import ExtractOptions, build_cuts_asset
from assets.extracts.contracts import load_contracts
from assets.extracts.deliveries import read_deliveries
from assets.extracts.retention import (
    apply_retention,
    cut_rows,
    find_retention_problems,
    read_horizon,
    read_retention,
    retained_from,
)
from assets.extracts.tables import prepare
from assets.releases.history import prepare_history

SEEDS = Path(__file__).parents[3] / "seeds"
EVENTS = load_contracts()["events.events"]
AS_OF = datetime(2025, 1, 1, tzinfo=UTC)
HORIZON = datetime(2023, 1, 1, tzinfo=UTC)


def apply(
    bench: Any,
    as_of: datetime = AS_OF,
    today: datetime = AS_OF,
    months: int = 24,
    *,
    is_finished: bool = True,
) -> int:
    """How many rows went, after a run that rolled up all of them."""
    prepare_history(bench.connection)
    if is_finished:
        bench.connection.execute(
            "insert into rollups.done select max(change_id), ?, false from landing.event_days",
            [as_of],
        )
    said = apply_retention(
        bench.connection,
        {"events.events": months},
        as_of=as_of,
        today=today,
        zone=ZoneInfo("UTC"),
    )
    return sum(cut.rows_cut for cut in said)


def more(file: str) -> str:
    """A file's rows without its header."""
    return file.partition("\n")[2]


@pytest.fixture
def cut(bench: Any, events: Any) -> Any:
    """Three files over three years, of which the oldest event was cut."""
    bench.write("events/events/old.csv", events("e1", day="2022-06-01"))
    bench.write("events/events/spare.csv", events("e2", day="2022-12-30"))
    bench.write("events/events/new.csv", events("e3", day="2024-12-01"))
    bench.load("events.events", AS_OF)
    assert apply(bench) == 1
    return bench


def test_what_is_older_goes_and_two_spare_days_stay(cut: Any) -> None:
    """A local day that is halved, since it begins before the UTC day of its name."""
    assert cut.rows("select event_id from events.events order by 1") == [("e2",), ("e3",)]
    assert cut.rows("select count(*) from landing.event_days") == [(2,)]
    assert read_horizon(cut.connection, EVENTS) == HORIZON


def test_a_second_time_changes_nothing(cut: Any) -> None:
    """A cut that goes further each time it is asked for, or books its rows twice."""
    before = cut.rows("from landing.cuts"), cut.rows("from landing.retention")
    assert apply(cut) == 0
    assert (cut.rows("from landing.cuts"), cut.rows("from landing.retention")) == before


def test_an_earlier_as_of_and_a_longer_retention_open_nothing(cut: Any) -> None:
    """A horizon that moves back, behind which rows would be taken whose days were cut."""
    assert apply(cut, as_of=datetime(2024, 1, 1, tzinfo=UTC)) == 0
    assert apply(cut, months=60) == 0
    assert read_horizon(cut.connection, EVENTS) == HORIZON


def test_what_no_rollup_has_seen_stays(bench: Any, events: Any) -> None:
    """Three years of history that are cut before anybody counted them, or of a run that died."""
    bench.write("events/events/old.csv", events("e1", day="2021-12-01"))
    bench.load("events.events", AS_OF)
    assert apply(bench, is_finished=False) == 0
    bench.connection.execute("insert into rollups.days_begun values ('a1', date '2021-12-01')")
    assert apply(bench) == 0
    bench.connection.execute("delete from rollups.days_begun")
    assert apply(bench) == 1


def test_a_run_for_a_day_far_ahead_cuts_no_more_than_one_for_today(cut: Any) -> None:
    """A mistyped as-of of 2205 that empties the raw table."""
    assert apply(cut, as_of=datetime(2205, 1, 1, tzinfo=UTC)) == 0
    assert cut.rows("select count(*) from events.events") == [(2,)]


def test_what_comes_too_late_is_set_aside_without_its_text(cut: Any, events: Any) -> None:
    """A late row that opens a day whose other rows have gone, or that is kept in quarantine."""
    cut.write("events/events/late.csv", events("e4", day="2022-12-31") + more(events("e5")))
    load = cut.load("events.events", AS_OF + timedelta(days=1))
    assert (load.rows_read, load.rows_loaded, load.rows_rejected) == (2, 1, 1)
    assert cut.rows("select rule, reason, raw_text, line from landing.quarantine") == [
        (
            "too_old",
            "occurred_at '2022-12-31T10:00:00Z' is older than retention, which begins 2023-01-01",
            "",
            2,
        )
    ]
    assert cut.rows("select min(first_at) from landing.event_days where change_id > 1") == [
        (datetime(2024, 12, 1, 10, tzinfo=UTC),)
    ]


def test_a_parquet_file_is_judged_in_the_same_way(cut: Any) -> None:
    """A rule that only text files keep: Parquet is staged as a view."""
    (cut.landing / "events/events").mkdir(parents=True, exist_ok=True)
    file = cut.landing / "events/events/late.parquet"
    cut.connection.execute(
        "copy (select 'e4' as event_id, 'a1' as account_id, 'use' as event_type, "
        f"timestamptz '2022-12-31' as occurred_at) to '{file}'"
    )
    load = cut.load("events.events", AS_OF + timedelta(days=1))
    assert (load.rows_loaded, load.rows_rejected) == (0, 1)
    assert [row.rule for row in load.rejected_sample] == ["too_old"]


def test_a_longer_history_may_still_land_where_nothing_was_cut(bench: Any, events: Any) -> None:
    """Two young deliveries that keep out the three years which land after them."""
    bench.write("events/events/new.csv", events("e1", day="2024-12-01"))
    bench.load("events.events", AS_OF)
    assert apply(bench) == 0
    bench.write("events/events/old.csv", events("e2", day="2021-12-01"))
    load = bench.load("events.events", AS_OF + timedelta(days=1))
    assert (load.rows_loaded, load.rows_rejected) == (1, 0)


def test_a_file_that_loses_a_duplicate_after_a_cut_still_adds_up(bench: Any, events: Any) -> None:
    """Rows that retention cut taken for rows that were lost: the load would stop for ever."""
    both = events("old", day="2022-06-01") + more(events("same"))
    bench.write("events/events/dt=2024-12-05/a.csv", both)
    bench.load("events.events", AS_OF)
    apply(bench)
    bench.write("events/events/dt=2024-12-04/b.csv", events("same"))
    bench.load("events.events", AS_OF + timedelta(days=1))
    counts = {
        d.path.rpartition("/")[2]: (d.rows_read, d.rows_loaded, d.rows_rejected, d.rows_duplicate)
        for d in read_deliveries(bench.connection, EVENTS)
    }
    assert counts == {"a.csv": (2, 1, 0, 1), "b.csv": (1, 1, 0, 0)}
    assert bench.rows("select count(*) from events.events") == [(1,)]


def test_a_file_that_changes_after_a_cut_is_read_under_it(cut: Any, events: Any) -> None:
    """A corrected file that brings back what was cut, or takes its rollups' days along."""
    cut.write("events/events/old.csv", events("e1", day="2022-06-01") + more(events("e6")))
    cut.load("events.events", AS_OF + timedelta(days=1))
    assert cut.rows("select event_id from events.events order by 1") == [("e2",), ("e3",), ("e6",)]
    assert cut.rows("select rows_cut from landing.cuts") == []
    first = cut.rows("select min(first_at) from landing.event_days where change_id > 1")
    assert first == [(datetime(2024, 12, 1, 10, tzinfo=UTC),)]


def test_the_step_cuts_what_the_seed_says_and_tells_it(tmp_path: Path, bench: Any) -> None:
    """A step that cuts and says nothing, or that reads another seed than the one in force."""
    file = str(tmp_path / "build.duckdb")
    with duckdb.connect(file) as connection:
        prepare(connection)
        prepare_history(connection)
        connection.execute(
            "insert into events.events by name select day as event_id, 'a' as account_id, "
            "day as occurred_at, 'use' as event_type, 1 as _delivery_id, 1 as _row "
            "from unnest([timestamptz '2022-06-01', timestamptz '2024-06-01']) as days (day)"
        )
    options = ExtractOptions(
        landing=bench.landing,
        home=tmp_path,
        profile=None,
        reporting_time_zone="UTC",
        shrink_limit=0.5,
        as_of=lambda _: AS_OF,
        now=lambda: AS_OF,
    )
    days = dg.DailyPartitionsDefinition(start_date="2024-12-01")
    done = dg.materialize(
        [build_cuts_asset(options, SEEDS, dg.AssetKey("release"), days)],
        partition_key="2024-12-31",
        resources={"build": DuckDBResource(database=file)},
        instance=dg.DagsterInstance.ephemeral(),
    )
    ((told,),) = ([event.materialization] for event in done.get_asset_materialization_events())
    assert told.metadata["rows_cut"].value == 1
    assert told.metadata["retained_from"].value == {"events.events": HORIZON.isoformat()}


def test_a_table_without_rollups_is_never_cut(bench: Any) -> None:
    """Accounts or invoices, whose rows nothing else remembers."""
    with pytest.raises(ValueError, match="no rollups"):
        cut_rows(bench.connection, load_contracts()["crm.accounts"], HORIZON)


def test_a_day_is_never_halved(bench: Any) -> None:
    """The log of days, which would name one whose rows are partly gone."""
    with pytest.raises(ValueError, match="first instant of a UTC day"):
        cut_rows(bench.connection, EVENTS, HORIZON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("as_of", "months", "zone", "first"),
    [
        ("2025-01-01T00:00Z", 24, "UTC", "2023-01-01"),
        ("2025-01-01T00:00Z", 24, "America/New_York", "2022-12-31"),
        ("2025-01-01T12:00Z", 24, "Europe/Berlin", "2022-12-31"),
        ("2025-03-31T12:00Z", 1, "UTC", "2025-02-28"),
        ("2025-12-31T12:00Z", 12, "UTC", "2024-12-31"),
        ("2024-02-29T12:00Z", 12, "UTC", "2023-02-28"),
    ],
)
def test_months_are_counted_from_the_as_of_day(
    as_of: str, months: int, zone: str, first: str
) -> None:
    """A month that drifts at its end, or a local day that is cut by UTC's."""
    found = retained_from(datetime.fromisoformat(as_of), months, ZoneInfo(zone))
    assert found == datetime.fromisoformat(f"{first}T00:00Z")


def test_the_shipped_seed_keeps_events_for_24_months() -> None:
    """Another default than the specification's."""
    assert find_retention_problems(SEEDS) == []
    assert read_retention(SEEDS) == {"events.events": 24}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "crm.accounts,24",
            "line 3, column table_name: 'crm.accounts' has no rollups; allowed: events",
        ),
        (
            "events.events,12",
            "line 3, column table_name: 'events.events' stands here more than once",
        ),
        ("events.events,0", "line 3, column months: '0' is not right"),
        ("events.events,", "line 3, column months: it is empty"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    """A typo that cuts another table, everything, or nothing, in silence."""
    (tmp_path / "retention.csv").write_text(f"table_name,months\nevents.events,24\n{row}\n")
    problems = [str(problem) for problem in find_retention_problems(tmp_path)]
    assert any(said in problem for problem in problems), problems
