"""A real help desk's log, every update of 24,918 tickets, through the marts about tickets.

The log (ServiceNow, UCI; d/m/Y, minutes, `?` is null) says of each update what the ticket was from
then on. Its own count of reopenings, 331 over 275 tickets, is what the open intervals must tell.
Minutes hold several updates: the file's order decides, as microseconds. A location stands for an
account.
"""

import csv
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import pytest

from tests.integration.compiled_warehouse import ROOT, Warehouse

LOG = ROOT.parent / "shared/data/incidents/incident_event_log.zip"
WORDS = {"New": "new", "Active": "open", "Resolved": "solved", "Closed": "closed"}
SOLVED = {"solved", "closed"}
AFTER = datetime(2017, 3, 1, tzinfo=UTC)
AMID = datetime(2016, 5, 11, 9, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

needs_data = pytest.mark.skipif(not LOG.is_file(), reason="../shared/data/incidents is absent")

Update = tuple[datetime, str, str]


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A ticket of the log: its last line, and each update's instant, state and priority."""

    last: Mapping[str, str]
    opened_at: datetime
    updates: Sequence[Update]


@cache
def incidents() -> dict[str, Incident]:
    """The log's tickets by number."""
    lines: dict[str, list[dict[str, str]]] = defaultdict(list)
    with zipfile.ZipFile(LOG) as archive, archive.open("incident_event_log.csv") as raw:
        for line in csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8")):
            lines[line["number"]].append(line)
    return {number: _incident(of_one) for number, of_one in lines.items()}


def _incident(lines: Sequence[Mapping[str, str]]) -> Incident:
    updates: list[Update] = []
    for place, line in enumerate(lines):
        at = _instant(line["sys_updated_at"])
        assert at is not None
        at = max(at, updates[-1][0] if updates else at) + place * MICROSECOND
        state = line["incident_state"]
        word = "pending" if state.startswith("Awaiting") else WORDS.get(state, state)
        updates.append((at, word, line["priority"].partition(" - ")[2].lower()))
    opened = _instant(lines[-1]["opened_at"])
    assert opened is not None
    return Incident(last=lines[-1], opened_at=opened, updates=updates)


def _instant(text: str) -> datetime | None:
    if text == "?":
        return None
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


def _tables() -> dict[str, list[dict[str, Any]]]:
    """The log as canonical rows: a ticket as its last line says, and what changed when."""
    tickets = [_ticket(number, each) for number, each in incidents().items()]
    changes = [row for number, each in incidents().items() for row in _changes(number, each)]
    accounts = [
        {"account_id": name, "account_name": name, "created_at": "2016-01-01 00:00:00+00"}
        for name in sorted({ticket["account_id"] for ticket in tickets})
    ]
    return {"crm.accounts": accounts, "tickets.tickets": tickets, "tickets.ticket_changes": changes}


def _ticket(number: str, incident: Incident) -> dict[str, Any]:
    return {
        "ticket_id": number,
        "account_id": incident.last["location"],
        "status": incident.updates[-1][1],
        "priority": incident.updates[-1][2],
        "created_at": incident.opened_at,
        "solved_at": _instant(incident.last["resolved_at"]),
        "closed_at": _instant(incident.last["closed_at"]),
    }


def _changes(number: str, incident: Incident) -> Iterator[dict[str, Any]]:
    before: Update | None = None
    for update in incident.updates:
        for place, field in ((1, "status"), (2, "priority")):
            if before is None or before[place] != update[place]:
                yield {
                    "ticket_id": number,
                    "changed_at": update[0],
                    "field": field,
                    "old_value": before and before[place],
                    "new_value": update[place],
                }
        before = update


def _open_times(incident: Incident, as_of: datetime) -> list[tuple[datetime, datetime | None]]:
    """The log replayed: when it was open, as far as it tells before an instant."""
    turns: list[tuple[datetime, datetime | None]] = [(incident.opened_at, None)]
    for at, state, _ in incident.updates:
        if at < as_of and state != "-100":
            start, end = turns[-1]
            if state in SOLVED and end is None:
                turns[-1] = (start, max(at, start))
            elif state not in SOLVED and end is not None:
                turns.append((max(at, incident.opened_at), None))
    return turns


@pytest.fixture(scope="module")
def desk(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts after the log's end."""
    made = warehouse.only("fct_tickets", "support_monthly", "account_support")
    with closing(made.build(_tables(), AFTER)) as build:
        yield build


@needs_data
def test_every_reopening_of_the_log_is_one(desk: duckdb.DuckDBPyConnection) -> None:
    """Prevents intervals that miss a reopening, or make one of a vendor's wait or of a closing."""
    assert sum(len(each.updates) for each in incidents().values()) == 141_712
    assert desk.execute(
        "select count(*), sum(reopen_count), count(*) filter (reopen_count > 0), "
        "bool_or(is_open), bool_or(is_history_assumed) from support.fct_tickets"
    ).fetchall() == [(24_918, 331, 275, False, False)]
    made = desk.execute("select ticket_id, reopen_count from support.fct_tickets").fetchall()
    logged = {number: int(each.last["reopen_count"]) for number, each in incidents().items()}
    assert dict(made) == logged


@needs_data
def test_open_time_is_that_of_the_log(desk: duckdb.DuckDBPyConnection) -> None:
    """Prevents a ticket that stays open until the archive closes it, days after its solution."""
    replayed = {
        number: sum(
            (end - start) // MICROSECOND
            for start, end in _open_times(each, AFTER)
            if end is not None
        )
        for number, each in incidents().items()
    }
    made = desk.execute("select ticket_id, open_us from support.fct_tickets").fetchall()
    assert dict(made) == replayed


@needs_data
def test_months_are_those_of_the_log(desk: duckdb.DuckDBPyConnection) -> None:
    """Prevents a ticket that counts twice in a month, or not in one that it is only open in."""
    opened, closed, touched, left = _by_month(AFTER)
    made = desk.execute(
        "select month, sum(opened)::int, sum(closed)::int, sum(open_at_any_time)::int, "
        "sum(open_at_month_end)::int, sum(open_days_number)::int "
        "from support.support_monthly group by month order by month"
    ).fetchall()
    assert made == [
        (month, opened[month], closed[month], touched[month], left[month], touched[month])
        for month in sorted({row[0] for row in made} | set(opened))
    ]
    assert sum(opened.values()) == 24_918
    assert made[-1][0] == date(2017, 2, 1)


@needs_data
def test_the_log_is_read_up_to_the_as_of_instant(warehouse: Warehouse) -> None:
    """Prevents a ticket of the past that already knows its solution: the last lines say Closed."""
    made = warehouse.only("account_support", "support_monthly")
    with closing(made.build(_tables(), AMID)) as build:
        now = build.execute("select sum(open_tickets)::int from support.account_support").fetchall()
        month = build.execute(
            "select sum(opened)::int, sum(closed)::int, sum(open_at_month_end)::int "
            "from support.support_monthly where is_partial"
        ).fetchall()
    may = date(2016, 5, 1)
    opened, closed, _, left = _by_month(AMID)
    assert now == [(left[may],)]
    assert month == [(opened[may], closed[may], left[may])]


def _by_month(as_of: datetime) -> tuple[Counter[date], ...]:
    """Tickets by month as the log has them: opened, closed, open in it, open at its end."""
    opened: Counter[date] = Counter()
    closed: Counter[date] = Counter()
    touched: Counter[date] = Counter()
    left: Counter[date] = Counter()
    for each in incidents().values():
        if each.opened_at >= as_of:
            continue
        turns = _open_times(each, as_of)
        opened[_month(each.opened_at)] += 1
        closed.update({_month(end) for _, end in turns if end is not None})
        touched.update({month for turn in turns for month in _months(turn, as_of)})
        left.update({month for turn in turns for month in _months(turn, as_of, ends=True)})
    return opened, closed, touched, left


def _months(
    turn: tuple[datetime, datetime | None], as_of: datetime, *, ends: bool = False
) -> list[date]:
    """The months that a time lies in; or those over whose ends it lasts."""
    start, end = turn
    last = as_of - MICROSECOND if end is None else max(end - MICROSECOND, start)
    month, found = _month(start), []
    while month <= _month(last):
        following = _month(datetime(month.year, month.month, 28, tzinfo=UTC) + timedelta(days=4))
        stays = end is None or end >= datetime(following.year, following.month, 1, tzinfo=UTC)
        if stays or not ends:
            found.append(month)
        month = following
    return found


def _month(instant: datetime) -> date:
    return instant.date().replace(day=1)
