"""The bridge of MRR by segment and plan, in plain Python; shares no code with the product.

Source: the project's spec 20 (`mrr_bridge_monthly`). What the accounts' months and movements are is
proven elsewhere (tests/recompute/revenue.py): here they are what is given.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from tests.recompute.calendars import first_instant, local_month, next_month

Row = Mapping[str, Any]
Key = tuple[date, str, str]

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
BY = ("tier", "region", "product_line", "size_band")
MOVED = ("new", "reactivation", "expansion", "contraction", "churn", "fx")
COUNTED = {
    "new": "new_accounts",
    "reactivation": "reactivated_accounts",
    "expansion": "expanded_accounts",
    "contraction": "contracted_accounts",
    "churn": "churned_accounts",
}
MONEY = (*(f"{name}_mrr" for name in ("starting", *MOVED, "ending")), "transfer_in", "transfer_out")
COUNTS = (
    "starting_accounts", *COUNTED.values(), "transferred_in_accounts", "transferred_out_accounts",
    "ending_accounts",
)  # fmt: skip


class Sums:
    """Rows of the bridge as they are added up."""

    def __init__(self) -> None:
        self.rows: dict[Key, dict[str, Any]] = {}

    def add(self, key: Key, name: str, amount: Any) -> None:
        """Adds to a row, which begins with zeros."""
        self.rows.setdefault(key, dict.fromkeys(MONEY, ZERO) | dict.fromkeys(COUNTS, 0))
        self.rows[key][name] += amount


def segment_of(row: Row | None, by: str) -> str:
    """The row's segment; everybody is one, and an empty attribute is one of its own."""
    if by == "all":
        return "(all)"
    return ((row or {}).get(by) or "").strip() or "(none)"


def bridge(
    monthly: Sequence[Row],
    dim: Sequence[Row],
    plan_moves: Sequence[Row],
    as_of: datetime,
    zone: tzinfo = UTC,
) -> list[dict[str, Any]]:
    """The rows of `mrr_bridge_monthly`."""
    sums = Sums()
    where = {(row["account_id"], row["month"]): row for row in dim}
    months = {(row["account_id"], row["month"]) for row in monthly}
    for row in monthly:
        for by in ("all", *BY):
            _add_account(sums, row, by, where, months)
    _add_plans(sums, plan_moves, max((row["month"] for row in monthly), default=None))
    return [_row(key, sums.rows[key], as_of, zone) for key in sums.rows]


def _add_account(
    sums: Sums,
    row: Row,
    by: str,
    where: Mapping[tuple[str, date], Row],
    months: set[tuple[str, date]],
) -> None:
    account, month = row["account_id"], row["month"]
    before = (account, _month_before(month))
    now = segment_of(where.get((account, month)), by)
    then = segment_of(where.get(before), by) if before in months else now
    here, there = (month, by, now), (month, by, then)
    is_paying = int(row["starting_mrr"] > 0)
    sums.add(there, "starting_mrr", row["starting_mrr"])
    sums.add(there, "starting_accounts", is_paying)
    if now != then:
        sums.add(there, "transfer_out", row["starting_mrr"])
        sums.add(there, "transferred_out_accounts", is_paying)
        sums.add(here, "transfer_in", row["starting_mrr"])
        sums.add(here, "transferred_in_accounts", is_paying)
    for name in (*MOVED, "ending"):
        sums.add(here, f"{name}_mrr", row[f"{name}_mrr"])
    for name, count in COUNTED.items():
        sums.add(here, count, int(row[f"{name}_mrr"] > 0))
    sums.add(here, "ending_accounts", int(row["ending_mrr"] > 0))


def _add_plans(sums: Sums, moves: Sequence[Row], last: date | None) -> None:
    for plan in {move["plan"] for move in moves}:
        own = [move for move in moves if move["plan"] == plan]
        month: date = min(move["month"] for move in own)
        balances: dict[str, Decimal] = {}
        while last is not None and month <= last:
            key = (month, "plan", plan)
            sums.add(key, "starting_mrr", sum(balances.values(), ZERO))
            sums.add(key, "starting_accounts", sum(b > 0 for b in balances.values()))
            _add_plan_month(sums, key, [m for m in own if m["month"] == month], balances)
            sums.add(key, "ending_mrr", sum(balances.values(), ZERO))
            sums.add(key, "ending_accounts", sum(b > 0 for b in balances.values()))
            month = next_month(month)


