"""As-known metrics and health against their re-computation, and one back-fill against many runs."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from assets.releases.history import ReleaseRecord, append_shown
from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, land, open_build, read_rows, read_seed
from tests.recompute.deliveries import DAYS, FIRST_DAY, Folders, drawn_folders, seeded_folders
from tests.recompute.health import judge
from tests.recompute.metrics import Known, account_metrics_daily

Row = Mapping[str, Any]

MARTS = ("account_metrics_daily", "fct_account_health_daily", "fct_health_conditions_daily")
END = FIRST_DAY + timedelta(days=DAYS)
FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def health_warehouse(warehouse: Warehouse) -> Warehouse:
    """What the metrics and health are made from, and no more."""
    return warehouse.only(*MARTS)


@pytest.fixture(scope="module")
def kept_warehouse(warehouse: Warehouse) -> Warehouse:
    """The same, with what a run leaves to the next one."""
    return warehouse.only(*MARTS, "int_usage_rolled_up")


@pytest.mark.parametrize("seed", range(4))
def test_metrics_and_health_agree_on_a_big_landing(health_warehouse: Warehouse, seed: int) -> None:
    """Prevents a metric that knows too early, too late or never, and a health that misreads it.

    The plain rows are made from what was known at each day's end, day by day.
    """
    _assert_marts_agree(health_warehouse, seeded_folders(seed), END)


@pytest.mark.parametrize("seed", [21, 22])
def test_health_agrees_under_conditions_that_are_all_edges(
    health_warehouse: Warehouse, seed: int
) -> None:
    """Prevents a band, a share or a reason that is right for the seeds as they are and no others.

    Counts meet their edges all the time, weights are thirds and sevenths, inputs fade at once.
    """
    names = ("component", "metric", "direction", "lower_edge", "upper_edge", "weight", "days")
    told = (
        ("use", "mau", "higher", 1, 2, 1, 1),
        ("use", "active_days_30d", "higher", 2, 5, 1, 3),
        ("use", "modules_used_30d", "higher", 1, 2, 1, 40),
        ("trend", "use_count_change_ratio", "higher", -0.5, 0, 7, 10),
        ("support", "open_tickets", "lower", 1, 3, 3, 1),
        ("support", "urgent_open_tickets", "lower", 1, 2, 4, 1),
        ("contract", "mrr", "higher", 100, 300, 2, 1),
    )
    conditions = [
        {
            "condition": f"c{number}",
            "profile": "ongoing",
            **{name: str(value) for name, value in zip(names[:-1], row[:-1], strict=True)},
            "fresh_days": "0",
            "stale_days": "7",
            "minimum_history_days": str(row[-1]),
            "sentence": "",
        }
        for number, row in enumerate(told)
    ]
    _assert_marts_agree(health_warehouse, seeded_folders(seed), END, conditions)


def test_metrics_and_health_agree_inside_a_day(health_warehouse: Warehouse) -> None:
    """Prevents an as-of inside a day that adds a row for a day that isn't over."""
    _assert_marts_agree(health_warehouse, seeded_folders(7), END - timedelta(hours=11))


@FEW
@given(landed=drawn_folders())
def test_metrics_and_health_agree_on_small_landings(
    health_warehouse: Warehouse, landed: Folders
) -> None:
    """Prevents the same, with an example small enough to read when it fails."""
    _assert_marts_agree(health_warehouse, landed, FIRST_DAY + timedelta(days=50))


@pytest.mark.parametrize("seed", [7, 11])
def test_a_run_a_day_shows_what_one_back_fill_shows(kept_warehouse: Warehouse, seed: int) -> None:
    """Prevents history that depends on how often the job ran.

    Each run sees what had been delivered by then, makes anew what that touches, and appends its
    days to the history, which the next ones leave as it is; some days are skipped, and one run is
    as of noon.
    """
    landed = seeded_folders(seed)
    with closing(open_build()) as daily, closing(open_build()) as once:
        for number, as_of in enumerate(_instants()):
            _land_more(daily, landed, as_of)
            kept_warehouse.run_on(daily, as_of)
            _publish(daily, number, as_of)
        _land_new(once, landed, END)
        kept_warehouse.run_on(once, END)
        for name in MARTS:
            key = ["account_id", "day"] + (["condition"] if "conditions" in name else [])
            relation = f"{'accounts' if 'metrics' in name else 'health'}.{name}"
            assert_agree(read_rows(daily, relation), read_rows(once, relation), key)


def _instants() -> list[datetime]:
    """Two days running, a gap, a noon, a fortnight, and the end."""
    days = (1, 2, 3, 4, 5, 9, 9.5, 10, 11, 25, 26, 27, 41, 42, 60, DAYS)
    return [FIRST_DAY + timedelta(days=day) for day in days]


def _land_new(build: duckdb.DuckDBPyConnection, landed: Folders, as_of: datetime) -> None:
    for table in ("landing.deliveries", *landed.tables):
        build.execute(f"delete from {table}")  # noqa: S608 - names of our own tables
    there = landed.until(as_of)
    land(build, there.tables | {"landing.deliveries": there.deliveries})


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


def _publish(build: duckdb.DuckDBPyConnection, number: int, as_of: datetime) -> None:
    append_shown(
        build,
        ReleaseRecord(
            sequence=number,
            release_id=str(number),
            as_of=as_of,
            published_at=datetime(2024, 1, 1, tzinfo=UTC),
            code_version="",
            configuration_version="",
            last_delivery_id=0,
        ),
    )


def _assert_marts_agree(
    warehouse: Warehouse,
    landed: Folders,
    as_of: datetime,
    conditions: Sequence[Row] | None = None,
) -> None:
    conditions = conditions or _seed(warehouse, "health_conditions")
    known = Known(
        tables=landed.tables,
        deliveries=landed.deliveries,
        crm_words={
            w["crm_status"]: w["account_status"] for w in _seed(warehouse, "account_statuses")
        },
    )
    metrics = account_metrics_daily(known, as_of)
    with closing(open_build()) as build:
        _land_new(build, landed, as_of)
        warehouse.run(build, as_of, seeds={"health_conditions": conditions})
        shown = {name: read_rows(build, f"accounts.{name}") for name in MARTS[:1]}
        shown |= {name: read_rows(build, f"health.{name}") for name in MARTS[1:]}
        sources = {r["metric"]: r["source_name"] for r in read_rows(build, "meta.metric_registry")}
    assert_agree(shown["account_metrics_daily"], metrics, ["account_id", "day"])
    judged = judge(known, metrics, _seed(warehouse, "health_profiles")[0], conditions, sources)
    assert_agree(
        shown["fct_health_conditions_daily"], judged.conditions, ["account_id", "day", "condition"]
    )
    assert_agree(shown["fct_account_health_daily"], judged.daily, ["account_id", "day"])


def _seed(warehouse: Warehouse, name: str) -> Sequence[Row]:
    return read_seed(warehouse.seeds / f"{name}.csv")
