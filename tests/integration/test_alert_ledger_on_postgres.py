"""The ledger on a real PostgreSQL server: the same as on SQLite, for many at once."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.alerts import audit
from assets.alerts.delivery import deliver
from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import create_ledger, write_transaction
from assets.alerts.ledger_tables import REVISION, alerts, metadata
from assets.alerts.migrating import versions
from assets.alerts.people import Asked, take_action
from assets.alerts.workflow_tables import workflow_audit_log
from tests.integration.alert_ledger_server import postgres_server
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import contents, critical, rule, ruleset

RULES = ruleset(rule(family="health", cooldown_days=3), critical())
SCORES = [80, 39, 20, 35, 50, 39, None, 39]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> str:
    """A database of the test's own."""
    name = request.node.name[:60]
    engine = sa.create_engine(
        sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(sa.text(f'create database "{name}"'))
    engine.dispose()
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    folder = tmp_path / "releases"
    for number, last in enumerate((1, 2, 5, 8), 1):
        publish(folder, number, march(last), series("a", SCORES) + series("b", SCORES[::-1]))
    return folder


def test_both_databases_hold_the_same(url: str, releases: Path, tmp_path: Path) -> None:
    """A difference of types or of the order of rows would be found on the day of the move."""
    found = []
    for engine in (create_ledger(url), create_ledger(f"sqlite:///{tmp_path / 'l.sqlite'}")):
        evaluate(engine, releases, RULES, recorded_at=RECORDED_AT)
        deliver(engine, tmp_path / engine.dialect.name, now=RECORDED_AT)
        with engine.connect() as connection:
            alert = connection.scalar(
                sa.select(alerts.c.alert_id).where(alerts.c.status != "resolved").limit(1)
            )
            assert audit.verify(connection)[1] is None
        if alert:
            asked = Asked(act="acknowledged", alert_id=alert, who="Ann", why="x", at=RECORDED_AT)
            take_action(engine, asked)
        found.append(contents(engine))
        engine.dispose()
    assert found[0] == found[1]


def test_evaluators_at_once_open_each_alert_once(url: str, releases: Path, tmp_path: Path) -> None:
    """Two daemons after a fail-over would tell everybody twice."""
    create_ledger(url).dispose()
    begin, errors = threading.Barrier(4), []

    def work() -> None:
        engine = create_ledger(url)
        begin.wait()
        try:
            evaluate(engine, releases, RULES, recorded_at=RECORDED_AT)
        except Exception as error:
            errors.append(error)
        engine.dispose()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    alone = create_ledger(f"sqlite:///{tmp_path / 'alone.sqlite'}")
    evaluate(alone, releases, RULES, recorded_at=RECORDED_AT)
    together = create_ledger(url)
    assert contents(together) == contents(alone)
    together.dispose()
    alone.dispose()


def test_a_new_ledger_is_made_once_by_many(url: str) -> None:
    """Sensor, evaluation and a person's command open a new ledger in the same second."""
    begin, errors = threading.Barrier(4), []

    def work() -> None:
        begin.wait()
        try:
            create_ledger(url).dispose()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_audit_log_can_only_grow(url: str, releases: Path) -> None:
    """The trigger is written in each database's own words."""
    ledger = create_ledger(url)
    evaluate(ledger, releases, RULES, recorded_at=RECORDED_AT)
    for change in (sa.delete(workflow_audit_log), sa.update(workflow_audit_log).values(actor="x")):
        with (
            pytest.raises(sa.exc.DBAPIError, match="append-only"),
            write_transaction(ledger) as connection,
        ):
            connection.execute(change)
    ledger.dispose()


def test_an_old_ledger_becomes_a_new_one(url: str) -> None:
    """Alembic changes tables in each database's own way."""
    new = create_ledger(url)
    before = shape(new)
    with new.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name in ADDED:
                table.drop(connection)
        for table, column in (
            ("rule_states", "over_days"), ("alerts", "value_text"), ("alerts", "snoozed_until"),
            ("actions", "kind"), ("actions", "recipient"), ("actions", "batch"),
            ("actions", "dead_at"),
        ):  # fmt: skip
            connection.execute(sa.text(f"alter table {table} drop column {column}"))
        connection.execute(sa.text("alter table alerts alter column threshold set not null"))
        connection.execute(sa.text("alter table actions alter column alert_id set not null"))
        versions.drop(connection)
    new.dispose()
    again = create_ledger(url)
    assert shape(again) == before
    with again.connect() as connection:
        assert connection.scalar(sa.select(versions.c.version_num)) == REVISION
    again.dispose()


ADDED = {
    "held_rules", "missing_owners", "workflow_steps", "alert_tasks", "workflow_audit_log",
    "run_results", "check_results", "checks", "ops_findings",
}  # fmt: skip


def shape(engine: sa.Engine) -> dict[str, dict[str, tuple[str, bool]]]:
    inspector = sa.inspect(engine)
    return {
        table: {
            column["name"]: (str(column["type"]), column["nullable"])
            for column in inspector.get_columns(table)
        }
        for table in sorted(inspector.get_table_names())
    }
