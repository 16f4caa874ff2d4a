"""Random rows of the marts that the KPIs are made from: accounts on every edge of every formula.

What health, metrics and renewals themselves are is proved elsewhere; here they are any values that
they could have, so that a hundred accounts meet what three landed ones never would.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from tests.recompute.dice import Dice, SeededDice

Row = Mapping[str, Any]

TODAY = date(2026, 6, 21)
AS_OF = datetime(2026, 6, 21, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
LAST = TODAY - ONE_DAY
HISTORY = 24
LONG_AGO, FOR_EVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
CONDITIONS = ("c1", "c2", "c3", "c4")
SCORES = (0, 10, 30, 40, 49.999999, 60, 74.999999, 75, 88.5, 100)
RENEWAL_SETTINGS = {
    "health_points": 50, "slope_points": 20, "slope_from": -5, "slope_to": -15,
    "overdue_points": 15, "overdue_days": 30, "touch_points": 15, "touch_days": 45,
    "near_days": 90, "far_days": 180, "far_share": 0.5, "medium_from": 35, "high_from": 60,
}  # fmt: skip
EXPANSION_SETTINGS = {
    "health_points": 40, "score_from": 75, "limit_points": 35, "limit_ratio": 0.8,
    "people_points": 25, "contacts_from": 3, "departments_from": 2, "flagged_from": 60,
}  # fmt: skip
VALUE_EVENTS = (
    {"value_event": "any_module", "kind": "module", "name": "*"},
    {"value_event": "a_drawing", "kind": "feature", "name": "Draw"},
    {"value_event": "an_invitation", "kind": "event", "name": "invited"},
)
FEATURES = (("Alpha", "Draw"), ("Alpha", "Share"), ("Beta", "Draw"), ("Beta", "Lift"))
SENTENCES = {name: f"{name} is {{value}}, from {{lower}} to {{upper}}" for name in CONDITIONS}
METRICS = {"c1": "mau", "c2": "active_user_ratio", "c3": "open_tickets", "c4": "use_count_7d"}


@dataclass(kw_only=True)
class World:
    """Rows by relation, as the marts of the KPIs read them, and the seeds."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seeds: dict[str, Sequence[Row]] = field(default_factory=dict)
    by_account: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    granted_from: datetime = AS_OF - 40 * ONE_DAY

    def rows(self, relation: str) -> list[dict[str, Any]]:
        """The rows of a relation."""
        return self.tables.setdefault(relation, [])

    def own(self, relation: str, account: str) -> Sequence[Row]:
        """An account's rows of a relation, once all rows are there."""
        if relation not in self.by_account:
            self.by_account[relation] = {}
            for row in self.rows(relation):
                self.by_account[relation].setdefault(row["account_id"], []).append(row)
        return self.by_account[relation].get(account, [])

    def on(self, relation: str, account: str, day: date) -> Row:
        """Its row of a day, or nothing."""
        return next((row for row in self.own(relation, account) if row["day"] == day), {})


def kpi_world(seed: int, *, accounts: int = 100) -> World:
    """As many accounts; the same seed, the same rows."""
    dice = SeededDice(np.random.default_rng(seed))
    # Of even seeds the first entitlement lands in the midst of the days.
    landed = AS_OF - (9 if seed % 2 == 0 else 40) * ONE_DAY
    world = World(seeds=_seeds(), granted_from=landed)
    for number in range(accounts):
        _account(dice, world, f"a{number:03}")
    _limits(dice, world, accounts)
    _catalogue(world)
    return world


def _seeds() -> dict[str, Sequence[Row]]:
    conditions = [
        {
            "condition": name, "profile": "ongoing", "component": "use", "kind": "bands",
            "metric": METRICS[name], "scope": "module:Alpha" if name == "c4" else None,
            "direction": "higher", "lower_edge": 1, "upper_edge": 2, "weight": 1,
            "fresh_days": 1, "stale_days": 9, "minimum_history_days": 1,
            "sentence": SENTENCES[name],
        }
        for name in CONDITIONS
    ]  # fmt: skip
    return {
        "value_events": VALUE_EVENTS,
        "renewal_risk_settings": _settings(RENEWAL_SETTINGS),
        "expansion_settings": _settings(EXPANSION_SETTINGS),
        "health_conditions": conditions,
        "health_condition_parts": [
            {"condition": "c1", "part": 1, "metric": "arr", "scope": None},
            {"condition": "c1", "part": 2, "metric": "use_count_14d", "scope": "module:Alpha"},
        ],
        "health_caps": [
            {
                "cap": "many_open", "metric": "open_tickets", "scope": None, "operator": "above",
                "value": 3, "score": 40, "sentence": "{value} tickets open: {score} at most",
            }
        ],
    }  # fmt: skip


