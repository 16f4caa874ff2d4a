"""An older ledger is brought up to date without losing a row."""

import sqlite3
from pathlib import Path

import sqlalchemy as sa

from assets.alerts.delivery import deliver
from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import create_ledger
from assets.alerts.ledger_tables import REVISION, alerts, metadata
from assets.alerts.migrating import versions
from assets.alerts.operations import last_runs
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import rule, ruleset, told

OLD = Path(__file__).parent / "ledger_before_migrations.sql"
SCRIPTS = Path(__file__).parents[3] / "assets" / "alerts" / "migrations" / "versions"

# What the third migration changes, as the second one left it.
AT_TWO = """
create table alembic_version (version_num varchar(32) not null primary key);
insert into alembic_version values ('0002');
create table run_results (
    run_id text not null, job text not null, as_of datetime, is_green boolean not null,
    failures json not null, ended_at datetime not null, primary key (run_id)
);
create table check_results (
    run_id text not null, asset text not null, "check" text not null, severity text not null,
    passed boolean not null, summary text not null, ended_at datetime not null,
    primary key (run_id, asset, "check")
);
insert into run_results values ('r', 'daily', null, 0, '[]', '2025-03-01 05:00:00.000000');
insert into check_results values
    ('r', 'crm/accounts', 'adds_up', 'block', 0, '3 rows', '2025-03-01 05:00:00.000000');
"""


def old_ledger(path: Path) -> sa.Engine:
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD.read_text("utf-8"))
    connection.close()
    return create_ledger(f"sqlite:///{path}")


def shape(engine: sa.Engine) -> dict[str, object]:
    """Columns, conditions, keys and indexes of every table."""
    inspector = sa.inspect(engine)
    return {
        table: (
            {
                column["name"]: (str(column["type"]), column["nullable"], column["primary_key"])
                for column in inspector.get_columns(table)
            },
            sorted(check["sqltext"] for check in inspector.get_check_constraints(table)),
            sorted(key["referred_table"] for key in inspector.get_foreign_keys(table)),
            sorted((index["name"], index["unique"]) for index in inspector.get_indexes(table)),
        )
        for table in inspector.get_table_names()
    }


def test_an_old_ledger_becomes_a_new_one(tmp_path: Path) -> None:
    """A column, a condition or an index that only new ledgers have."""
    old = old_ledger(tmp_path / "old.sqlite")
    new = create_ledger(f"sqlite:///{tmp_path / 'new.sqlite'}")
    assert shape(old) == shape(new)
    assert set(shape(new)) == {*metadata.tables, versions.name}


def test_what_checks_said_so_far_is_kept(tmp_path: Path) -> None:
    """Red runs of a year forgotten, or a ledger that can't be opened, after an upgrade."""
    with sqlite3.connect(tmp_path / "two.sqlite") as connection:
        connection.executescript(AT_TWO)
    connection.close()
    two = create_ledger(f"sqlite:///{tmp_path / 'two.sqlite'}")
    assert shape(two) == shape(create_ledger(f"sqlite:///{tmp_path / 'new.sqlite'}"))
    (run,) = last_runs(two)
    assert (run.asked_by, [check.summary for check in run.checks]) == (None, ["3 rows"])


def test_what_an_old_ledger_knows_goes_on(tmp_path: Path, releases: Path) -> None:
    """An open alert that opens again, and a message that is never told, after an upgrade."""
    ledger = old_ledger(tmp_path / "old.sqlite")
    assert deliver(ledger, tmp_path / "outbox", now=RECORDED_AT).sent == 1
    publish(releases, 2, march(3), series("a", [39, 39, 50]))
    found = evaluate(ledger, releases, ruleset(rule()), recorded_at=RECORDED_AT)
    assert told(found) == [(march(3), "health_fell_below_40", "resolved", "recovered")]
    with ledger.connect() as connection:
        assert connection.scalars(sa.select(alerts.c.status)).all() == ["resolved"]


def test_the_newest_migration_is_the_revision_of_new_ledgers() -> None:
    """A new ledger that says it is older would be migrated, and break."""
    assert max(path.name for path in SCRIPTS.glob("[0-9]*.py")).startswith(REVISION)


def test_an_opened_ledger_is_migrated_once(tmp_path: Path) -> None:
    """A second start that runs the migrations again would fail on columns that are there."""
    old_ledger(tmp_path / "old.sqlite").dispose()
    again = create_ledger(f"sqlite:///{tmp_path / 'old.sqlite'}")
    with again.connect() as connection:
        assert connection.scalar(sa.select(versions.c.version_num)) == REVISION
