"""A sample of extracts, in the canonical shape: the same arguments give the same bytes, always.

The first delivery holds the history up to a day, every later day brings one more. Nothing of a
day depends on the days after it, so a sample can grow: `write_sample` with a later `through`
adds files and touches none. Each file appears whole or not at all.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from assets.extracts.errors import ExtractError
from assets.extracts.sampling.accounts import EPOCH, Calendar, instant
from assets.extracts.sampling.billing import Billing, known_billing, plan_billing
from assets.extracts.sampling.changing import (
    CHANGING_TABLES,
    Changing,
    changed_rows,
    plan_changing,
    shaped,
)
from assets.extracts.sampling.crm import known_account_team, known_accounts, known_team, known_users
from assets.extracts.sampling.dirt import bad_ticket, history_dirt, with_dirt
from assets.extracts.sampling.events import draw_events
from assets.extracts.sampling.invoicing import TABLES, Invoicing, known_invoicing, plan_invoicing
from assets.extracts.sampling.rates import known_rates, plan_rates
from assets.extracts.sampling.tickets import draw_tickets, known_tickets
from assets.extracts.sampling.world import World, plan_world

FIRST_DAY = date(2025, 4, 1)
HISTORY_THROUGH = date(2026, 6, 23)
THROUGH = date(2026, 6, 30)
INSTANTS_AS_TEXT = "%Y-%m-%dT%H:%M:%S%.3fZ"
ENTITY_TABLES = (
    "crm.accounts", "crm.team_members", "crm.account_team", "events.users",
    "invoices.subscriptions", "invoices.subscription_items", "invoices.discounts",
    "tickets.tickets",
)  # fmt: skip
# Of these a delivery brings what is new or has changed, and none where nothing has.
GROWING_TABLES = (
    *(f"invoices.{table}" for table in TABLES), "invoices.fx_rates", *CHANGING_TABLES,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SampleSummary:
    """What stands in the landing and what this call added to it."""

    first_day: date
    history_through: date
    through: date
    accounts: int
    users: int
    subscriptions: int
    tickets: int
    events_written: int
    files_written: int


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """One sample while it is written."""

    landing: Path
    world: World
    billing: Billing
    invoicing: Invoicing
    rates: pl.DataFrame
    tickets: pl.DataFrame
    changing: Changing
    through: date

    @property
    def calendar(self) -> Calendar:
        return self.world.calendar


class SampleError(ExtractError):
    """The sample cannot be written there; one clear sentence."""


def write_sample(
    landing: Path,
    *,
    accounts: int = 60,
    seed: int = 7,
    first_day: date = FIRST_DAY,
    history_through: date = HISTORY_THROUGH,
    through: date = THROUGH,
) -> SampleSummary:
    """Writes the sample, or the days that it lacks.

    Args:
        landing: the landing folder; made if it is not there.
        accounts: accounts at the end of the history.
        seed: chooses the world.
        first_day: the first day with events.
        history_through: the last day of the first delivery.
        through: the last day that has a delivery.

    Raises:
        SampleError: the dates are out of order, or another sample or other data is there.
    """
    _refuse_disorder(accounts, first_day, history_through, through)
    calendar = Calendar(first_day=first_day, turn=history_through)
    said = f"accounts={accounts} seed={seed} {first_day} to {history_through}"
    full = {name: {"mode": "full"} for name in ENTITY_TABLES}
    claim_landing(landing, said, {"extends": "canonical", "tables": full})
    world = plan_world(seed, accounts, calendar, through)
    billing = plan_billing(seed, world.accounts, calendar)
    tickets = _tickets(world, through)
    sample = _Sample(
        landing=landing,
        world=world,
        billing=billing,
        invoicing=plan_invoicing(seed, world.accounts, billing, _end_of(through)),
        rates=plan_rates(seed, calendar, through),
        tickets=tickets,
        changing=plan_changing(world, billing, tickets, _end_of(through)),
        through=through,
    )
    events = [*_write_history(sample), *_write_days(sample)]
    snapshots = list(_write_snapshots(sample))
    last = _snapshot(sample, through)
    return SampleSummary(
        first_day=first_day,
        history_through=history_through,
        through=through,
        accounts=last["crm.accounts"].height,
        users=last["events.users"].height,
        subscriptions=last["invoices.subscriptions"].height,
        tickets=last["tickets.tickets"].height,
        events_written=sum(events),
        files_written=sum(1 for count in events if count) + sum(snapshots),
    )


def _refuse_disorder(accounts: int, first_day: date, turn: date, through: date) -> None:
    if not first_day <= turn <= through:
        raise SampleError(
            f"The sample's days run from {first_day} over {turn} to {through}; "
            "give them in that order."
        )
    if accounts < 1:
        raise SampleError(f"A sample has at least one account; {accounts} were asked for.")


def claim_landing(landing: Path, parameters: str, profile: Mapping[str, Any]) -> None:
    """Writes the landing's profile; its first line says which sample this is.

    Raises:
        SampleError: another sample, or other data, is there.
    """
    path = landing / "profile.yml"
    title = f"# Made by csw sample: {parameters}. Everything in this folder is invented.\n"
    if path.exists():
        if not path.read_text(encoding="utf-8").startswith(title):
            raise SampleError(
                f"{path}: this landing does not hold the sample {parameters}; "
                "choose an empty folder, or the arguments that it was made with."
            )
        return
    text = yaml.safe_dump(dict(profile), sort_keys=False)
    _write(path, lambda: (title + text).encode())


def _write_history(sample: _Sample) -> Iterator[int]:
    """The first delivery's events, one Parquet file a month; yields the rows of each new file."""
    for days in _months(sample.calendar):
        month = f"{instant(int(days[0])):%Y-%m}"
        rows = draw_events(sample.world, days, month.replace("-", ""), 0, int(days[0]))
        dirty = history_dirt(shaped(rows, "events.events"))
        path = _folder(sample, "events.events", sample.calendar.turn) / f"events-{month}.parquet"
        yield dirty.height * _write(path, partial(_parquet, dirty))