def _settings(numbers: Mapping[str, float]) -> list[Row]:
    return [{"setting": name, "value": value, "description": ""} for name, value in numbers.items()]


def _account(dice: Dice, world: World, name: str) -> None:
    created = TODAY - dice.pick((0, 1, 10, 40, 45, 90, 200)) * ONE_DAY
    began = created + dice.pick((0, 3, 20)) * ONE_DAY
    world.rows("accounts.dim_accounts").append(
        {
            "account_id": name,
            "account_name": name,
            "is_test": dice.pick((False,) * 9 + (True,)),
            "is_lead": dice.pick((False,) * 9 + (True,)),
            "tier": dice.pick(("Pro", "Pro", " ", None)),
            "size_band": dice.pick(("S", "S", "L", None)),
            "created_on": created,
            "onboarding_started_at": dice.pick((None, None, _midnight(began) + ONE_DAY / 2)),
        }
    )
    world.rows("intermediate.int_companies_known").append(
        {
            "account_id": name,
            "is_lead": False,
            "created_at": _midnight(dice.pick((created, created, LAST, TODAY))),
            "onboarding_started_at": dice.pick((None, _midnight(began), _midnight(LAST))),
            "tier": world.rows("accounts.dim_accounts")[-1]["tier"],
            "size_band": dice.pick(("S", "S", "L", None)),
            "known_from": _midnight(dice.pick((date(1900, 1, 1), TODAY - 9 * ONE_DAY))),
            "known_until": dice.pick((datetime(9999, 12, 31, tzinfo=UTC), _midnight(LAST))),
        }
    )
    _value(dice, world, name, created)
    world.rows("intermediate.int_account_first_days").extend(
        {"account_id": name, "known_day": TODAY - back * ONE_DAY, "first_day": first}
        for back, first in ((HISTORY, TODAY - HISTORY * ONE_DAY), (5, dice.pick((created, LAST))))
        if back == HISTORY or first < TODAY - HISTORY * ONE_DAY
    )
    gone = dice.pick((range(0), range(3, 16)))  # a week without a row
    for back in sorted({*range(1, HISTORY + 1)} - {*gone}, reverse=True):
        _day(dice, world, name, TODAY - back * ONE_DAY)
    _renewals(dice, world, name)
    _movements(dice, world, name)
    _features(dice, world, name)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _known_days(dice: Dice, day: date) -> dict[str, date]:
    """A day, and the first daily row that may tell of it."""
    return {"day": day, "first_day": day + dice.pick((0, 0, 3)) * ONE_DAY}


def _known(dice: Dice) -> dict[str, datetime]:
    """Since when, and till when, a version was the latest known."""
    return {
        "known_from": dice.pick((LONG_AGO, LONG_AGO, AS_OF - 9 * ONE_DAY)),
        "known_until": dice.pick((FOR_EVER, FOR_EVER, AS_OF - 3 * ONE_DAY)),
    }


def _value(dice: Dice, world: World, name: str, created: date) -> None:
    """What may be its first value, on days around its start; some of it tomorrow."""
    for _ in range(dice.pick((0, 1, 3))):
        world.rows("intermediate.int_use_days").append(
            {
                "account_id": name,
                "module": dice.pick(("Alpha", "(none)")),
                "feature": dice.pick(("Draw", "Share", "(none)")),
                "use_count": 1,
                **_known_days(dice, created + dice.pick((-5, 0, 1, 7, 30, 300)) * ONE_DAY),
            }
        )
    for _ in range(dice.pick((0, 1, 4))):
        known = _known_days(
            dice, dice.pick((created, created + 2 * ONE_DAY, LAST, LAST - 13 * ONE_DAY))
        )
        world.rows("intermediate.int_event_type_days").append(
            {
                "account_id": name,
                "user_id": dice.pick(("u", "u", "u", None)),
                "event_type": dice.pick(("custom", "custom", "login", "heartbeat")),
                "event_name": dice.pick(("invited", "left", None)),
                "quantity": dice.pick((1, 2, 13, 14, 28)),
                "user_first_day": known["first_day"] + dice.pick((0, 0, 2)) * ONE_DAY,
                **known,
            }
        )
    for _ in range(dice.pick((0, 1, 2))):
        world.rows("intermediate.int_subscription_phases").append(
            {
                "account_id": name,
                "subscription_id": f"s_{name}",
                "policy": dice.pick(("standard", "standard", "other")),
                "is_latest": dice.pick((True, True, False)),
                "phase": dice.pick(("paid", "paid", "trial")),
                "plan": dice.pick(("Gold", "gold", "Tin", None)),
                "starts_at": _midnight(created) + dice.pick((-1, 0, 2, 400)) * ONE_DAY,
                "ends_at": dice.pick((None, None, AS_OF, AS_OF + ONE_DAY)),
                **_known(dice),
            }
        )
    world.rows("intermediate.int_subscriptions_linked").append(
        {
            "subscription_id": f"s_{name}",
            "account_id": name,
            "plan": dice.pick(("Gold", "gold", "Tin", None)),
            "is_latest": True,
        }
    )


