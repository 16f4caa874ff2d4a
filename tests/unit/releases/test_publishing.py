"""Write, audit, publish: in which order, and what is left where something stops half way."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.releases import folders, history, tables
from assets.releases.publishing import UnauditedReleaseError, heal, publish
from tests.unit.releases.small_build import (
    FIVE,
    FOUR,
    ONE,
    THREE,
    TWO,
    check,
    open_build,
    read,
    request,
    run,
    show,
)


class Killed(BaseException):
    """Stands for a process that ends: nothing after it runs."""


def kill(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A run that ends where it would have called a function of `folders`."""

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(folders, name, die)
        with pytest.raises(Killed):
            run(folder, TWO, {ONE: 10})


def healed(folder: Path) -> list[str]:
    with open_build(folder) as build:
        return heal(build, folder / "releases")


def test_a_release_is_current_and_opens(tmp_path: Path) -> None:
    """A release without rows, without its record or without a name."""
    done = run(tmp_path, TWO, {ONE: 10})
    assert (done.release_id, done.is_current) == ("000001-2025-01-02", True)
    assert read(tmp_path, "select * from accounts.account_metrics_daily") == [("a", ONE, 10)]
    assert read(tmp_path, "select release_id from meta.releases") == [("000001-2025-01-02",)]
    assert done.manifest["watermarks"] == {"crm": "2025-01-02"}
    assert done.shown_rows == dict.fromkeys(history.SHOWN, 1)


def test_comments_are_carried_over(tmp_path: Path) -> None:
    """`create table as` drops them, and a quote in one must not end the statement."""
    run(tmp_path, TWO, {ONE: 10})
    table = "select comment from duckdb_tables() where table_name = 'account_metrics_daily'"
    column = "select comment from duckdb_columns() where column_name = 'mrr'"
    assert read(tmp_path, table) == [("One row per account's day.",)]
    assert read(tmp_path, column) == [("What it pays.",)]


def test_a_red_blocking_check_publishes_nothing(tmp_path: Path) -> None:
    """A release without a green audit, or history of one that never was."""
    with open_build(tmp_path) as build:
        show(build, {ONE: 10})
        asked = request(TWO, check(passed=False, severity="block"))
        with pytest.raises(UnauditedReleaseError) as refused:
            publish(build, tmp_path / "releases", asked)
        assert history.is_empty(build)
    assert str(refused.value) == (
        "No release: adds_up on accounts/x failed. The last release stays current; mend the data "
        "or the definition and run again."
    )
    assert not (tmp_path / "releases").exists()


def test_a_warning_is_published_with_the_release(tmp_path: Path) -> None:
    """A warning that stops a release, or that nobody can read in it."""
    with open_build(tmp_path) as build:
        publish(build, tmp_path / "releases", request(TWO, check(passed=False, severity="warn")))
    assert read(tmp_path, "select check_name, severity, is_passed, summary from meta.checks") == [
        ("adds_up", "warn", False, "said")
    ]


def test_days_that_were_shown_are_appended_once(tmp_path: Path) -> None:
    """A day that a later run shows otherwise, or that stands twice."""
    run(tmp_path, TWO, {ONE: 10})
    done = run(tmp_path, THREE, {ONE: 99, TWO: 20})
    assert done.shown_rows["account_metrics_daily"] == 1
    with open_build(tmp_path) as build:
        kept = build.execute("select day, mrr from history.account_metrics_daily order by day")
        assert kept.fetchall() == [(ONE, 10), (TWO, 20)]


def test_a_metric_that_is_new_is_null_in_the_days_before_it(tmp_path: Path) -> None:
    """A new column that stops the append, or shifts the others by one."""
    run(tmp_path, TWO, {ONE: 10})
    with open_build(tmp_path) as build:
        show(build, {TWO: 20})
        build.execute("alter table accounts.account_metrics_daily add column dau bigint default 7")
        publish(build, tmp_path / "releases", request(THREE))
        kept = build.execute("select mrr, dau from history.account_metrics_daily order by day")
        assert kept.fetchall() == [(10, None), (20, 7)]


def test_an_older_as_of_does_not_become_current(tmp_path: Path) -> None:
    """Dashboards that go back in time because somebody ran an old day."""
    run(tmp_path, THREE, {ONE: 10, TWO: 20})
    done = run(tmp_path, TWO, {ONE: 10})
    assert (done.release_id, done.is_current) == ("000002-2025-01-02", False)
    assert (tmp_path / "releases" / "current").readlink() == Path("000001-2025-01-03")


