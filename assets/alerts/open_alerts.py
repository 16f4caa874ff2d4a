"""The alerts that are open, for people and for summaries."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from assets.alerts.ledger_tables import alerts
from assets.alerts.rules import RANKS


@dataclass(frozen=True, kw_only=True)
class OpenAlert:
    """One alert that is not resolved: who, what, since when, and how it stands."""

    alert_id: str
    rule: str
    family: str
    severity: str
    account_id: str
    account_name: str | None
    dimensions: str
    status: str
    sentence: str
    metric: str
    opened_on: date
    value: float | None
    threshold: float
    last_value: float | None
    last_judged_on: date


def open_alerts(engine: sa.Engine) -> list[OpenAlert]:
    """All alerts that are open, acknowledged or snoozed: severest first, then the oldest."""
    columns = [alerts.c[name] for name in OpenAlert.__dataclass_fields__]
    with engine.connect() as ledger:
        rows = ledger.execute(sa.select(*columns).where(alerts.c.status != "resolved")).mappings()
        found = [OpenAlert(**row) for row in rows]
    return sorted(
        found,
        key=lambda alert: (
            -RANKS[alert.severity],
            alert.opened_on,
            alert.account_id,
            alert.rule,
            alert.dimensions,
        ),
    )
