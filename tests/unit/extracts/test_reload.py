"""What was rejected is read again, in place of what the same delivery had loaded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assets.extracts import batches
from assets.extracts.errors import ExtractError
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.reload import Reload, reload_files

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
COMMAS = (
    "name: mine\ndescription: Mine.\nextends: canonical\n"
    "tables: {events.events: {columns: {quantity: {from: quantity, map: {many: '9', '1': '1'}}}}}\n"
)


def reload(bench: Any, *files: str, rejected: bool = False, **options: Any) -> Reload:
    landing = open_landing(bench.landing)
    return reload_files(
        bench.connection,
        profile=profile_for(landing, None),
        landing=landing,
        known=KnownLog.beside(landing, otherwise=bench.landing.parent / "home"),
        reload_id="reload",
        reloaded_at=datetime(2031, 1, 1, tzinfo=UTC),
        files=files or None,
        rejected=rejected,
        **options,
    )


def test_rejected_rows_are_read_under_the_mended_profile(bench: Any, events: Any) -> None:
    """A batch that blocks every release until the source sends its files anew."""
    bench.write("events/events/a.csv", events("e1"))
    bench.write("events/events/b.csv", events("e2", quantity="many"))
    bench.load("events.events", FIRST)
    before = bench.rows(
        "select delivery_id, path_version, first_as_of, known_at, run_id from landing.deliveries"
    )
    bench.write("profile.yml", COMMAS)
    done = reload(bench, rejected=True)
    (one,) = done.reloaded
    assert (one.reason, one.before.rows_rejected, one.after.rows_rejected) == (
        "rejected rows",
        1,
        0,
    )
    assert bench.rows("select event_id, quantity::int from events.events order by 1") == [
        ("e1", 1), ("e2", 9),
    ]  # fmt: skip
    assert bench.rows("from landing.quarantine") == []
    assert before == bench.rows(
        "select delivery_id, path_version, first_as_of, known_at, run_id from landing.deliveries"
    )
    assert bench.rows(
        "select path, reason, profile, rows_loaded_before, rows_rejected_before, rows_loaded "
        "from landing.reloads"
    ) == [("events/events/b.csv", "rejected rows", "mine", 0, 1, 1)]
    assert bench.load("events.events", FIRST + timedelta(days=1)).files_new == 0


def test_a_reload_ends_where_a_clean_load_ends(bench: Any, events: Any, accounts: Any) -> None:
    """Rows that a reload loses or counts twice, of any of several tables."""
    bench.write("events/events/a.csv", events("e1", "e2", quantity="many"))
    bench.write("events/events/b.csv", events("e2", "e3"))
    bench.write("crm/accounts/a.csv", accounts("a1"))
    for table in ("events.events", "crm.accounts"):
        bench.load(table, FIRST)
    bench.write("profile.yml", COMMAS)
    done = reload(bench, "events/events/a.csv", f"{bench.landing}/crm/accounts/a.csv")
    assert [one.after.rows_loaded for one in done.reloaded] == [1, 2]
    tallies = bench.rows(
        "select rows_read - rows_loaded - rows_rejected - rows_duplicate from landing.deliveries"
    )
    assert tallies == [(0,)] * 3
    contents = [bench.content(t) for t in ("events.events", "crm.accounts")]
    bench.rebuild()
    for table in ("events.events", "crm.accounts"):
        bench.load(table, FIRST + timedelta(days=9))
    assert contents == [bench.content(t) for t in ("events.events", "crm.accounts")]


def test_a_row_that_is_rejected_now_gives_its_place_to_its_duplicate(
    bench: Any, events: Any
) -> None:
    """An event that nobody has any more, because the file that had it is judged more strictly."""
    bench.write("events/events/a.csv", events("e1", quantity="2"))
    bench.write("events/events/b.csv", events("e1"))
    bench.load("events.events", FIRST)
    bench.write("profile.yml", COMMAS)
    reload(bench, "events/events/a.csv")
    assert bench.rows("select event_id, quantity::int from events.events") == [("e1", 1)]


def test_refused_files_of_several_tables_are_accepted_once_they_can_be_read(
    bench: Any, events: Any, accounts: Any
) -> None:
    """Files that stay refused though the profile was mended, or two under one number."""
    bench.write("events/events/a.csv", events("e1").replace(",", ";"))
    bench.write("crm/accounts/a.csv", accounts("a1").replace(",", ";"))
    bench.write("crm/accounts/b.csv", "")
    for table in ("events.events", "crm.accounts"):
        bench.load(table, FIRST)
    bench.write(
        "profile.yml",
        "name: mine\ndescription: Mine.\nextends: canonical\ndelimiter: ';'\n",
    )
    done = reload(bench, rejected=True)
    assert [one.reason for one in done.reloaded] == ["refused until now"] * 2
    assert [sentence.split(":")[0] for sentence in done.still_refused] == ["crm/accounts/b.csv"]
    assert bench.rows(
        "select path, state, first_as_of from landing.deliveries order by state, path"
    ) == [
        ("crm/accounts/a.csv", "loaded", FIRST),
        ("events/events/a.csv", "loaded", FIRST),
        ("crm/accounts/b.csv", "refused", FIRST),
    ]


def test_a_file_that_is_no_longer_there_is_one_sentence(bench: Any, events: Any) -> None:
    """Rows taken back for a file from which they cannot be read again."""
    file = bench.write("events/events/a.csv", events("e1", quantity="many"))
    bench.load("events.events", FIRST)
    file.unlink()
    before = bench.rows("from landing.deliveries")
    said = r"events/events/a.csv: does not lie in the landing with the content that was loaded"
    with pytest.raises(ExtractError, match=said):
        reload(bench, "events/events/a.csv")
    assert [s.split(":")[0] for s in reload(bench, rejected=True).missing] == [
        "events/events/a.csv"
    ]
    with pytest.raises(ExtractError, match=r"^nothing.csv: no delivery of this path is loaded"):
        reload(bench, "nothing.csv")
    assert bench.rows("from landing.deliveries") == before


def test_a_file_that_cannot_be_read_any_more_keeps_what_it_had_loaded(
    bench: Any, events: Any
) -> None:
    """A mistake in the profile that empties a table."""
    bench.write("events/events/a.csv", events("e1"))
    bench.load("events.events", FIRST)
    bench.write(
        "profile.yml", "name: mine\ndescription: Mine.\nextends: canonical\ndelimiter: ';'\n"
    )
    with pytest.raises(ExtractError, match=r"Nothing was reloaded: what it had loaded stays\.$"):
        reload(bench, "events/events/a.csv")
    assert bench.rows("select event_id from events.events") == [("e1",)]


def test_a_reload_that_is_killed_has_changed_nothing(
    bench: Any, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One table reloaded and the other not, or rows without their log."""
    bench.write("events/events/a.csv", events("e1", quantity="many"))
    bench.load("events.events", FIRST)
    bench.write("profile.yml", COMMAS)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_watermark", die)
        with pytest.raises(KeyboardInterrupt):
            reload(bench, rejected=True)
    assert bench.rows("select count(*) from landing.quarantine") == [(1,)]
    assert bench.rows("from landing.reloads") == []
    assert len(reload(bench, rejected=True).reloaded) == 1