def test_the_same_as_of_becomes_current(tmp_path: Path) -> None:
    """A rerun after a fix that nobody ever sees."""
    run(tmp_path, TWO, {ONE: 10})
    assert run(tmp_path, TWO, {ONE: 10}).is_current


def test_marts_that_stand_are_copied_with_their_file(tmp_path: Path) -> None:
    """A run with nothing new that writes every mart again, or forgets what is new beside them."""
    first = run(tmp_path, TWO, {ONE: 10})
    with open_build(tmp_path) as build:
        # No build took the release out of the book: only its file can have the 10 now.
        build.execute("update accounts.account_metrics_daily set mrr = 99")
        warned = request(TWO, check(passed=False, severity="warn"))
        second = publish(build, tmp_path / "releases", warned)
    assert second.manifest["tables"] == first.manifest["tables"]
    assert read(tmp_path, "select mrr from accounts.account_metrics_daily") == [(10,)]
    assert read(tmp_path, "select is_passed from meta.checks") == [(False,)]
    assert read(tmp_path, "select release_id from meta.releases order by all") == [
        (first.release_id,),
        (second.release_id,),
    ]
    file = tmp_path / "releases" / second.release_id / "csw.duckdb"
    with duckdb.connect(str(file)) as writer:
        writer.execute("delete from accounts.account_metrics_daily")
    with open_build(tmp_path) as build:
        publish(build, tmp_path / "releases", request(TWO))
    assert read(tmp_path, "select mrr from accounts.account_metrics_daily") == [(99,)]
    assert read(tmp_path, "select check_name from meta.checks") == []


def test_of_long_tables_the_months_are_written_that_read_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release of years that is written anew for a day's rows; a month that is stale in it."""
    renewed: dict[str, list[date] | None] = {}
    renew = tables.renew_months

    def told(connection: duckdb.DuckDBPyConnection, name: str) -> list[date] | None:
        renewed[name] = renew(connection, name)
        return renewed[name]

    monkeypatch.setattr(tables, "LONG_ROWS", 3)
    monkeypatch.setattr(tables, "renew_months", told)
    january, february, march = date(2025, 1, 31), date(2025, 2, 1), date(2025, 3, 1)
    with open_build(tmp_path) as build:
        build.execute("create table accounts.dated (day date, said varchar)")
        build.execute("insert into accounts.dated (said) values ('a'), ('b'), ('c')")
        build.execute("create table accounts.undated as select unnest([1, 2, 3]) as n")
        build.execute(
            "create table accounts.widened as select date '2025-01-01' as d from range(3)"
        )
        build.execute("create table accounts.gone as from accounts.widened")
    run(tmp_path, TWO, {ONE: 10, january: 11, february: 20, march: 30})
    assert set(renewed.values()) == {None}
    renewed.clear()
    with open_build(tmp_path) as build:
        build.execute("update accounts.dated set said = 'd' where said = 'c'")
        build.execute("insert into accounts.undated values (4)")
        build.execute("alter table accounts.widened add column n bigint")
        build.execute("drop table accounts.gone")
    shown = {ONE: 10, january: 11, february: 21, date(2025, 4, 5): 40}
    second = run(tmp_path, THREE, shown)
    changed = [date(2025, month, 1) for month in (2, 3, 4)]
    assert renewed["accounts.account_metrics_daily"] == changed
    assert renewed["health.fct_account_health_daily"] == changed[1:]
    assert renewed["accounts.dated"] == [date(1, 1, 1)]
    assert renewed["accounts.undated"] is None
    assert renewed["accounts.widened"] is None
    assert "accounts.gone" not in second.manifest["tables"]
    file = tmp_path / "releases" / "current" / "csw.duckdb"
    with open_build(tmp_path) as build:
        build.execute(f"attach '{file}' as release (read_only)")
        for name, copy in second.manifest["tables"].items():
            alike = build.execute(
                f"select count(*) from (from build.{name} except all from release.{name})"  # noqa: S608
            ).fetchone()
            assert alike == (0,), name
            rows = build.execute(f"select count(*) from build.{name}").fetchone()  # noqa: S608
            assert rows == (copy["rows"],), name
    said = "select comment from duckdb_tables() where table_name = 'account_metrics_daily'"
    assert read(tmp_path, said) == [("One row per account's day.",)]