def _add_plan_month(
    sums: Sums, key: Key, moves: Sequence[Row], balances: dict[str, Decimal]
) -> None:
    for move in moves:
        account = move["account_id"]
        balances[account] = balances.get(account, ZERO) + move["change"]
        sums.add(key, "fx_mrr", move["fx"])
        sums.add(key, "transfer_in", move["transfer_in"])
        sums.add(key, "transfer_out", move["transfer_out"])
        if move["moved"]:
            sums.add(key, f"{move['movement']}_mrr", move["moved"])
    for name, count in COUNTED.items():
        part = {m["account_id"] for m in moves if m["moved"] and m["movement"] == name}
        sums.add(key, count, len(part))
    for way in ("in", "out"):
        those = {m["account_id"] for m in moves if m[f"transfer_{way}"]}
        sums.add(key, f"transferred_{way}_accounts", len(those))


def plan_moves(
    amounts: Sequence[Row], movements: Sequence[Row], as_of: datetime, zone: tzinfo = UTC
) -> list[dict[str, Any]]:
    """What each plan of an account has of what happened at an instant.

    Args:
        amounts: stretches of items that are paid for, each at one rate.
        movements: rows of `fct_mrr_movements`, policy standard.
        as_of: the as-of instant.
        zone: the reporting time zone.
    """
    net, fx = _changes(amounts, as_of)
    told = {(m["account_id"], m["moved_at"]): m for m in movements if m["movement"] != "fx"}
    told_fx = {
        (m["account_id"], m["moved_at"]): m["amount"] for m in movements if m["movement"] == "fx"
    }
    rows = []
    for account, at in sorted({key[:2] for key in (*net, *fx)}):
        plans = sorted({key[2] for key in (*net, *fx) if key[:2] == (account, at)})
        changed = {plan: net.get((account, at, plan), ZERO) for plan in plans}
        rated = {plan: fx.get((account, at, plan), ZERO) for plan in plans}
        if sum(rated.values(), ZERO) != told_fx.get((account, at), ZERO):
            # An account that stood at zero: its rates are part of how it came back.
            changed = {plan: changed[plan] + rated[plan] for plan in plans}
            rated = dict.fromkeys(plans, ZERO)
        into, out = transfers(changed)
        for plan in plans:
            if not changed[plan] and not rated[plan]:
                continue
            rows.append(
                {
                    "account_id": account,
                    "month": local_month(at, zone),
                    "plan": plan,
                    "movement": told.get((account, at), {}).get("movement"),
                    "moved": abs(changed[plan]) - into[plan] - out[plan],
                    "transfer_in": into[plan],
                    "transfer_out": out[plan],
                    "fx": rated[plan],
                    "change": changed[plan] + rated[plan],
                }
            )
    return rows


def transfers(changed: Mapping[str, Decimal]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """What of each plan's change came from, or went to, the account's other plans."""
    gained = {plan: int(max(c, ZERO) / CENT) for plan, c in changed.items()}
    lost = {plan: int(max(-c, ZERO) / CENT) for plan, c in changed.items()}
    within = min(sum(gained.values()), sum(lost.values()))
    return _shared(gained, within), _shared(lost, within)


def _shared(parts: Mapping[str, int], within: int) -> dict[str, Decimal]:
    """`within` cents in proportion to the parts, each share cut from what has been so far."""
    total, so_far, given = sum(parts.values()), 0, 0
    shares = {}
    for plan in sorted(parts):
        so_far += parts[plan]
        reached = so_far * within // total if total else 0
        shares[plan] = (reached - given) * CENT
        given = reached
    return shares


def _changes(
    amounts: Sequence[Row], as_of: datetime
) -> tuple[dict[tuple[str, datetime, str], Decimal], dict[tuple[str, datetime, str], Decimal]]:
    net: dict[tuple[str, datetime, str], Decimal] = {}
    fx: dict[tuple[str, datetime, str], Decimal] = {}
    for at, amount, is_fx, row in _edges(amounts):
        if at < as_of:
            table = fx if is_fx else net
            key = (row["account_id"], at, row["product"])
            table[key] = table.get(key, ZERO) + amount
    return net, fx


def _edges(amounts: Sequence[Row]) -> Iterator[tuple[datetime, Decimal, bool, Row]]:
    for row in amounts:
        yield row["starts_at"], row["amount"], row["is_rate_change"], row
        if row["ends_at"] is not None:
            yield row["ends_at"], -row["amount"], not row["is_last"], row


def _row(key: Key, sums: Row, as_of: datetime, zone: tzinfo) -> dict[str, Any]:
    month, by, segment = key
    gained = sums["new_mrr"] + sums["reactivation_mrr"] + sums["expansion_mrr"]
    lost = sums["contraction_mrr"] + sums["churn_mrr"]
    return {
        "month": month,
        "segment_by": by,
        "segment": segment,
        **sums,
        "gained_mrr": gained,
        "lost_mrr": lost,
        "quick_ratio": gained / lost if lost else None,
        "is_partial": first_instant(next_month(month), zone) > as_of,
    }


def _month_before(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
