"""A landing is judged without anything being loaded or written."""

from pathlib import Path
from typing import Any

from assets.extracts.checking import LandingCheck, check_landing
from assets.extracts.landing import open_landing, profile_for


def check(bench: Any) -> LandingCheck:
    landing = open_landing(bench.landing)
    return check_landing(landing, profile_for(landing, None))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(f): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_it_says_what_would_become_of_every_file(bench: Any, events: Any, accounts: Any) -> None:
    """A check that knows less than the load that follows it."""
    bench.write("events/events/a.csv", events("e1", "e2") + "e3,a1,u1,soon,use,1\n")
    bench.write("events/events/b.csv", events("e2") + "e4,a1,u1,later,use,1\n")
    bench.write("events/events/c.csv", "")
    bench.write("crm/accounts/a.csv", accounts("a1"))
    bench.write("crm/accouts/b.csv", accounts("a2"))
    bench.write("profile.yml", "name: mine\ndescription: Mine.\nextends: canonical\n")
    before = everything(bench.landing.parent)
    said = check(bench)
    assert everything(bench.landing.parent) == before
    assert [table.load.table for table in said.tables] == ["crm.accounts", "events.events"]
    assert said.unclaimed == ("crm/accouts/b.csv",)
    assert "tickets.tickets" in said.absent
    found = said.tables[1]
    assert (found.load.rows_loaded, found.load.rows_rejected, found.load.rows_duplicate) == (
        2,
        2,
        1,
    )
    (reason,) = found.reasons
    assert (reason.rule, reason.column_name, reason.rows) == ("type", "occurred_at", 2)
    assert reason.sentence.startswith("2 rows, such as events/events/a.csv, line 4: occurred_at")
    assert [sentence.split(":")[0] for sentence in said.refusals] == ["events/events/c.csv"]
    assert found.is_blocked(max_reject_share=0.01, max_rejects=1)
    assert not found.is_blocked(max_reject_share=0.01, max_rejects=2)


def test_it_agrees_with_the_load(bench: Any, events: Any) -> None:
    """A second judgement that drifts from the first."""
    bench.write("events/events/a.csv", events("e1", "e1", "e2", quantity="many") + "x,y\n")
    (checked,) = check(bench).tables
    loaded = bench.load("events.events")
    counts = ("rows_read", "rows_loaded", "rows_rejected", "rows_duplicate", "rejected_sample")
    assert [getattr(checked.load, n) for n in counts] == [getattr(loaded, n) for n in counts]
