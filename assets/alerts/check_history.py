"""What every check of every run said, red ones too: since when it is red, whose it is, what to do.

A release knows only its own green ones; these are kept in the ledger and come into each release as
`meta.check_results`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from assets.alerts.ledger import write_transaction
from assets.alerts.operation_tables import check_results, checks, run_results

Row = dict[str, Any]
Severity = Literal["block", "warn", "info"]
MOST_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class CheckOutcome:
    """One check of one run.

    Attributes:
        asset: What it judged, as `schema/table`.
        check: Its name; with the asset, its key.
        severity: `block` stops a release, `warn` and `info` do not.
        passed: Whether nothing is to be done.
        summary: What it said, in a sentence.
        rows_failed: Rows that failed; None where it counts none.
        rows_tested: Of so many.
        failing_rows: The first of them, personal data masked.
        failing_since: End of the first red run of those in a row; set when it is kept.
        last_green_at: End of the last green run; set when it is kept.
    """

    asset: str
    check: str
    severity: str
    passed: bool
    summary: str
    rows_failed: int | None = None
    rows_tested: int | None = None
    failing_rows: tuple[Mapping[str, Any], ...] = ()
    failing_since: datetime | None = None
    last_green_at: datetime | None = None

    @property
    def name(self) -> str:
        """How it is called where people read."""
        return f"{self.check} on {self.asset}"


@dataclass(frozen=True, kw_only=True)
class CheckWords:
    """What the code says of a check, whatever it finds."""

    asset: str
    check: str
    layer: str
    owner: str | None
    means: str
    what_to_do: str


_KEPT = tuple(field.name for field in fields(CheckOutcome))
_WORDS = tuple(field.name for field in fields(CheckWords))


def keep_outcomes(
    ledger: sa.Connection, run_id: str, ended_at: datetime, outcomes: Iterable[CheckOutcome]
) -> None:
    """Adds a run's results; runs are kept in the order in which they ended."""
    before = _latest(ledger)
    rows = {
        (found.asset, found.check): {
            "run_id": run_id,
            **{name: getattr(found, name) for name in _KEPT},
            "failing_rows": [dict(row) for row in found.failing_rows[:MOST_ROWS]] or None,
            "ended_at": ended_at,
            **_standing(found, before.get((found.asset, found.check)), ended_at),
        }
        for found in outcomes
    }
    if rows:
        ledger.execute(sa.insert(check_results), list(rows.values()))


def read_outcomes(ledger: sa.Connection, run_id: str) -> Iterator[CheckOutcome]:
    """The results of one run, by asset and check."""
    query = sa.select(check_results).where(check_results.c.run_id == run_id)
    for row in ledger.execute(
        query.order_by(check_results.c.asset, check_results.c.check)
    ).mappings():
        said = {name: row[name] for name in _KEPT}
        yield CheckOutcome(**{**said, "failing_rows": tuple(row["failing_rows"] or ())})


def has_words(engine: sa.Engine, code_version: str) -> bool:
    """Whether the ledger knows what the checks of this code mean."""
    with engine.connect() as ledger:
        query = sa.select(checks.c.check).where(checks.c.code_version == code_version)
        return ledger.execute(query.limit(1)).first() is not None


def keep_words(engine: sa.Engine, words: Iterable[CheckWords], code_version: str) -> None:
    """Replaces what the checks mean by what this code says."""
    rows = [
        {**{name: getattr(said, name) for name in _WORDS}, "code_version": code_version}
        for said in words
    ]
    with write_transaction(engine) as ledger:
        ledger.execute(sa.delete(checks))
        if rows:
            ledger.execute(sa.insert(checks), rows)


def read_words(engine: sa.Engine) -> dict[tuple[str, str], CheckWords]:
    """What each check means, by asset and check."""
    with engine.connect() as ledger:
        rows = ledger.execute(sa.select(*(checks.c[name] for name in _WORDS))).mappings()
        return {(row["asset"], row["check"]): CheckWords(**row) for row in rows}


def runs_with_results(ledger: sa.Connection) -> set[str]:
    """The runs that have results."""
    return set(ledger.scalars(sa.select(check_results.c.run_id).distinct()))


def read_history(ledger: sa.Connection, runs: Iterable[str]) -> Iterator[Row]:
    """The results of runs with what they mean, in the order in which the runs ended."""
    is_same = [checks.c[name] == check_results.c[name] for name in ("asset", "check")]
    query = (
        sa.select(
            check_results,
            run_results.c.job,
            run_results.c.as_of,
            *(checks.c[name] for name in ("layer", "owner", "means", "what_to_do")),
        )
        .join(run_results, run_results.c.run_id == check_results.c.run_id)
        .join(checks, sa.and_(*is_same), isouter=True)
        .where(check_results.c.run_id.in_(sorted(runs)))
        .order_by(check_results.c.ended_at, check_results.c.asset, check_results.c.check)
    )
    for row in ledger.execute(query).mappings():
        yield dict(row)


def _latest(ledger: sa.Connection) -> dict[tuple[str, str], Row]:
    """What each check said last."""
    last = (
        sa.select(
            check_results.c.asset,
            check_results.c.check,
            sa.func.max(check_results.c.ended_at).label("ended_at"),
        )
        .group_by(check_results.c.asset, check_results.c.check)
        .subquery()
    )
    on = [check_results.c[name] == last.c[name] for name in ("asset", "check", "ended_at")]
    columns = [
        check_results.c[name] for name in ("asset", "check", "failing_since", "last_green_at")
    ]
    rows = ledger.execute(sa.select(*columns).join(last, sa.and_(*on))).mappings()
    return {(row["asset"], row["check"]): dict(row) for row in rows}


def _standing(found: CheckOutcome, before: Row | None, ended_at: datetime) -> Row:
    """Since when it is red, and when it was green last."""
    if found.passed:
        return {"failing_since": None, "last_green_at": ended_at}
    since = before["failing_since"] if before else None
    return {
        "failing_since": since or ended_at,
        "last_green_at": before["last_green_at"] if before else None,
    }