def _day(dice: Dice, world: World, name: str, day: date) -> None:
    if dice.pick((False,) * 6 + (True,)):
        return
    active, purchased = dice.pick((0, 2, 5)), dice.pick((0, 5, 10, None))
    world.rows("accounts.account_metrics_daily").append(
        {
            "account_id": name,
            "day": day,
            "account_status": dice.pick(
                ("customer",) * 5 + ("past_due", "past_due", "churned", "trial")
            ),
            "mau": dice.pick((0, 3, 8, 10)),
            "use_count_7d": 1,
            "arr": Decimal(dice.pick((0, 1200, 2400))),
            "active_user_ratio": dice.pick((None, 0.0, 0.25, 0.5)),
            "open_tickets": dice.pick((0, 1, 4, None)),
            "active_seats": active,
            "purchased_seats": purchased,
            "seat_adoption_ratio": active / purchased if purchased else None,
            "days_to_renewal": dice.pick((None, 0, 1, 91, 92, 136, 181, 182)),
            "days_overdue": dice.pick((0, 30, 31, None)),
            "days_since_last_touch": dice.pick((None, 0, 44, 45)),
            "interactions_30d": dice.pick((None, 0, 4)),
            "tenure_days": dice.pick((None, 0, 44, 45, 400)),
            "contacts_engaged_30d": dice.pick((None, 0, 2, 3)),
            "departments_engaged_30d": dice.pick((None, 0, 1, 2)),
        }
    )
    world.rows("health.account_scoped_metrics_daily").append(
        {
            "account_id": name,
            "day": day,
            "metric": "use_count_7d",
            "scope": "module:Alpha",
            "value": 2,
        }
    )
    _health(dice, world, name, day)


def _health(dice: Dice, world: World, name: str, day: date) -> None:
    if dice.pick((False,) * 9 + (True,)):
        return
    unknown = dice.pick((None,) * 5 + ("low coverage", "warming up", "override"))
    raw = Decimal(str(dice.pick(SCORES)))
    cap = dice.pick((None, None, Decimal(40)))
    score = None if unknown else (raw if cap is None else min(raw, cap))
    state = dice.pick(("good", "average", "poor"))
    override = dice.pick((None,) * 5 + ("poor",)) if unknown != "override" else "unknown"
    world.rows("health.fct_account_health_daily").append(
        {
            "account_id": name,
            "day": day,
            "profile": dice.pick(("ongoing", "ongoing", "ongoing", "renewal")),
            "score": score,
            "state": "unknown" if unknown else override or state,
            "state_before_override": state,
            "unknown_reason": unknown,
            "coverage": Decimal(str(dice.pick((0.25, 0.6, 1)))),
            "raw_score": raw,
            "cap": "many_open" if cap is not None else None,
            "cap_score": cap,
            "slope": dice.pick((None, -0.6, -0.357142857, -0.178571429, 0.0, 0.1)),
            # Under too little data one is there and not in force.
            "override_author": "Ann" if override or unknown else None,
            "override_state": override,
            "override_expires_on": TODAY + 3 * ONE_DAY if override else None,
            "lost_inputs": dice.pick((None, None, "c1", "c1, c3")),
            "is_held": dice.pick((False, False, True)),
            "faded_inputs": dice.pick(("", "c2")),
        }
    )
    for condition in CONDITIONS:
        weight = Decimal(str(dice.pick((0, 0.1, 0.25))))
        world.rows("health.fct_health_conditions_daily").append(
            {
                "account_id": name,
                "day": day,
                "condition": condition,
                "metric": METRICS[condition],
                "metric_value": Decimal(str(dice.pick((0, 0.25, 0.125, 12, 1_234_567)))),
                "lower_edge": Decimal(1),
                "upper_edge": Decimal("2.5"),
                "effective_weight": weight,
                "contribution": weight * dice.pick((0, 50, 100)),
                "influences_state": dice.pick((True, False)),
            }
        )


def _renewals(dice: Dice, world: World, name: str) -> None:
    for number in range(dice.pick((0, 1, 2, 3))):
        due = TODAY + dice.pick((0, 1, 30, 90, 91, 135, 180, 181)) * ONE_DAY
        row = {
            "account_id": name,
            "subscription_id": f"{name}_{number}",
            "renewal_on": due,
            "arr_due": Decimal(dice.pick(("0.00", "1200.40", "99.99"))),
            "is_due": dice.pick((False, False, False, True)),
            "outcome": dice.pick(("open", "open", "open", "renewed")),
            "is_cancellation_scheduled": dice.pick((False, True)),
        }
        world.rows("revenue.fct_renewals").append(row)


