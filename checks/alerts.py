"""What a person must see to after an evaluation: dead letters, held rules, missing owners."""

from collections.abc import Callable

import dagster as dg
import sqlalchemy as sa

from assets.alerts.ledger import create_ledger
from assets.alerts.to_see_to import Row, find_dead_letters, find_held_rules, find_missing_owners

_SHOWN = 20
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
            metadata={"rows_failed": len(rows)}
            | ({"failing_rows": _table(rows[:_SHOWN])} if rows else {}),
        )

    return check


def _table(rows: list[Row]) -> dg.MetadataValue:
    schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in rows[0]])
    records = [
        dg.TableRecord({name: None if v is None else str(v) for name, v in row.items()})
        for row in rows
    ]
    return dg.MetadataValue.table(records=records, schema=schema)
