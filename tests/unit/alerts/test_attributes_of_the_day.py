"""A release that brings several days judges each by the attributes that were known then."""

from pathlib import Path

import duckdb
import sqlalchemy as sa

from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import create_ledger
from assets.alerts.ledger_tables import alerts
from tests.unit.alerts.releases_by_hand import RECORDED_AT, Who, march, publish, series
from tests.unit.alerts.rules_by_hand import contents, only, rule, ruleset

DAYS = series("a", [80, 39, 39, 39])
RULES = ruleset(rule(**only("tier", "is", "gold")))
# Silver since the 2nd, which landed on the 3rd; as of the 4th bronze, which changes nothing.
HISTORY = f"""
    create table accounts.account_history (
        account_id varchar, account_name varchar, tier varchar, is_test boolean,
        valid_from timestamptz, known_from timestamptz
    );
    insert into accounts.account_history values
        ('a', 'Before', 'gold', false, '1900-01-01 00:00Z', '1900-01-01 00:00Z'),
        ('a', 'After', 'silver', false, '{march(2)} 12:00Z', '{march(4)} 00:00Z'),
        ('a', 'After', 'bronze', false, '{march(4)} 00:00Z', '{march(4)} 00:00Z')
"""  # noqa: S608


def test_a_range_of_days_gives_what_a_release_a_day_gives(tmp_path: Path) -> None:
    """A tier that changed on Sunday, by which Friday was judged on Monday."""
    daily, at_once = tmp_path / "daily", tmp_path / "at_once"
    before, after = Who(account="a", name="Before"), Who(account="a", name="After", tier="silver")
    for day, who in enumerate((before, before, after, after), 1):
        publish(daily, day, march(day), DAYS, [who])
    publish(at_once, 1, march(1), DAYS, [before])
    folder = publish(at_once, 2, march(4), DAYS, [after])
    with duckdb.connect(str(folder / "csw.duckdb")) as connection:
        connection.execute(HISTORY)
    ledgers = [create_ledger(f"sqlite:///{tmp_path / name}.sqlite") for name in "ab"]
    for ledger, releases in zip(ledgers, (daily, at_once), strict=True):
        evaluate(ledger, releases, RULES, recorded_at=RECORDED_AT)
    told_by = ("release_id", "opened_at", "resolved_at", "payload")
    first, second = (contents(ledger, *told_by) for ledger in ledgers)
    del first["evaluations"], second["evaluations"]
    assert first == second
    with ledgers[1].connect() as connection:
        (alert,) = connection.execute(sa.select(alerts)).all()
    assert (alert.opened_on, alert.resolved_on) == (march(2), march(3))
    assert alert.sentence == "The health of Before is 39, below 40."
