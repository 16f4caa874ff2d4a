"""What came of alerts, computed once more in plain Python, and ledgers made by dice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.recompute.dice import Dice

Row = Mapping[str, Any]

BEGAN, TODAY = date(2026, 1, 1), date(2026, 7, 1)
OUTCOME = timedelta(days=90)
# By the id that rows name: the account that it counts under; a test account under none.
NAMED = {"a": "a", "b": "b", "c": "c", "was b": "b"}
_NAMES = (*NAMED, "test")


@dataclass(frozen=True, kw_only=True)
class AlertWorld:
    """The copies of a ledger, and the status of each account by day."""

    alerts: Sequence[Row]
    events: Sequence[Row]
    actions: Sequence[Row]
    statuses: Mapping[tuple[str, date], str]

    def events_of(self, alert_id: str) -> list[Row]:
        """An alert's transitions, in their order."""
        own = [event for event in self.events if event["alert_id"] == alert_id]
        return sorted(own, key=lambda event: event["ordinal"])


def alert_world(dice: Dice, count: int = 60) -> AlertWorld:
    """Alerts of three rules with what became of them."""
    alerts = [_alert(dice, f"alert-{n}") for n in range(count)]
    events = [event for alert in alerts for event in _events(dice, alert)]
    days = [BEGAN + timedelta(days=n) for n in range((TODAY - BEGAN).days)]
    churned = {account: dice.pick(days) for account in ("a", "b")}
    return AlertWorld(
        alerts=alerts,
        events=events,
        actions=[_action(dice, n, alerts) for n in range(count)],
        statuses={
            (account, day): "churned" if day >= churned.get(account, TODAY) else "customer"
            for account in "abc"
            for day in days
        },
    )


def _alert(dice: Dice, alert_id: str) -> Row:
    opened_on = BEGAN + timedelta(days=dice.pick(range(170)))
    return {
        "alert_id": alert_id,
        "rule": dice.pick(("health_fell", "module_was_dropped", "mrr_shrank")),
        "rule_version": "v1",
        "family": "f",
        "severity": dice.pick(("info", "warning", "critical")),
        "account_id": dice.pick(_NAMES),
        "scope": dice.pick((None, "module:Map", "feature:Draw")),
        "sentence": "It fell.",
        "metric": "mrr",
        "value": dice.pick((None, 1.5, -2.0)),
        "value_text": None,
        "threshold": dice.pick((None, 3.0)),
        "held_since": dice.pick((None, opened_on)),
        "opened_on": opened_on,
        "opened_at": datetime(opened_on.year, opened_on.month, opened_on.day, tzinfo=UTC),
    }


