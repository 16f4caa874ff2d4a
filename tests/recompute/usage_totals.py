"""Totals of use over many events, in plain Python that goes over each event once; no shared code.

Source of every rule: the project's spec 30 (first paragraph) and spec 00 (time, words). For worlds
too large for `activity`, and with less in them: nobody is internal, identified later or a test.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby, pairwise

SESSION_GAP = timedelta(minutes=30)
SESSION_CAP = timedelta(hours=12)
NOTHING = timedelta()


@dataclass(frozen=True, kw_only=True)
class Use:
    """One event: whose, when, of what; a heartbeat is no use and makes nobody active."""

    account_id: str
    user_id: str | None
    at: datetime
    package: str = "(none)"
    module: str = "(none)"
    feature: str = "(none)"
    quantity: int = 1
    session_id: str | None = None
    is_heartbeat: bool = False


Day = tuple[str, date]
What = tuple[str, str, str, str, date]


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What was counted: by account and local day, and by account, package, module, feature, month.

    `active` are the identified users of a day, `sessions` and `seconds` everybody's.
    """

    active: Mapping[Day, frozenset[str]]
    sessions: Mapping[Day, int]
    seconds: Mapping[Day, float]
    events: Mapping[Day, int]
    uses: Mapping[What, int]
    users: Mapping[What, frozenset[str]]
    seen: Mapping[tuple[str, str], tuple[datetime, datetime]]

    def active_users(self, account_id: str, days: Sequence[date], window: int) -> Iterator[int]:
        """How many users were active in the `window` days that end with each day, day by day."""
        last: dict[str, date] = {}
        for day in days:
            last |= dict.fromkeys(self.active.get((account_id, day), ()), day)
            first = day - timedelta(days=window - 1)
            last = {user: seen for user, seen in last.items() if seen >= first}
            yield len(last)


def count(events: Iterable[Use], zone: tzinfo) -> Totals:
    """Counts events by the days and months of a zone."""
    active: dict[Day, set[str]] = defaultdict(set)
    number: Counter[Day] = Counter()
    uses: Counter[What] = Counter()
    users: dict[What, set[str]] = defaultdict(set)
    visits: dict[tuple[str, str, date, str], list[datetime]] = defaultdict(list)
    seen: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    for event in events:
        day = event.at.astimezone(zone).date()
        who = event.user_id or ""
        visits[event.account_id, who, day, event.session_id or ""].append(event.at)
        number[event.account_id, day] += 1
        if event.is_heartbeat:
            continue
        what = (event.account_id, event.package, event.module, event.feature, day.replace(day=1))
        uses[what] += event.quantity
        if event.user_id is not None:
            first, last = seen.get((event.account_id, who), (event.at, event.at))
            seen[event.account_id, who] = min(first, event.at), max(last, event.at)
            active[event.account_id, day].add(who)
            users[what].add(who)
    sessions, seconds = _sessions(visits)
    return Totals(
        active={key: frozenset(names) for key, names in active.items()},
        sessions=sessions,
        seconds=seconds,
        events=number,
        uses=uses,
        users={key: frozenset(names) for key, names in users.items()},
        seen=seen,
    )


def _sessions(
    visits: Mapping[tuple[str, str, date, str], list[datetime]],
) -> tuple[dict[Day, int], dict[Day, float]]:
    """Sessions and their seconds by account and day; a source's own session has no gaps."""
    sessions: Counter[Day] = Counter()
    lengths: dict[Day, timedelta] = defaultdict(timedelta)
    for (account, _, day, named), times in visits.items():
        for length in _lengths(sorted(times), is_named=bool(named)):
            sessions[account, day] += 1
            lengths[account, day] += min(length, SESSION_CAP)
    return dict(sessions), {key: length.total_seconds() for key, length in lengths.items()}


def _lengths(times: list[datetime], *, is_named: bool) -> list[timedelta]:
    found = [NOTHING]
    for before, after in pairwise(times):
        if is_named or after - before < SESSION_GAP:
            found[-1] += after - before
        else:
            found.append(NOTHING)
    return found


def by_account(days: Iterable[Day]) -> Iterator[tuple[str, list[date]]]:
    """The days of each account, in order."""
    for account, own in groupby(sorted(days), key=lambda key: key[0]):
        yield account, [day for _, day in own]


def utc(text: str) -> datetime:
    """An instant that is written without its offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
