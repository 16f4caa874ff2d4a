"""What a person must see to, as the ledger knows it: dead letters, held rules, missing owners."""

from collections.abc import Mapping

import sqlalchemy as sa

from assets.alerts.ledger_tables import actions, evaluations, held_rules, missing_owners

Row = Mapping[str, object]


def find_dead_letters(ledger: sa.Connection) -> list[Row]:
    """The messages that were given up, the newest first; no address and no words of them."""
    names = ("kind", "route", "channel", "attempts", "last_error", "dead_at")
    query = (
        sa.select(*(actions.c[name] for name in names))
        .where(actions.c.state == "dead")
        .order_by(actions.c.number.desc())
    )
    return [dict(row) for row in ledger.execute(query).mappings()]


def find_held_rules(ledger: sa.Connection) -> list[Row]:
    """The rules that were held back on the last day that was judged."""
    last = sa.select(sa.func.max(evaluations.c.to_day)).scalar_subquery()
    query = sa.select(held_rules).where(held_rules.c.on_day == last).order_by(held_rules.c.rule)
    return [dict(row) for row in ledger.execute(query).mappings()]


def find_missing_owners(ledger: sa.Connection) -> list[Row]:
    """Accounts and roles that the last evaluation found nobody for, each with its latest day."""
    last = (
        sa.select(evaluations.c.from_day)
        .where(evaluations.c.from_day.is_not(None))
        .order_by(evaluations.c.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    owners = missing_owners.c
    query = (
        sa.select(
            owners.account_id,
            owners.role,
            sa.func.max(owners.account_name).label("account_name"),
            sa.func.max(owners.on_day).label("on_day"),
            sa.func.max(owners.told_instead).label("told_instead"),
        )
        .where(owners.on_day >= last)
        .group_by(owners.account_id, owners.role)
        .order_by(owners.account_id, owners.role)
    )
    return [dict(row) for row in ledger.execute(query).mappings()]