def _months(calendar: Calendar) -> Iterator[np.ndarray]:
    """The days of the history, month by month."""
    days = np.arange(calendar.first_day.toordinal() - EPOCH, calendar.day(0) + 1)
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    yield from np.split(days, np.flatnonzero(months[1:] != months[:-1]) + 1)


def _write_days(sample: _Sample) -> Iterator[int]:
    """One delivery of events for each day after the history; yields the rows of each new one."""
    for offset in range(1, (sample.through - sample.calendar.turn).days + 1):
        day = sample.calendar.turn + timedelta(days=offset)
        path = _folder(sample, "events.events", day) / "events.csv"
        if not path.exists():
            of_day = partial(_events_as_text, sample.world)
            rows = with_dirt(of_day(day), day, offset, of_day)
            yield rows.height * _write(path, partial(_csv, rows))


def _events_as_text(world: World, day: date) -> pl.DataFrame:
    """The clean events of one day after the history, or a second draw of one inside it."""
    number = day.toordinal() - EPOCH
    rows = draw_events(world, np.array([number]), f"{day:%Y%m%d}", 1, number)
    return _as_text(shaped(rows, "events.events"))


def _write_snapshots(sample: _Sample) -> Iterator[bool]:
    """Every entity table as it is at the end of each delivery's day; yields which were new."""
    for offset in range((sample.through - sample.calendar.turn).days + 1):
        day = sample.calendar.turn + timedelta(days=offset)
        if all(_entity_file(sample, name, day).exists() for name in ENTITY_TABLES):
            continue
        for name, rows in _news(sample, day).items():
            yield bool(rows.height) and _write_rows(sample, name, day, rows)
        for name, rows in _snapshot(sample, day).items():
            yield _write_rows(sample, name, day, rows)


def _write_rows(sample: _Sample, name: str, day: date, rows: pl.DataFrame) -> bool:
    """One day's file of a table; says whether it is new."""
    told = _as_text(shaped(rows, name))
    told = bad_ticket(told) if name == "tickets.tickets" else told
    return _write(_entity_file(sample, name, day), partial(_csv, told))


def _news(sample: _Sample, day: date) -> Mapping[str, pl.DataFrame]:
    """What `day` brings to the tables that grow; the history's last day brings all before it."""
    since = None if day == sample.calendar.turn else _end_of(day - timedelta(days=1))
    known = known_invoicing(sample.invoicing, since, _end_of(day))
    known = {**known, "fx_rates": known_rates(sample.rates, since, _end_of(day))}
    changed = changed_rows(sample.changing, since, _end_of(day))
    tables = {name: changed.get(name, known.get(name.split(".")[1])) for name in GROWING_TABLES}
    return {name: rows for name, rows in tables.items() if rows is not None}


def _end_of(day: date) -> datetime:
    """The first instant after a day."""
    return instant(day.toordinal() - EPOCH + 1)


def _tickets(world: World, through: date) -> pl.DataFrame:
    """Every ticket that is opened by the end of the sample, with its whole future."""
    calendar = world.calendar
    drawn = [
        draw_tickets(world, days, f"{instant(int(days[0])):%Y%m}", 0, int(days[0]))
        for days in _months(calendar)
    ]
    for number in range(calendar.day(1), through.toordinal() - EPOCH + 1):
        name = f"{instant(number):%Y%m%d}"
        drawn.append(draw_tickets(world, np.array([number]), name, 1, number))
    return pl.concat(drawn)


def _snapshot(sample: _Sample, day: date) -> Mapping[str, pl.DataFrame]:
    """All entity tables as their sources show them when `day` ends."""
    world = sample.world
    end = _end_of(day)
    billing = known_billing(sample.billing, end)
    return {
        "crm.accounts": known_accounts(world.accounts, billing, end),
        "crm.team_members": known_team(),
        "crm.account_team": known_account_team(world, end),
        "events.users": known_users(world.people.table, end),
        "invoices.subscriptions": billing.subscriptions,
        "invoices.subscription_items": billing.items,
        "invoices.discounts": billing.discounts,
        "tickets.tickets": known_tickets(sample.tickets, end),
    }


def _folder(sample: _Sample, name: str, day: date) -> Path:
    return sample.landing / name.replace(".", "/") / f"dt={day.isoformat()}"


def _entity_file(sample: _Sample, name: str, day: date) -> Path:
    return _folder(sample, name, day) / f"{name.split('.')[1]}.csv"


def _as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """Every value as a CSV file writes it."""
    instants = pl.selectors.datetime()
    return rows.with_columns(instants.dt.strftime(INSTANTS_AS_TEXT)).cast(pl.String)


def _csv(rows: pl.DataFrame) -> bytes:
    return rows.write_csv().encode()


def _parquet(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _write(path: Path, content: Callable[[], bytes]) -> bool:
    """Writes a file whole, unless it is there; says whether it did."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content())
    unfinished.replace(path)
    return True
