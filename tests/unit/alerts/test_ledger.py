"""The ledger refuses what can't be true."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import LedgerError, create_ledger, write_transaction
from assets.alerts.ledger_tables import alerts, evaluations
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import rule, ruleset


def test_a_rule_has_one_open_alert_per_account(ledger: sa.Engine, releases: Path) -> None:
    """Two evaluators at once could each open one; the database has the last word."""
    publish(releases, 1, march(1), series("a", [39]))
    evaluate(ledger, releases, ruleset(rule()), recorded_at=RECORDED_AT)
    with write_transaction(ledger) as connection:
        row = dict(connection.execute(sa.select(alerts)).mappings().one())
        copy = row | {"alert_id": "another", "opened_on": march(2)}
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.insert(alerts).values(**copy))
        connection.execute(sa.insert(alerts).values(**copy | {"status": "resolved"}))


def test_opening_the_ledger_again_keeps_what_it_holds(tmp_path: Path, releases: Path) -> None:
    """A rebuilt warehouse forgets nothing."""
    url = f"sqlite:///{tmp_path / 'new' / 'folder' / 'ledger.sqlite'}"
    publish(releases, 1, march(1), series("a", [39]))
    evaluate(create_ledger(url), releases, ruleset(rule()), recorded_at=RECORDED_AT)
    assert evaluate(create_ledger(url), releases, ruleset(rule()), recorded_at=RECORDED_AT) == []


def test_instants_come_back_in_utc(ledger: sa.Engine) -> None:
    """SQLite forgets the zone; a release of another zone would be dated by the wrong day."""
    berlin = datetime(2025, 3, 2, 1, tzinfo=timezone(timedelta(hours=1)))
    row = dict.fromkeys(
        ("days", "rules", "judged", "opened", "resolved", "suppressed", "unjudged"), 0
    )
    row |= {"release_id": "r", "sequence": 1, "attribute_missing": 0, "notes": []}
    with write_transaction(ledger) as connection:
        connection.execute(
            sa.insert(evaluations).values(**row, as_of=berlin, recorded_at=RECORDED_AT)
        )
        assert connection.scalar(sa.select(evaluations.c.as_of)) == datetime(2025, 3, 2, tzinfo=UTC)
        with pytest.raises(sa.exc.StatementError, match="has no time zone"):
            connection.execute(
                sa.select(evaluations).where(evaluations.c.as_of > berlin.replace(tzinfo=None))
            )


def test_a_wrong_address_is_refused_without_showing_it() -> None:
    """An address holds a password, and a message ends in a log."""
    with pytest.raises(LedgerError) as found:
        create_ledger("hunter2")
    assert "sqlite:///<path>" in str(found.value)
    assert "hunter2" not in str(found.value)


def test_what_is_no_ledger_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A page of Python for whoever mistypes a path."""
    (tmp_path / "text.db").write_text("no database, but rather a longer text about something else")
    (tmp_path / "folder.db").mkdir()
    for place in ("text.db", "folder.db", "text.db/ledger.db"):
        with pytest.raises(LedgerError, match=r"The ledger \(sqlite\) can't be opened"):
            create_ledger(f"sqlite:///{tmp_path / place}")


def test_a_reader_does_not_wait_for_a_writer(ledger: sa.Engine) -> None:
    """`csw status` must answer while an evaluation runs."""
    with write_transaction(ledger), ledger.connect() as reader:
        assert reader.execute(sa.select(alerts)).all() == []
