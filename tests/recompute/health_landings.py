"""Random health seeds, overrides and the facts of each account day, for the re-computation.

What an account's day knew is read off the metrics' rows; use of one module, ages and watermarks
are counted anew from what landed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from tests.recompute.deliveries import Folders, seeded_folders
from tests.recompute.health_rules import Facts, Row, Rules
from tests.recompute.merges import of_survivors, survivors
from tests.recompute.metrics import Known, first_day_known, watermark_on
from tests.recompute.revenue import first_instant, local_day

ONE_DAY = timedelta(days=1)
SOURCES = ("crm", "events", "invoices", "tickets")
SCOPES = {"module": "module", "feature": "feature", "event": "event_name"}
CONDITION_COLUMNS = (
    "condition", "profile", "component", "kind", "metric", "scope", "direction", "lower_edge",
    "upper_edge", "weight", "fresh_days", "stale_days", "minimum_history_days", "sentence",
)  # fmt: skip
# Counts meet their edges all the time, weights are thirds and sevenths, inputs fade at once.
CONDITIONS = """
c1,ongoing,use,bands,mau,,higher,1,2,1,0,7,1,
c2,ongoing,use,linear,active_days_30d,,higher,1,8,1,0,7,3,
c3,ongoing,use,bands,modules_used_30d,,higher,1,2,1,0,7,40,
c4,ongoing,trend,linear,use_count_change_ratio,,higher,-0.5,0.5,7,0,7,10,
c5,ongoing,support,bands,open_tickets,,lower,1,3,3,0,7,1,
c6,ongoing,support,linear,urgent_open_tickets,,lower,0,3,4,0,7,1,
c7,ongoing,contract,bands,mrr,,higher,100,300,2,0,7,1,
c8,ongoing,depth,any_of,,,higher,1,3,2,1,5,1,
c0,ongoing,exposure,bands,active_user_ratio,,lower,0.5,1,0,0,3,90,
d1,young,use,bands,active_days_30d,,higher,1,3,2,0,7,1,
d2,young,use,any_of,,,lower,2,4,3,0,7,1,
d3,young,support,bands,open_tickets,,lower,1,2,2,0,9,1,
e1,ruled,use,bands,use_count_14d,module:Alpha,higher,1,3,2,0,7,1,
e2,ruled,support,bands,open_tickets,,lower,1,2,1,0,9,1,
e3,ruled,use,linear,days_since_last_activity,,lower,1,9,1,0,9,1,
e4,ruled,use,bands,use_count_30d,event:shared,higher,1,4,1,0,7,1,
"""
PARTS = """
c8,1,use_count_14d,module:Alpha
c8,2,days_used_7d,module:Beta
c8,3,modules_used_30d,
c8,4,use_count_7d,feature:Draw
d2,1,days_since_last_activity,
d2,2,urgent_open_tickets,
"""
PROFILES = """
young,1,score,70,40,0.5,
ruled,2,rule,70,40,0.4,
ongoing,3,score,60,30,0.5,
"""
FILTERS = """
young,age_days,at_most,25
young,account_status,in,customer|trial|lead
ruled,open_tickets,at_least,3
ruled,account_status,is_not,trial
"""
THRESHOLDS = """
c1,30,2,3
c1,50,1,1
c7,60,50,400
d3,10,2,3
"""
CAPS = """
two_urgent,urgent_open_tickets,,above,1,40,
one_urgent,urgent_open_tickets,,at_least,1,55,
unused,use_count_14d,module:Alpha,below,1,70,
"""


def named_folders(seed: int) -> Folders:
    """The folders of a seed, in which some events have a name."""
    landed = seeded_folders(seed)
    for number, row in enumerate(landed.tables["events.events"]):
        row["event_name"] = ("shared", "opened", None)[number % 3]
    return landed


def rows_of(text: str, columns: Sequence[str]) -> list[dict[str, str | None]]:
    """The rows of a seed without its header; an empty cell is None."""
    return [
        {name: cell or None for name, cell in zip(columns, line.split(","), strict=True)}
        for line in text.split()
    ]


def edgy_seeds() -> dict[str, list[dict[str, str | None]]]:
    """Health seeds in which everything happens: three profiles, each kind, ages and caps."""
    return {
        "health_profiles": rows_of(
            PROFILES,
            ("profile", "position", "judged_by", "good_from", "average_from",
             "minimum_coverage", "description"),
        ),
        "health_profile_filters": rows_of(FILTERS, ("profile", "attribute", "operator", "value")),
        "health_conditions": rows_of(CONDITIONS, CONDITION_COLUMNS),
        "health_condition_parts": rows_of(PARTS, ("condition", "part", "metric", "scope")),
        "health_condition_thresholds": rows_of(
            THRESHOLDS, ("condition", "min_age_days", "lower_edge", "upper_edge")
        ),
        "health_caps": rows_of(
            CAPS, ("cap", "metric", "scope", "operator", "value", "score", "sentence")
        ),
    }  # fmt: skip


def edited_seeds() -> dict[str, list[dict[str, str | None]]]:
    """The same after an edit: other weights and edges, one condition gone, one new, no cap."""
    seeds = edgy_seeds()
    conditions = [c for c in seeds["health_conditions"] if c["condition"] != "c6"]
    for number, row in enumerate(conditions):
        row["weight"] = str(1 + number * number % 7)
        if row["condition"] in ("c2", "c5", "e1"):
            row["upper_edge"] = "4"
    new = dict(conditions[0]) | {"condition": "c9", "metric": "use_count_30d", "weight": "3"}
    caps = [row | {"score": "65"} for row in seeds["health_caps"]]
    return seeds | {"health_conditions": [*conditions, new], "health_caps": caps}


def rules_of(seeds: Mapping[str, Sequence[Row]], version: str = "v1") -> Rules:
    """The same as rules."""
    return Rules(
        version=version,
        profiles=seeds["health_profiles"],
        filters=seeds["health_profile_filters"],
        conditions=seeds["health_conditions"],
        parts=seeds["health_condition_parts"],
        thresholds=seeds["health_condition_thresholds"],
        caps=seeds["health_caps"],
    )


def pairs_of(*seeds: Mapping[str, Sequence[Row]]) -> set[tuple[str, str]]:
    """The metrics with a scope that seeds name."""
    files = ("health_conditions", "health_condition_parts", "health_caps")
    return {
        (row["metric"], row["scope"])
        for one in seeds
        for name in files
        for row in one[name]
        if row["scope"]
    }


def facts_of(known: Known, metrics: Sequence[Row], pairs: set[tuple[str, str]]) -> Iterator[Facts]:
    """What each account day knew, from the metrics' rows and from what landed."""
    for row in metrics:
        day: date = row["day"]
        account = row["account_id"]
        instant = first_instant(day + ONE_DAY, known.zone)
        company = next(
            (a for a in known.at(instant).tables["crm.accounts"] if a["account_id"] == account), {}
        )
        watermarks = {source: watermark_on(known, source, day) for source in SOURCES}
        names = ("tier", "region", "country", "industry", "product_line", "size_band")
        yield Facts(
            account_id=account,
            day=day,
            numbers={k: v for k, v in row.items() if k not in ("account_id", "day")},
            scoped={pair: _scoped(known, account, day, *pair) for pair in pairs},
            words={name: company.get(name) for name in (*names, "lifecycle_stage")}
            | {"account_status": row["account_status"], "crm_status": company.get("status")},
            age=(day - first_day_known(known, account, instant)).days + 1,
            stale={s: (day - at).days for s, at in watermarks.items() if at is not None},
        )