def _movements(dice: Dice, world: World, name: str) -> None:
    for _ in range(dice.pick((0, 2, 4))):
        world.rows("revenue.fct_mrr_movements").append(
            {
                "account_id": name,
                "moved_on": TODAY - dice.pick((1, 2, 6, 8, 20)) * ONE_DAY,
                "policy": dice.pick(("standard", "standard", "other")),
                "movement": dice.pick(("expansion", "contraction", "churn", "fx")),
                "amount": Decimal(dice.pick(("10.01", "-3.33", "0.00"))),
            }
        )
    for number in range(dice.pick((0, 0, 1))):
        world.rows("alerts.fct_alerts").append(
            {
                "alert_id": f"{name}_{number}",
                "account_id": name,
                "is_open": dice.pick((True, False)),
                "severity": dice.pick(("critical", "warning")),
            }
        )


def _features(dice: Dice, world: World, name: str) -> None:
    """What the account used of what it may use, and of what nobody gave it."""
    world.rows("intermediate.int_accounts_dated").append({"account_id": name})
    for _ in range(dice.pick((0, 1, 4))):
        module, feature = dice.pick(FEATURES)
        world.rows("intermediate.int_use_days").append(
            {
                "account_id": name,
                "module": module,
                "feature": feature,
                "use_count": dice.pick((1, 7, 0)),
                **_known_days(dice, TODAY - dice.pick((1, 2, 20, 29, 30, 31, 45)) * ONE_DAY),
            }
        )
    for number in range(dice.pick((0, 1, 2))):
        _grant(dice, world, f"{name}_{number}", account_id=name)


def _grant(dice: Dice, world: World, entitlement: str, **whose: str) -> None:
    what = dice.pick(
        (
            {"module": "Alpha"},
            {"module": "Alpha", "feature": "Draw"},
            {"module": "Gamma", "feature": "New"},
            {"feature": "Share"},
            {"package": "Basic"},
        )
    )
    world.rows("staging.stg_crm__entitlements").append(
        {
            "entitlement_id": entitlement,
            "valid_from": dice.pick((world.granted_from, AS_OF - 9 * ONE_DAY, AS_OF - ONE_DAY)),
            "valid_to": dice.pick((None, None, AS_OF - 2 * ONE_DAY, AS_OF - ONE_DAY / 2)),
            "deleted_at": dice.pick((None, None, None, AS_OF - ONE_DAY)),
            "is_latest": True,
            **_known(dice),
            **what,
            **whose,
        }
    )


def _catalogue(world: World) -> None:
    for module, feature in FEATURES:
        world.rows("intermediate.int_modules_known").append(
            {
                "package": "Basic" if module == "Alpha" else "Plus",
                "module": module,
                "feature": feature,
                "is_in_catalogue": feature == "Draw",
                "is_offered": module == "Alpha" or feature != "Draw",
            }
        )
    for back in range(1, HISTORY - 2):
        world.rows("intermediate.int_source_watermarks_daily").append(
            {"source_name": "events", "day": TODAY - back * ONE_DAY}
        )


def _limits(dice: Dice, world: World, accounts: int) -> None:
    """Limits of accounts, by their own ids or one that they own, and of plans."""
    owned: Iterator[str] = (f"a{number:03}" for number in range(0, accounts, 3))
    for number, owner in enumerate(owned):
        alias = f"crm_{owner}"
        world.rows("intermediate.int_account_owners").append(
            {
                "account_id": alias,
                "owner_id": owner,
                "is_latest": True,
                "known_from": LONG_AGO,
                "known_until": FOR_EVER,
            }
        )
        _limit(dice, world, f"e{number}", account_id=dice.pick((owner, alias)))
    for number, plan in enumerate(("GOLD", "tin") * 3):
        _limit(dice, world, f"p{number}", plan=plan)
        _grant(dice, world, f"g{number}", plan=plan)


def _limit(dice: Dice, world: World, name: str, **whose: str) -> None:
    world.rows("staging.stg_crm__entitlements").append(
        {
            "entitlement_id": name,
            "limit_name": dice.pick((None, "users", "seats")),
            "limit_quantity": Decimal(dice.pick((0, 10, 10, 4))),
            "usage_metric": dice.pick(("mau", "mau", "active_seats", None)),
            "valid_from": AS_OF + dice.pick((-9, -9, 0)) * ONE_DAY,
            "valid_to": dice.pick((None, None, AS_OF, AS_OF + ONE_DAY)),
            "deleted_at": dice.pick((None, None, None, AS_OF)),
            "is_latest": dice.pick((True, True, True, False)),
            **_known(dice),
            **whose,
        }
    )
