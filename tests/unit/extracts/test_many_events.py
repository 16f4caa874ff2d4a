"""The large sample: the same rows every time, as many as asked for, one more day and no change."""

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.sampling.many import FIRST_DAY, write_many
from assets.extracts.sampling.many_dirt import odd_events
from assets.extracts.sampling.many_events import Pace, events_of
from assets.extracts.sampling.many_tables import TABLES
from assets.extracts.sampling.many_world import Size, make_world
from assets.extracts.sampling.sample import SampleError

EVENTS, DAYS = 20_000, 8


def _hashes(landing: Path) -> dict[str, str]:
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(landing.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "landing"
    write_many(folder, events=EVENTS, days=DAYS, messy=True)
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "clean"
    write_many(folder, events=EVENTS, days=7)
    return folder


def _regular(landing: Path) -> pl.DataFrame:
    files = sorted(landing.glob("events/events/*/events.parquet"))
    return pl.concat(pl.read_parquet(path, hive_partitioning=False) for path in files)


def _odd(landing: Path) -> pl.DataFrame:
    files = sorted(landing.glob("events/events/*/odd.csv"))
    read = [pl.read_csv(path, infer_schema=False) for path in files]
    return pl.concat(
        frame.with_columns(day=pl.lit(path.parent.name.removeprefix("dt=")))
        for frame, path in zip(read, files, strict=True)
    )


def test_a_day_more_touches_nothing_and_gives_what_one_call_gives(tmp_path: Path) -> None:
    """A draw that depends on threads, on the clock or on how many days are asked for."""
    once, grown = tmp_path / "once", tmp_path / "grown"
    write_many(once, events=3_000, days=4, more_days=2, messy=True)
    write_many(grown, events=3_000, days=4, messy=True, threads=1)
    before = _hashes(grown)
    written = write_many(grown, events=3_000, days=4, more_days=2, messy=True)
    after = _hashes(grown)
    assert {path: after[path] for path in before} == before
    assert after == _hashes(once)
    assert written.through == date(2024, 1, 6)
    assert 0.2 < written.events_written / 3_000 < 0.8


def test_other_arguments_in_the_same_landing_are_refused(clean: Path) -> None:
    """Two samples mixed in one folder: every number wrong and nothing to see."""
    with pytest.raises(SampleError, match="does not hold the sample events=1 days=7"):
        write_many(clean, events=1, days=7)


@pytest.mark.parametrize("name", ["clean", "messy"])
def test_there_are_as_many_events_as_were_asked_for(
    name: str, request: pytest.FixtureRequest
) -> None:
    """A benchmark of 100 million events that reads 90."""
    landing = request.getfixturevalue(name)
    odd = _odd(landing).height if name == "messy" else 0
    assert abs(_regular(landing).height + odd - EVENTS) < EVENTS / 100


def test_files_have_the_contracts_columns_in_their_types(clean: Path, messy: Path) -> None:
    """A sample that a contract moved on without, or whose times every load must parse as text."""
    events = load_contracts()["events.events"].column_names
    assert tuple(_regular(clean).columns) == events
    assert tuple(_odd(messy).drop("day").columns) == events
    assert _regular(clean).schema["occurred_at"] == pl.Datetime("us", "UTC")
    for name in TABLES:
        path = clean / name.replace(".", "/") / f"dt={FIRST_DAY}" / f"{name.split('.')[1]}.csv"
        contract = load_contracts()[name]
        rows = pl.read_csv(path, infer_schema=False)
        assert tuple(rows.columns) == contract.column_names
        assert rows.select(contract.key).is_unique().all()


def test_events_look_like_peoples_work(clean: Path) -> None:
    """A flat sample: every account as large as the next, no weekend, no visits, one module."""
    events = _regular(clean)
    assert events["event_id"].is_unique().all()
    kinds = {"login", "use", "error", "heartbeat", "identify", "custom"}
    assert set(events["event_type"]) == kinds
    days = dict(events.group_by(pl.col("occurred_at").dt.weekday()).len().iter_rows())
    assert days[7] < 0.5 * days[2]
    sizes = events.group_by("account_id").len()["len"].sort()
    assert sizes[-1] > 5 * sizes.median()  # type: ignore[operator]
    assert events["module"].n_unique() > 8
    assert events["package"].n_unique() > 3
    named = events.filter(pl.col("event_type") == "identify")
    assert named.select(pl.col("user_id", "anonymous_id").null_count()).sum_horizontal().item() == 0
    before = events.filter(pl.col("user_id").is_null())["anonymous_id"]
    assert set(named["anonymous_id"]) & set(before)
    errors = events.filter(pl.col("event_type") == "error")
    assert errors["error_fingerprint"].null_count() == 0
    assert set(errors["is_unhandled"]) == {True, False}


def test_users_work_in_sessions_and_only_while_they_are_users(clean: Path) -> None:
    """Gaps drawn apart from one another: no session, no time spent; use after the end."""
    events = _regular(clean).filter(pl.col("user_id").is_not_null()).sort("user_id", "occurred_at")
    gaps = events.select(
        pl.col("occurred_at").diff().over("user_id", pl.col("occurred_at").dt.date())
    ).to_series().dt.total_seconds()  # fmt: skip
    assert (gaps.drop_nulls() < 1_800).mean() > 0.8  # type: ignore[operator]
    assert 10 < gaps.drop_nulls().median() < 400  # type: ignore[operator]
    users = pl.concat(
        pl.read_csv(path, infer_schema=False) for path in clean.glob("events/users/*/users.csv")
    )
    assert set(events["user_id"]) <= set(users["user_id"])
    ended = users.filter(pl.col("deactivated_at").is_not_null())
    late = events.join(ended, on="user_id").filter(
        pl.col("occurred_at").dt.strftime("%Y-%m-%d") >= pl.col("deactivated_at").str.slice(0, 10)
    )
    assert ended.height > 10
    assert late.is_empty()


def test_a_messy_sample_has_every_kind_of_dirt(messy: Path) -> None:
    """A benchmark called messy that never meets what costs time: late rows, text, repetitions."""
    odd, regular = _odd(messy), _regular(messy)
    both = pl.concat([odd.select("event_id"), regular.select("event_id")])
    assert both["event_id"].is_duplicated().sum() > 20
    assert (regular["occurred_at"].diff().dt.total_seconds() < 0).sum() > 20
    day, at = pl.col("day").str.to_date(), pl.col("occurred_at").str.slice(0, 10)
    late = odd.select((day - at.str.to_date(strict=False)).dt.total_days()).to_series()
    assert {0, 1, 2, 5} <= set(late)
    assert late.max() > 1_900  # type: ignore[operator]
    assert late.min() < -300  # type: ignore[operator]
    assert odd["user_id"].str.starts_with("ghost-").any()
    assert (odd["user_id"] == "").any()
    assert odd["account_id"].str.starts_with("nobody-").any()
    offsets = set(odd["occurred_at"].str.extract(r"\d\d:\d\d:\d\d[.\d]*(.*)$"))
    assert {"Z", "+02:00", "-05:30", "+09", ""} <= offsets


def _planted(odd: pl.DataFrame) -> int:
    is_bad = (
        pl.col("account_id").is_null()
        | pl.col("occurred_at").str.starts_with("2026-02-31")
        | (pl.col("quantity") == "-3")
        | (pl.col("duration_seconds") == "a while")
    )
    return odd.filter(is_bad).height


def test_the_loader_takes_it_but_for_what_is_bad(messy: Path, bench: Any) -> None:
    """A sample whose rejects stop every release, or whose bad rows pass for good ones."""
    bench.landing.rmdir()
    bench.landing.symlink_to(messy)
    loaded = bench.load("events.events")
    odd, regular = _odd(messy), _regular(messy)
    ids = pl.concat([odd.select("event_id"), regular.select("event_id")])["event_id"]
    assert loaded.files_refused == 0
    assert loaded.rows_read == len(ids)
    assert loaded.rows_rejected == _planted(odd) > 2
    assert loaded.rows_rejected < 0.005 * loaded.rows_read
    assert loaded.rows_duplicate == len(ids) - ids.n_unique()
    for name in TABLES:
        assert bench.load(name).rows_rejected == 0


@pytest.fixture
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        make_world(connection, Size(seed=7, accounts=50, users=50, first_day=FIRST_DAY))
        yield connection


def test_a_delivery_brings_what_happened_forty_days_ago(world: duckdb.DuckDBPyConnection) -> None:
    """Late rows that are never delivered, so that nothing old is ever corrected."""
    pace = Pace(seed=7, first_day=FIRST_DAY, per_day=5_000)
    brought = world.execute(
        f"select count(*) from ({odd_events(pace, 41)}) "  # noqa: S608
        "where kind = 'late by 40 days' and event_id in "
        f"(select event_id from ({events_of(pace, 1)}))"
    ).fetchall()
    assert brought[0][0] > 3


def test_the_dice_of_two_salts_fall_apart(world: duckdb.DuckDBPyConnection) -> None:
    """Two attributes that go together in every row, since DuckDB's hashes of them do."""
    drawn = "select corr(share('a', i), share('b', i)) from range(10000) t(i)"
    assert abs(world.execute(drawn).fetchall()[0][0]) < 0.05