def _events(dice: Dice, alert: Row) -> Iterable[Row]:
    """A legal path: opened, perhaps acknowledged or snoozed some times, perhaps resolved."""
    steps = ["opened"]
    steps += [dice.pick(("acknowledged", "snoozed")) for _ in range(dice.pick((0, 0, 1, 2, 3)))]
    steps += dice.pick(((), ("resolved",), ("resolved",)))
    day, before = alert["opened_on"], None
    for ordinal, transition in enumerate(steps, 1):
        now = "open" if transition == "opened" else transition
        yield {
            "alert_id": alert["alert_id"],
            "ordinal": ordinal,
            "transition": transition,
            "from_status": before,
            "to_status": now,
            "cause": dice.pick(("recovered", "recovered", "superseded", "by_hand")),
            "reason": "because",
            "actor": dice.pick((None, "Ann")),
            "value": dice.pick((None, 4.5)),
            "on_day": day,
            "snoozed_until": day + timedelta(days=9) if transition == "snoozed" else None,
            "happened_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        }
        day, before = min(day + timedelta(days=dice.pick((0, 1, 4))), TODAY - timedelta(1)), now


def _action(dice: Dice, number: int, alerts: Sequence[Row]) -> Row:
    kind = dice.pick(("alert", "workflow", "held", "ops"))
    of_alert = kind in ("alert", "workflow")
    return {
        "action_key": f"key-{number}",
        "kind": kind,
        "alert_id": dice.pick(alerts)["alert_id"] if of_alert else None,
        "number": number,
        "route": "*/1",
        "channel": dice.pick(("file", "email")),
        "recipient_id": dice.pick((None, "ann")),
        "state": dice.pick(("pending", "sent", "dead")),
        "happened_at": datetime(2026, 3, 1, tzinfo=UTC),
    }


def fct_alerts(world: AlertWorld) -> list[Row]:
    """One row per alert of an account that counts, as its last event left it."""
    return [_stands(world, alert) for alert in world.alerts if alert["account_id"] in NAMED]


def _stands(world: AlertWorld, alert: Row) -> Row:
    path = world.events_of(alert["alert_id"])
    last = path[-1]
    acknowledged = [event["on_day"] for event in path if event["transition"] == "acknowledged"]
    is_over = last["to_status"] == "resolved"
    passed_on = ("alert_id", "rule", "severity", "scope", "value", "threshold", "held_since")
    return {
        **{name: alert[name] for name in passed_on},
        "account_id": NAMED[alert["account_id"]],
        "opened_on": alert["opened_on"],
        "status": last["to_status"],
        "acknowledged_on": min(acknowledged, default=None),
        "snoozed_until": last["snoozed_until"] if last["to_status"] == "snoozed" else None,
        "resolved_on": last["on_day"] if is_over else None,
        "resolved_how": last["cause"] if is_over else None,
        "days_open": ((last["on_day"] if is_over else TODAY) - alert["opened_on"]).days,
        "is_open": not is_over,
    }


def fct_alert_events(world: AlertWorld) -> list[Row]:
    """One row per transition of those alerts; what no person did, the evaluation did."""
    shown = {alert["alert_id"]: alert for alert in fct_alerts(world)}
    passed_on = (
        "alert_id", "ordinal", "transition", "from_status", "to_status", "cause", "value", "on_day",
        "happened_at",
    )  # fmt: skip
    return [
        {
            **{name: event[name] for name in passed_on},
            "account_id": shown[event["alert_id"]]["account_id"],
            "rule": shown[event["alert_id"]]["rule"],
            "actor": event["actor"] or "evaluation",
        }
        for event in world.events
        if event["alert_id"] in shown
    ]


def fct_actions(world: AlertWorld) -> list[Row]:
    """One row per thing told, but for those about alerts that don't count."""
    shown = {alert["alert_id"]: alert for alert in fct_alerts(world)}
    return [
        {
            **action,
            "account_id": shown[action["alert_id"]]["account_id"] if action["alert_id"] else None,
            "rule": shown[action["alert_id"]]["rule"] if action["alert_id"] else None,
        }
        for action in world.actions
        if action["alert_id"] is None or action["alert_id"] in shown
    ]


def alert_rule_performance(world: AlertWorld) -> list[Row]:
    """One row per rule: how often, how fast, how rightly, and how much of it for nobody."""
    alerts = fct_alerts(world)
    rules = sorted({alert["rule"] for alert in alerts})
    return [_performs(world, rule, [a for a in alerts if a["rule"] == rule]) for rule in rules]


def _performs(world: AlertWorld, rule: str, own: Sequence[Row]) -> Row:
    over = [alert for alert in own if not alert["is_open"]]
    heard = [alert for alert in own if alert["acknowledged_on"]]
    recovered = [alert for alert in over if alert["resolved_how"] == "recovered"]
    noise = [alert for alert in recovered if not alert["acknowledged_on"]]
    lost = [alert for alert in own if _is_lost(world, alert)]
    known = [alert for alert in own if alert in lost or alert["opened_on"] + OUTCOME < TODAY]
    return {
        "rule": rule,
        "alert_count": len(own),
        "account_count": len({alert["account_id"] for alert in own}),
        "open_count": len(own) - len(over),
        "acknowledged_count": len(heard),
        "resolved_count": len(over),
        "recovered_count": len(recovered),
        "noise_count": len(noise),
        "outcome_count": len(known),
        "lost_count": len(lost),
        "mean_days_to_acknowledge": _mean(
            [(alert["acknowledged_on"] - alert["opened_on"]).days for alert in heard]
        ),
        "mean_days_to_resolve": _mean([alert["days_open"] for alert in over]),
        "precision_ratio": Fraction(len(lost), len(known)) if known else None,
        "noise_ratio": Fraction(len(noise), len(over)) if over else None,
        "first_opened_on": min(alert["opened_on"] for alert in own),
        "last_opened_on": max(alert["opened_on"] for alert in own),
    }


def _is_lost(world: AlertWorld, alert: Row) -> bool:
    """Whether the account, which was not churned by then, was on any of the 90 days after it."""
    if world.statuses.get((alert["account_id"], alert["opened_on"])) == "churned":
        return False
    after = [alert["opened_on"] + timedelta(days=n) for n in range(1, OUTCOME.days + 1)]
    return any(world.statuses.get((alert["account_id"], day)) == "churned" for day in after)


def _mean(numbers: Sequence[int]) -> Fraction | None:
    return Fraction(sum(numbers), len(numbers)) if numbers else None
