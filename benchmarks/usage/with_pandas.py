"""The same rollups in pandas, everything in memory; DuckDB only reads the files for it.

python -m benchmarks.usage.with_pandas LANDING OUT AS_OF
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

GAP, CAP = 1_800_000_000, 43_200_000_000
VISIT = ["account_id", "actor_id", "day", "session_id"]
PEOPLE = """
select account_id, user_id from read_csv('{landing}/events/users/*/*.csv')
group by all having max_by(is_internal, updated_at)
"""
ACCOUNTS = """
select account_id from read_csv('{landing}/crm/accounts/*/*.csv')
group by all having not max_by(is_test, updated_at)
"""
EVENTS = """
select * exclude (received_at, attributes)
from read_parquet('{landing}/events/events/*/*.parquet', hive_partitioning = false)
where occurred_at < timestamptz '{as_of}'
"""


def main(landing: Path, out: Path, as_of: str) -> None:
    """Makes the rollups from the files; says the seconds."""
    out.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        events, accounts, internal = (
            connection.sql(query.format(landing=landing, as_of=as_of)).df()
            for query in (EVENTS, ACCOUNTS, PEOPLE)
        )
    loaded = time.perf_counter()
    timed = _timed(_named(events.drop_duplicates("event_id"), accounts, internal))
    tables = _rollups(timed)
    done, cpu = time.perf_counter(), time.process_time()
    with duckdb.connect() as connection:
        for table, rows in tables.items():
            connection.register("rows", rows)
            connection.execute(f"copy rows to '{out / table}.parquet'")
    parts = {"load": loaded - begun, "rollups": done - loaded}
    print(json.dumps(parts | {"cpu": cpu}))  # noqa: T201


def _named(events: pd.DataFrame, accounts: pd.DataFrame, internal: pd.DataFrame) -> pd.DataFrame:
    """Events that count, those of visitors under the user that they turned out to be."""
    ids = ["account_id", "anonymous_id"]
    events = events[events["account_id"].isin(accounts["account_id"])]
    # Before anything is moved: a colleague who signs in does not claim the visits before.
    strangers = events.merge(internal.assign(is_internal=True), how="left")["is_internal"].isna()
    events = events[strangers.to_numpy()]
    is_named = events["user_id"].notna() & events["anonymous_id"].notna()
    known = events.loc[is_named, [*ids, "user_id", "occurred_at"]].sort_values(
        ["occurred_at", "user_id"]
    )
    known = known.rename(columns={"user_id": "moved_to", "occurred_at": "identified_at"})
    known["occurred_at"] = known["identified_at"]
    is_visit = events["user_id"].isna() & events["anonymous_id"].notna()
    visits = events.loc[is_visit, [*ids, "event_id", "occurred_at"]].sort_values("occurred_at")
    moved = pd.merge_asof(
        visits, known, on="occurred_at", by=ids, direction="forward",
        tolerance=pd.Timedelta(days=30),
    )  # fmt: skip
    events = events.merge(moved[["event_id", "moved_to"]], on="event_id", how="left")
    events["user_id"] = events["user_id"].fillna(events["moved_to"])
    events = events.drop(columns="moved_to")
    names = ["package", "module", "feature"]
    events[names] = events[names].fillna("(none)")
    events["quantity"] = events["quantity"].fillna(1).astype("int64")
    events["actor_id"] = ("user " + events["user_id"]).fillna(
        ("anonymous " + events["anonymous_id"]).fillna("nameless")
    )
    events["day"] = events["occurred_at"].dt.floor("D")
    events["us"] = events["occurred_at"].astype("datetime64[us, UTC]").astype("int64")
    events["is_activity"] = ~events["event_type"].isin(["heartbeat", "identify"])
    return events


def _timed(events: pd.DataFrame) -> pd.DataFrame:
    """Sessions and the time that each event opens: in one order, by looking at the neighbours."""
    events = events.sort_values([*VISIT, "us", "event_id"], ignore_index=True)
    keys = events[VISIT].fillna("")
    is_same = (keys == keys.shift()).all(axis=1)
    gap = (events["us"].shift(-1) - events["us"]).fillna(0)
    split = events["session_id"].isna() & (gap.shift() >= GAP)
    is_start = ~is_same | split
    events["is_session_start"] = is_start
    events["session_number"] = is_start.cumsum()
    took = (events["duration_seconds"].clip(upper=43_200) * 1_000_000).astype("float64")
    opened = took.fillna(gap.where(~is_start.shift(-1, fill_value=True), 0)).astype("int64")
    session = opened.groupby(events["session_number"]).cumsum()
    events["active_us"] = session.clip(upper=CAP) - (session - opened).clip(upper=CAP)
    return events


def _sums(rows: pd.DataFrame, keys: list[str], **named: Any) -> pd.DataFrame:
    return rows.groupby(keys, dropna=False, sort=False).agg(**named).reset_index()


def _rollups(timed: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every table, by its name."""
    actor = ["account_id", "actor_id", "user_id"]
    features = _actor_feature_days(timed, [*actor, "package", "module", "feature", "day"])
    per_session = ["account_id", "day", "session_number"]
    sessions = _sums(timed, per_session, us=("active_us", "sum"))
    errors = timed[timed["is_unhandled"].fillna(value=False).astype(bool)]
    versions = ["app_version", "error_fingerprint"]
    errors = errors.assign(**{name: errors[name].fillna("(none)") for name in versions})
    return {
        "actor_feature_days": features,
        "actor_days": _actor_days(features.sort_values("last_device_at"), [*actor, "day"]),
        "module_days": _sums(
            features, [*actor, "module", "day"], is_used=("is_used", "any"),
            active_us=("active_us", "sum"), use_count=("use_count", "sum"),
        ),
        "session_days": _sums(
            sessions, ["account_id", "day"], session_count=("us", "size"),
            sessions_us=("us", "sum"), median_session_us=("us", "median"),
        ),
        "use_days": _sums(
            timed[timed["event_type"] == "use"], ["account_id", "module", "feature", "day"],
            use_count=("quantity", "sum"),
        ),
        "event_type_days": _sums(
            timed, [*actor, "event_type", "event_name", "day"],
            event_count=("event_id", "size"), quantity=("quantity", "sum"),
        ),
        "error_days": _sums(
            errors.sort_values("occurred_at"), [*actor, "package", *versions, "day"],
            occurrence_count=("quantity", "sum"), first_seen_at=("occurred_at", "min"),
            last_seen_at=("occurred_at", "max"), error_message=("error_message", "last"),
        ),
    }  # fmt: skip