def _scoped(known: Known, account: str, day: date, metric: str, scope: str) -> int | None:
    """Use of one thing over the days that the metric's name says; None before events landed.

    A module or feature is used by `use` events; an event's name counts whatever its type.
    """
    if watermark_on(known, "events", day) is None:
        return None
    world = known.at(first_instant(day + ONE_DAY, known.zone))
    kind, window = metric.rsplit("_", 1)
    column, _, name = scope.partition(":")
    internal = {
        (u["account_id"], u["user_id"])
        for u in world.tables["events.users"]
        if u.get("is_internal")
    }
    uses = [
        (local_day(e["occurred_at"], known.zone), e)
        for e in world.events
        if e["account_id"] == account
        and (column == "event" or e["event_type"] == "use")
        and e.get(SCOPES[column]) == name
        and (account, e.get("user_id")) not in internal
    ]
    recent = [(at, e) for at, e in uses if at > day - timedelta(days=int(window[:-1]))]
    if kind == "days_used":
        return len({at for at, _ in recent})
    return sum(1 if e.get("quantity") is None else e["quantity"] for _, e in recent)


def override_in_force(
    known: Known, rows: Sequence[Mapping[str, Any]], account: str, day: date
) -> Row | None:
    """The override known at a day's end that holds on it; of several the one that began later.

    What was set for an account counts for the one that it was merged into.
    """
    end = first_instant(day + ONE_DAY, known.zone)
    world = known.at(end)
    merges = world.tables["crm.account_merges"]
    who = survivors(merges, {a["account_id"] for a in world.tables["crm.accounts"]})
    latest = {
        (row["account_id"], row["starts_on"]): row
        for row in rows
        if row["_known_at"] is None or row["_known_at"] <= end
    }
    holding = [
        row
        for row in of_survivors(list(latest.values()), who)
        if row["account_id"] == account
        and row["starts_on"] <= day <= row["expires_on"]
        # One that sets neither is none.
        and (row["score"] is not None or row["state"] is not None)
    ]
    return max(holding, key=lambda r: r["starts_on"], default=None)
