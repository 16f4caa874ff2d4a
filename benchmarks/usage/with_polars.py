"""The same rollups in Polars' streaming engine, month by month, since a session ends with its day.

python -m benchmarks.usage.with_polars LANDING OUT AS_OF
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

GAP, CAP = 1_800_000_000, 43_200_000_000
VISIT = ["account_id", "actor_id", "day", "session_id"]
QUANTITY, TIME = pl.col("quantity"), pl.col("occurred_at")
IS_USE, IS_LOGIN = pl.col("event_type").eq("use"), pl.col("event_type").eq("login")
IS_ACTIVITY, IS_START = pl.col("is_activity"), pl.col("is_session_start")
HAS_DEVICE = IS_ACTIVITY & pl.col("device").is_not_null()


def main(landing: Path, out: Path, as_of: str) -> None:
    """Makes the rollups from the files; says the seconds."""
    out.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    accounts, internal = _people(landing)
    events = pl.scan_parquet(landing / "events/events/*/*.parquet", hive_partitioning=False)
    identifications = (
        events.filter(pl.col("user_id").is_not_null() & pl.col("anonymous_id").is_not_null())
        .join(internal, on=["account_id", "user_id"], how="anti")
        .select("account_id", "anonymous_id", "user_id", identified_at="occurred_at")
        .collect(engine="streaming")
    )
    for first, last in _months(events, datetime.fromisoformat(as_of)):
        month = events.filter(TIME.is_between(first, last, closed="left")).unique("event_id")
        named = _named(month, accounts, internal, identifications)
        for table, rows in _rollups(_timed(named.collect(engine="streaming"))).items():
            rows.write_parquet(out / f"{table}-{first:%Y-%m}.parquet")
    rollups = time.perf_counter() - begun
    print(json.dumps({"load": 0.0, "rollups": rollups, "cpu": time.process_time()}))  # noqa: T201


def _people(landing: Path) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The accounts that count and the users that don't."""
    accounts = pl.concat(
        pl.read_csv(path, infer_schema=False) for path in landing.glob("crm/accounts/*/*.csv")
    )
    users = pl.concat(
        pl.read_csv(path, infer_schema=False) for path in landing.glob("events/users/*/*.csv")
    )
    return (
        accounts.sort("updated_at").unique("account_id", keep="last", maintain_order=True)
        .filter(pl.col("is_test") == "false").select("account_id").lazy(),
        users.sort("updated_at").unique(["account_id", "user_id"], keep="last", maintain_order=True)
        .filter(pl.col("is_internal") == "true").select("account_id", "user_id").lazy(),
    )  # fmt: skip


def _months(events: pl.LazyFrame, as_of: datetime) -> Iterator[tuple[datetime, datetime]]:
    first = events.select(TIME.min()).collect(engine="streaming").item()
    first = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while first < as_of:
        following = (first + timedelta(days=32)).replace(day=1)
        yield first, min(following, as_of)
        first = following


def _named(
    events: pl.LazyFrame, accounts: pl.LazyFrame, internal: pl.LazyFrame, known: pl.DataFrame
) -> pl.LazyFrame:
    """Events that count, those of visitors under the user that they turned out to be."""
    ids = ["account_id", "anonymous_id"]
    moved = (
        events.filter(pl.col("user_id").is_null() & pl.col("anonymous_id").is_not_null())
        .select(*ids, "event_id", "occurred_at")
        .join(known.lazy().rename({"user_id": "moved_to"}), on=ids)
        .filter(pl.col("identified_at").is_between(TIME, TIME + pl.duration(days=30)))
        .sort("identified_at", "moved_to")
        .unique("event_id", keep="first", maintain_order=True)
        .select("event_id", "moved_to")
    )
    user, visitor = pl.col("user_id"), pl.col("anonymous_id")
    return (
        events.join(accounts, on="account_id", how="semi")
        .join(moved, on="event_id", how="left")
        .with_columns(user_id=pl.coalesce("user_id", "moved_to"))
        .join(internal, on=["account_id", "user_id"], how="anti")
        .with_columns(
            pl.col("package", "module", "feature").fill_null("(none)"),
            QUANTITY.fill_null(1),
            actor_id=pl.coalesce(
                pl.lit("user ") + user, pl.lit("anonymous ") + visitor, pl.lit("nameless")
            ),
            day=TIME.dt.date(),
            us=TIME.dt.epoch("us"),
            is_activity=~pl.col("event_type").is_in(["heartbeat", "identify"]),
        )
        .drop("received_at", "attributes", "anonymous_id", "moved_to")
    )


