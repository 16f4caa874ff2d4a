"""The identities of the spec on random books: the re-computation agrees with itself.

What stands here needs no warehouse, so a golden case that both sides get wrong has one more
chance to be found.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.recompute.activity import account_activity_daily, account_module_usage
from tests.recompute.books import Landing, landings, seeded, seeded_books
from tests.recompute.ledgers import ledger
from tests.recompute.policies import BRIDGE, ODD, SHIPPED
from tests.recompute.revenue import Books, policy_books

OFTEN = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _books(rows: Landing) -> Books:
    return policy_books(ledger(rows), SHIPPED)


def _daily(rows: Landing) -> list[dict[str, Any]]:
    return account_activity_daily(rows.accounts, rows.users, rows.events, rows.as_of)


def _modules(rows: Landing) -> list[dict[str, Any]]:
    return account_module_usage(rows.accounts, rows.users, rows.events, rows.as_of)


def _moved(row: dict[str, Any]) -> Decimal:
    gained: Decimal = row["new_mrr"] + row["reactivation_mrr"] + row["expansion_mrr"]
    lost: Decimal = row["contraction_mrr"] + row["churn_mrr"]
    fx: Decimal = row["fx_mrr"]
    return gained - lost + fx


def _check_revenue(rows: Landing) -> None:
    found = _books(rows)
    ending: dict[tuple[str, str], Decimal] = {}
    for row in found.monthly:
        key = (row["account_id"], row["policy"])
        assert row["starting_mrr"] + _moved(row) == row["ending_mrr"]
        assert ending.get(key, row["starting_mrr"]) == row["starting_mrr"]
        ending[key] = row["ending_mrr"]
        metered = row["metered_mrr"] if row["policy"] == "chartmogul_like" else 0
        assert row["ending_mrr"] == row["net_mrr"] + metered
        assert 0 <= row["net_mrr"] <= row["gross_mrr"]
    new = Counter((m["account_id"], m["policy"]) for m in found.movements if m["movement"] == "new")
    assert set(new.values()) <= {1}
    assert all(m["moved_at"] < rows.as_of for m in found.movements)
    assert all(m["amount"] > 0 for m in found.movements if m["movement"] != "fx")
    _check_currencies(found)
    for row in found.bridge:
        assert sum(row[f"{name}_difference"] for name in BRIDGE) == row["difference"]


def _check_currencies(found: Books) -> None:
    ending: dict[tuple[str, str, str], Decimal] = {}
    for row in found.by_currency:
        key = (row["account_id"], row["policy"], row["currency"])
        assert row["starting_mrr"] + _moved(row) == row["ending_mrr"]
        assert ending.get(key, row["starting_mrr"]) == row["starting_mrr"]
        ending[key] = row["ending_mrr"]


def _check_activity(rows: Landing) -> None:
    totals: dict[str, Any] = defaultdict(int)
    last = rows.as_of.date() - timedelta(days=1)
    registered = {}
    for row in _daily(rows):
        assert row["dau"] <= row["wau"] <= row["mau"] <= row["registered_users_30d"]
        assert row["identified_active_seconds"] <= row["active_seconds"]
        if last - row["day"] < timedelta(days=30):
            totals[row["account_id"]] += row["active_seconds"]
        registered[row["account_id"]] = row["registered_users_30d"]
    by_module: dict[str, Any] = defaultdict(int)
    for row in _modules(rows):
        assert row["users"] + row["non_users"] == registered[row["account_id"]]
        assert row["non_users"] >= 0
        assert row["days_used"] <= 30
        assert row["last_used_on"] is None or row["last_used_on"] <= last
        by_module[row["account_id"]] += row["total_seconds"]
    assert {k: v for k, v in totals.items() if v} == {k: v for k, v in by_module.items() if v}


@OFTEN
@given(landings(visits=0))
def test_the_identities_of_mrr_hold_on_any_books(rows: Landing) -> None:
    """Invariants 1 and 2, new exactly once, and nothing at or after as-of."""
    _check_revenue(rows)


@OFTEN
@given(landings(subscriptions=0))
def test_the_identities_of_activity_hold_on_any_events(rows: Landing) -> None:
    """Invariants 5, 6, 7 and 23."""
    _check_activity(rows)


def test_the_identities_hold_on_big_books() -> None:
    """What only happens where much happens: many subscriptions in one account."""
    for seed in range(6):
        rows = seeded(seed)
        _check_revenue(rows)
        _check_activity(rows)


def test_rows_of_the_as_of_instant_and_later_change_nothing() -> None:
    """Invariant 13: what is dated tomorrow is taken away, and every row stays as it was."""
    for seed in range(6):
        rows = seeded(seed)
        before = replace(
            rows,
            accounts=[r for r in rows.accounts if r["created_at"] < rows.as_of],
            subscriptions=[r for r in rows.subscriptions if r["started_at"] < rows.as_of],
            items=[r for r in rows.items if r["valid_from"] < rows.as_of],
            users=[r for r in rows.users if not r["created_at"] or r["created_at"] < rows.as_of],
            events=[r for r in rows.events if r["occurred_at"] < rows.as_of],
            changes=[r for r in rows.changes if r["changed_at"] < rows.as_of],
            discounts=[r for r in rows.discounts if r["valid_from"] < rows.as_of],
            invoices=[r for r in rows.invoices if r["created_at"] < rows.as_of],
            rates=[r for r in rows.rates if r["day"] <= rows.as_of.date()],
        )
        assert _books(before) == _books(rows)
        assert (_daily(before), _modules(before)) == (_daily(rows), _modules(rows))


def test_the_order_of_rows_changes_nothing() -> None:
    """A result that depends on the order of loading."""
    for seed in range(3):
        rows = seeded(seed)
        turned = replace(
            rows,
            accounts=rows.accounts[::-1],
            subscriptions=rows.subscriptions[::-1],
            items=rows.items[::-1],
            users=rows.users[::-1],
            events=rows.events[::-1],
            changes=rows.changes[::-1],
            discounts=rows.discounts[::-1],
            rates=rows.rates[::-1],
        )
        assert _books(turned) == _books(rows)
        assert (_daily(turned), _modules(turned)) == (_daily(rows), _modules(rows))


def test_every_rule_of_a_policy_makes_a_difference_somewhere() -> None:
    """A bridge whose parts are all but one empty, so that any order of the rules would do."""
    rows = [policy_books(ledger(seeded_books(seed)), ODD).bridge for seed in range(2)]
    for name in BRIDGE:
        assert any(row[f"{name}_difference"] for bridge in rows for row in bridge), name


def test_one_seed_gives_one_landing_with_ids_of_their_own() -> None:
    """A failure that nobody can look at again; keys that a loader would take for duplicates."""
    assert seeded(3) == seeded(3)
    assert seeded(3) != seeded(4)
    for rows in (seeded(seed) for seed in range(5)):
        keys = [
            [r["event_id"] for r in rows.events],
            [r["subscription_id"] for r in rows.subscriptions],
            [(r["item_id"], r["valid_from"]) for r in rows.items],
            [(r["account_id"], r["user_id"]) for r in rows.users],
        ]
        assert all(len(set(key)) == len(key) for key in keys)


def test_the_seeded_landings_reach_every_movement_and_every_oddity() -> None:
    """Random rows that are all of one kind and so test nothing."""
    books = [_books(seeded_books(seed)) for seed in range(3)]
    kinds = {m["movement"] for found in books for m in found.movements}
    assert kinds == {"new", "expansion", "contraction", "churn", "reactivation", "fx"}
    reasons = {m["churn_reason"] for found in books for m in found.movements}
    assert reasons >= {"cancelled", "past_due", "not_renewed", "unknown", None}
    months = [row for found in books for row in found.monthly]
    assert any(row["trial_pipeline_mrr"] for row in months)
    assert any(row["subscription_mrr"] != row["starting_mrr"] for row in months)
    assert any(row["gross_mrr"] > row["net_mrr"] for row in months)
    assert any(row["metered_mrr"] for row in months)
    big = [seeded(seed, subscriptions=60) for seed in range(8)]
    days = [row for rows in big for row in _daily(rows)]
    assert {row["login_is_inferred"] for row in days} == {True, False}
    assert any(row["is_before_creation"] for row in days)
    assert any(row["registered_users"] < row["registered_users_30d"] for row in days)
    assert any(row["anonymous_users"] for row in days)