def test_a_damaged_release_is_no_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that can never be made again, since the last one's file lost some bytes."""
    monkeypatch.setattr(tables, "LONG_ROWS", 1)
    first = run(tmp_path, TWO, {ONE: 10})
    (first.folder / "csw.duckdb").write_bytes(b"half a file")
    run(tmp_path, THREE, {ONE: 10, TWO: 20})
    assert read(tmp_path, "select mrr from accounts.account_metrics_daily order by 1") == [
        (10,),
        (20,),
    ]


def test_a_kill_before_the_record_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a release that a later run gives a name."""
    kill(tmp_path, monkeypatch, "seal")
    assert healed(tmp_path) == ["removed the unfinished .building-000001-2025-01-02"]
    assert folders.list_releases(tmp_path / "releases") == []
    assert run(tmp_path, TWO, {ONE: 10}).release_id == "000001-2025-01-02"


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("reveal", ["revealed {}, which was recorded before a kill"]),
        ("flip", []),
    ],
)
def test_a_kill_after_the_record_is_finished_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, said: list[str]
) -> None:
    """Days recorded as shown in a release that nobody can open."""
    kill(tmp_path, monkeypatch, point)
    said = [*said, "flipped to {}, which was recorded before a kill"]
    assert healed(tmp_path) == [text.format("000001-2025-01-02") for text in said]
    assert read(tmp_path, "select day from accounts.account_metrics_daily") == [(ONE,)]
    assert healed(tmp_path) == []
    assert run(tmp_path, TWO, {ONE: 10}).release_id == "000002-2025-01-02"


def test_a_rebuild_takes_over_what_the_current_release_shows(tmp_path: Path) -> None:
    """A build that was lost, and with it what was shown."""
    run(tmp_path, THREE, {ONE: 10, TWO: 20})
    (tmp_path / "build.duckdb").unlink()
    assert healed(tmp_path) == ["took over 2 shown days from release 000001-2025-01-03"]
    assert healed(tmp_path) == []
    done = run(tmp_path, date(2025, 1, 4), {ONE: 99, TWO: 99, THREE: 30})
    assert done.release_id == "000002-2025-01-04"
    with open_build(tmp_path) as build:
        kept = build.execute("select mrr from history.account_metrics_daily order by day")
        assert kept.fetchall() == [(10,), (20,), (30,)]


def test_a_link_that_a_kill_left_is_written_anew(tmp_path: Path) -> None:
    """A `current` that can never flip again."""
    releases = tmp_path / "releases"
    releases.mkdir()
    (releases / ".current-000001-2025-01-02").symlink_to("nowhere")
    assert run(tmp_path, TWO, {ONE: 10}).is_current


def test_what_was_configured_is_kept_with_the_release_that_it_is_valid_from(
    tmp_path: Path,
) -> None:
    """Weights of an earlier day that nobody can tell any more, or that repeat in every release."""

    def configure(version: str, weight: str, *changed_by: str) -> None:
        with open_build(tmp_path) as build:
            build.execute("delete from reference.configuration")
            build.execute(
                "insert into reference.configuration values (?, 'conditions.csv', 1, 'weight', ?)",
                [version, weight],
            )
            for row, who in enumerate(changed_by, start=1):
                build.execute(
                    "insert into reference.configuration "
                    "values (?, 'configuration_changes.csv', ?, 'changed_by', ?)",
                    [version, row, who],
                )

    for as_of, *configured in (
        (ONE, "v1", "5"),
        (TWO, "v1", "5"),
        (THREE, "v2", "7", "Ann"),
        (FOUR, "v3", "7", "Ann", "Bob", "Ann"),
        (FIVE, "v4", "8", "Ann", "Bob", "Ann"),
    ):
        configure(*configured)
        run(tmp_path, as_of, {})
    told = (
        "select version, value, valid_from_release, who from meta.configuration "
        "where column_name = 'weight' order by all"
    )
    kept = [
        ("v1", "5", "000001-2025-01-01", None),
        ("v2", "7", "000003-2025-01-03", "Ann"),
        ("v3", "7", "000004-2025-01-04", "Ann, Bob"),
        ("v4", "8", "000005-2025-01-05", None),
    ]
    assert read(tmp_path, told, "000002-2025-01-02") == kept[:1]
    assert read(tmp_path, told) == kept
    (tmp_path / "build.duckdb").unlink()
    healed(tmp_path)
    with open_build(tmp_path) as build:
        assert build.execute(told.replace("meta.", "history.")).fetchall() == kept