def _timed(events: pl.DataFrame) -> pl.DataFrame:
    """Sessions and the time that each event opens: in one order, by looking at the neighbours."""
    is_same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in VISIT)
    gap = pl.col("us").shift(-1) - pl.col("us")
    took = (pl.col("duration_seconds").clip(upper_bound=43_200) * 1_000_000).cast(pl.Int64)
    run = pl.col("opened_us").cum_sum()
    before = (
        pl.when(IS_START).then(run - pl.col("opened_us")).otherwise(None).forward_fill()
    )  # what had run when the session began
    session_us = run - before
    return (
        events.sort(*VISIT, "us", "event_id")
        .with_columns(
            is_session_start=~is_same.fill_null(value=False)
            | (pl.col("session_id").is_null() & gap.shift().ge(GAP).fill_null(value=False))
        )
        .with_columns(
            opened_us=pl.coalesce(
                took, pl.when(IS_START.shift(-1).fill_null(value=True)).then(0).otherwise(gap)
            ),
            session_number=IS_START.cum_sum(),
        )
        .with_columns(session_us=session_us)
        .with_columns(
            active_us=pl.col("session_us").clip(upper_bound=CAP)
            - (pl.col("session_us") - pl.col("opened_us")).clip(upper_bound=CAP)
        )
    )


def _rollups(timed: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every table of a month, by its name."""
    features = _actor_feature_days(timed)
    sessions = timed.group_by("account_id", "day", "session_number").agg(pl.col("active_us").sum())
    length = pl.col("active_us")
    return {
        "actor_feature_days": features,
        "actor_days": _actor_days(features),
        "module_days": features.group_by(
            "account_id", "module", "actor_id", "user_id", "day"
        ).agg(pl.col("is_used").any(), pl.col("active_us", "use_count").sum()),
        "session_days": sessions.group_by("account_id", "day").agg(
            session_count=pl.len(), sessions_us=length.sum(), median_session_us=length.median()
        ),
        "use_days": timed.filter(IS_USE)
        .group_by("account_id", "module", "feature", "day")
        .agg(use_count=QUANTITY.sum()),
        "event_type_days": timed.group_by(
            "account_id", "actor_id", "user_id", "event_type", "event_name", "day"
        ).agg(event_count=pl.len(), quantity=QUANTITY.sum()),
        "error_days": timed.filter(pl.col("is_unhandled").fill_null(value=False))
        .group_by(
            "account_id", "actor_id", "user_id", "package",
            pl.col("app_version").fill_null("(none)"),
            pl.col("error_fingerprint").fill_null("(none)"), "day",
        )
        .agg(
            occurrence_count=QUANTITY.sum(), first_seen_at=TIME.min(), last_seen_at=TIME.max(),
            error_message=pl.col("error_message").max_by("occurred_at"),
        ),
    }  # fmt: skip


def _actor_feature_days(timed: pl.DataFrame) -> pl.DataFrame:
    keys = ("account_id", "actor_id", "user_id", "package", "module", "feature", "day")
    return timed.lazy().group_by(*keys).agg(
        is_active=IS_ACTIVITY.any(),
        is_used=IS_USE.any(),
        active_us=pl.col("active_us").sum(),
        use_count=QUANTITY.filter(IS_USE).sum(),
        login_count=QUANTITY.filter(IS_LOGIN).sum(),
        error_count=QUANTITY.filter(pl.col("event_type") == "error").sum(),
        action_count=QUANTITY.filter(IS_ACTIVITY).sum(),
        event_count=IS_ACTIVITY.sum(),
        session_count=IS_START.sum(),
        first_login_at=TIME.filter(IS_LOGIN).min(),
        last_login_at=TIME.filter(IS_LOGIN).max(),
        first_session_at=TIME.filter(IS_START).min(),
        last_session_at=TIME.filter(IS_START).max(),
        first_activity_at=TIME.filter(IS_ACTIVITY).min(),
        last_activity_at=TIME.filter(IS_ACTIVITY).max(),
        last_used_at=TIME.filter(IS_USE).max(),
        last_device=pl.col("device").filter(HAS_DEVICE).max_by(TIME.filter(HAS_DEVICE)),
        last_device_at=TIME.filter(HAS_DEVICE).max(),
    ).collect(engine="streaming")  # fmt: skip


def _actor_days(features: pl.DataFrame) -> pl.DataFrame:
    sums = ("active_us", "session_count", "login_count", "error_count", "action_count")
    return features.group_by("account_id", "actor_id", "user_id", "day").agg(
        pl.col("is_active").any(),
        pl.col(*sums, "event_count").sum(),
        pl.col("first_login_at", "first_session_at", "first_activity_at").min(),
        pl.col("last_login_at", "last_session_at", "last_activity_at").max(),
        pl.col("last_device").max_by("last_device_at"),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
