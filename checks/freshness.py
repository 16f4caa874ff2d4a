"""Whether a table still comes: its watermark against the as-of and against its own rhythm."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from statistics import median_low

import duckdb

from assets.extracts.contracts import Contract
from checks.findings import Said

FEWEST_GAPS = 3
DAY = 86_400


def judge_freshness(
    connection: duckdb.DuckDBPyConnection, contract: Contract, as_of: datetime
) -> Said:
    """How far a table has come, and whether that is far enough.

    A table may be as late as its contract says. One that says nothing may be twice the usual gap
    between its `dt=` days late, and a day more; without three gaps it has no rhythm yet.
    """
    rows = connection.execute(
        "select dt, watermark_at from landing.deliveries "
        "where source = ? and table_name = ? and state = 'loaded'",
        [contract.source, contract.table],
    ).fetchall()
    if not rows:
        return Said(passed=True, sentence="not loaded")
    marks = [row[1] for row in rows if row[1] is not None]
    if not marks:
        return Said(passed=True, sentence="nothing of it says how far it has come")
    allowed, why = _allowed(contract, [row[0] for row in rows if row[0] is not None])
    return _said(max(marks), as_of, allowed, why)


def _allowed(contract: Contract, days: Sequence[date]) -> tuple[int | None, str]:
    """How many days late it may be, and why."""
    if contract.expected_within_days is not None:
        return contract.expected_within_days, "its contract says"
    gaps = [(later - earlier).days for earlier, later in pairwise(sorted(set(days)))]
    if len(gaps) < FEWEST_GAPS:
        return None, "it has no rhythm yet"
    usual = median_low(gaps)
    return 2 * usual + 1, f"it usually comes every {usual} days"


def _said(watermark: datetime, as_of: datetime, allowed: int | None, why: str) -> Said:
    late = max((as_of - watermark).total_seconds() / DAY, 0.0)
    passed = allowed is None or late <= allowed
    limit = why if allowed is None else f"at most {allowed} are expected, since {why}"
    return Said(
        passed=passed,
        sentence=f"reaches to {watermark:%Y-%m-%d %H:%M}, {late:.1f} days before the as-of: {limit}"
        + ("" if passed else "; it has stopped, so look at the extract's job"),
        facts={
            "watermark": watermark.isoformat(),
            "days_late": round(late, 3),
            "expected_within_days": allowed,
        },
    )
