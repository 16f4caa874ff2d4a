"""What a person must see to after an evaluation: dead letters, held rules, missing owners."""

from collections.abc import Callable, Mapping

import dagster as dg
import sqlalchemy as sa

from assets.alerts.ledger import create_ledger
from assets.alerts.ledger_tables import actions, evaluations, held_rules, missing_owners

_SHOWN = 20
Row = Mapping[str, object]
Find = Callable[[sa.Connection], list[Row]]


def build_alert_checks(
    ledger_url: str, evaluation: dg.AssetKey, delivery: dg.AssetKey
) -> list[dg.AssetChecksDefinition]:
    """The checks on the evaluation and the delivery; all of them warn."""
    return [
        _check(
            ledger_url,
            delivery,
            "leaves_no_dead_letter",
            "Every message reached its receiver within the tries that it has. To do: mend the "
            "receiver that the error names; what was given up is not tried again.",
            find_dead_letters,
        ),
        _check(
            ledger_url,
            evaluation,
            "holds_no_rule",
            "No rule would have fired for more accounts than its max_share allows on the last day. "
            "To do: look whether the data or the rule is wrong (csw alerts lint).",
            find_held_rules,
        ),
        _check(
            ledger_url,
            evaluation,
            "finds_every_owner",
            "Every role that a route names is somebody with an address. To do: give the accounts "
            "shown a member of that role in the CRM; meanwhile the fallback is told.",
            find_missing_owners,
        ),
    ]


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


def _check(
    ledger_url: str, asset: dg.AssetKey, name: str, description: str, find: Find
) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=asset, name=name, description=description)
    def check() -> dg.AssetCheckResult:
        engine = create_ledger(ledger_url)
        with engine.connect() as ledger:
            rows = find(ledger)
        engine.dispose()
        return dg.AssetCheckResult(
            passed=not rows,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(rows)} found" if rows else "none",
            metadata={"found": _table(rows[:_SHOWN])} if rows else {},
        )

    return check


def _table(rows: list[Row]) -> dg.MetadataValue:
    schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in rows[0]])
    records = [
        dg.TableRecord({name: None if v is None else str(v) for name, v in row.items()})
        for row in rows
    ]
    return dg.MetadataValue.table(records=records, schema=schema)