def _actor_feature_days(timed: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    timed = timed.sort_values("occurred_at")
    active, start = timed["is_activity"], timed["is_session_start"]
    kinds = {name: timed["event_type"] == name for name in ("use", "login", "error")}
    device = active & timed["device"].notna()
    at, quantity = timed["occurred_at"], timed["quantity"]
    timed = timed.assign(
        is_used=kinds["use"], use_count=quantity.where(kinds["use"], 0),
        login_count=quantity.where(kinds["login"], 0),
        error_count=quantity.where(kinds["error"], 0), action_count=quantity.where(active, 0),
        login_at=at.where(kinds["login"]), session_at=at.where(start),
        activity_at=at.where(active), used_at=at.where(kinds["use"]),
        last_device=timed["device"].where(device), device_at=at.where(device),
    )  # fmt: skip
    return _sums(
        timed, keys, is_active=("is_activity", "any"), is_used=("is_used", "any"),
        active_us=("active_us", "sum"), use_count=("use_count", "sum"),
        login_count=("login_count", "sum"), error_count=("error_count", "sum"),
        action_count=("action_count", "sum"), event_count=("is_activity", "sum"),
        session_count=("is_session_start", "sum"), first_login_at=("login_at", "min"),
        last_login_at=("login_at", "max"), first_session_at=("session_at", "min"),
        last_session_at=("session_at", "max"), first_activity_at=("activity_at", "min"),
        last_activity_at=("activity_at", "max"), last_used_at=("used_at", "max"),
        last_device=("last_device", "last"), last_device_at=("device_at", "max"),
    )  # fmt: skip


def _actor_days(features: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    sums = ("active_us", "session_count", "login_count", "error_count", "action_count")
    said = {name: (name, "sum") for name in (*sums, "event_count")}
    said |= {f"first_{name}_at": (f"first_{name}_at", "min") for name in ("login", "session")}
    said |= {f"last_{name}_at": (f"last_{name}_at", "max") for name in ("login", "session")}
    return _sums(
        features, keys, is_active=("is_active", "any"), last_device=("last_device", "last"),
        first_activity_at=("first_activity_at", "min"),
        last_activity_at=("last_activity_at", "max"), **said,
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
