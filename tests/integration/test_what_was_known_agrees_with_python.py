"""As-known and restated metrics against plain Python, and one back-fill against many runs."""

from contextlib import closing
from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import (
    Warehouse,
    land_anew,
    open_build,
    publish,
    read_rows,
    read_seed,
)
from tests.recompute.account_relations import related_folders
from tests.recompute.deliveries import DAYS, FIRST_DAY, Folders, drawn_folders
from tests.recompute.metrics import Known, account_metrics_daily, known_at_once, told_again

METRICS = ("account_metrics_daily", "account_metrics_daily_restated")
END = FIRST_DAY + timedelta(days=DAYS)
FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def metrics_warehouse(warehouse: Warehouse) -> Warehouse:
    """What the metrics are made from, and no more."""
    return warehouse.only(*METRICS)


@pytest.fixture(scope="module")
def kept_warehouse(warehouse: Warehouse) -> Warehouse:
    """The metrics with what a run leaves to the next one."""
    return warehouse.only(*METRICS, "int_usage_rolled_up")


@pytest.mark.parametrize("seed", range(5))
def test_metrics_agree_on_a_big_landing(metrics_warehouse: Warehouse, seed: int) -> None:
    """Prevents a metric that knows too early, too late or never.

    The plain rows are made from what was known at each day's end, day by day.
    """
    _assert_metrics_agree(metrics_warehouse, related_folders(seed), END)


@pytest.mark.parametrize("seed", [1, 3])
def test_restated_metrics_agree(metrics_warehouse: Warehouse, seed: int) -> None:
    """Prevents a trend over days that still miss what landed late, or hold what was taken back.

    The plain rows are those of a landing that was known as it happened. One that says everything
    once more on its last day makes no day later than it was.
    """
    landed = related_folders(seed).until(END)
    landed.tables.pop("crm.account_merges", None)
    with closing(open_build()) as build:
        _land_new(build, landed, END)
        metrics_warehouse.run(build, END)
        restated = read_rows(build, "accounts.account_metrics_daily_restated")
        _land_new(build, told_again(landed, END - timedelta(days=1)), END)
        metrics_warehouse.run(build, END)
        again = read_rows(build, "accounts.account_metrics_daily_restated")
    assert_agree(again, restated, ["account_id", "day"])
    plain = account_metrics_daily(_known(metrics_warehouse, known_at_once(landed, END)), END)
    days = {(row["account_id"], row["day"]) for row in plain}
    told = [row for row in restated if (row["account_id"], row["day"]) in days]
    assert_agree(told, plain, ["account_id", "day"])
    late = [row for row in restated if row["days_late"]]
    assert late
    assert max(row["days_late"] for row in late) <= DAYS


def test_metrics_agree_inside_a_day(metrics_warehouse: Warehouse) -> None:
    """Prevents an as-of inside a day that adds a row for a day that isn't over."""
    _assert_metrics_agree(metrics_warehouse, related_folders(7), END - timedelta(hours=11))


@FEW
@given(landed=drawn_folders())
def test_metrics_agree_on_small_landings(metrics_warehouse: Warehouse, landed: Folders) -> None:
    """Prevents the same, with an example small enough to read when it fails."""
    _assert_metrics_agree(metrics_warehouse, landed, FIRST_DAY + timedelta(days=50))


@pytest.mark.parametrize("seed", [7])
def test_a_run_a_day_shows_what_one_back_fill_shows(
    kept_warehouse: Warehouse, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents history that depends on how often the job ran.

    Each run sees what had been delivered by then, makes anew what that touches, and appends its
    days to the history, which the next ones leave as it is; some days are skipped, and one run is
    as of noon. The restated rows are kept too, up to the first month that reads otherwise.
    """
    shown, restated = (f"accounts.{mart}" for mart in METRICS)
    monkeypatch.setattr("assets.releases.history.SHOWN", {"account_metrics_daily": shown})
    landed = related_folders(seed)
    with closing(open_build()) as daily, closing(open_build()) as once:
        for number, as_of in enumerate(_instants()):
            _land_more(daily, landed, as_of)
            kept_warehouse.run_on(daily, as_of)
            publish(daily, number, as_of)
        _land_new(once, landed, END)
        kept_warehouse.run_on(once, END)
        for mart in (shown, restated):
            assert_agree(read_rows(daily, mart), read_rows(once, mart), ["account_id", "day"])


def _instants() -> list[datetime]:
    """Two days running, a gap, a noon, a fortnight, one day back, and the end."""
    days = (1, 2, 3, 4, 5, 9, 9.5, 10, 11, 25, 27, 26, 41, 42, 60, DAYS)
    return [FIRST_DAY + timedelta(days=day) for day in days]


def _land_new(build: duckdb.DuckDBPyConnection, landed: Folders, as_of: datetime) -> None:
    there = landed.until(as_of)
    land_anew(build, there.tables | {"landing.deliveries": there.deliveries})


def _land_more(build: duckdb.DuckDBPyConnection, landed: Folders, as_of: datetime) -> None:
    """The same, with only those days of events logged that the loader would have touched."""
    build.execute("create or replace temp table before as from events.events")
    (logged,) = build.execute("select max(change_id) from landing.event_days").fetchone() or (0,)
    _land_new(build, landed, as_of)
    build.execute(
        """
        delete from landing.event_days as logged
        where change_id > coalesce(?, 0) and not exists (
            from ((from events.events except from before) union all
                  (from before except from events.events)) as changed
            where changed.account_id = logged.account_id
                and date_trunc('day', changed.occurred_at) = date_trunc('day', logged.first_at)
        )
        """,
        [logged],
    )


def _assert_metrics_agree(warehouse: Warehouse, landed: Folders, as_of: datetime) -> None:
    with closing(open_build()) as build:
        _land_new(build, landed, as_of)
        warehouse.run(build, as_of)
        shown = read_rows(build, "accounts.account_metrics_daily")
    plain = account_metrics_daily(_known(warehouse, landed), as_of)
    assert_agree(shown, plain, ["account_id", "day"])


def _known(warehouse: Warehouse, landed: Folders) -> Known:
    words = read_seed(warehouse.seeds / "account_statuses.csv")
    return Known(
        tables=landed.tables,
        deliveries=landed.deliveries,
        crm_words={word["crm_status"]: word["account_status"] for word in words},
    )
