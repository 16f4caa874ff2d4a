"""Real files of other people: Online Retail's invoices by day, ServiceNow's log of incidents.

Whatever order the extracts come in, the raw tables are the same; what is published of the data
comes out of them.
"""

import csv
import itertools
import random
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.loader import TableLoad, load_table, prepare

DATA = Path(__file__).parents[2].parent / "shared" / "data"
RETAIL = DATA / "online_retail"
INCIDENTS = DATA / "incidents" / "incident_event_log.zip"
AS_OF = datetime(2017, 6, 1, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="../shared/data is not beside the project"
)

RETAIL_PROFILE = """
name: online_retail
description: Online Retail, one file per day with a line each; the amount is price times quantity.
tables:
  invoices.invoices:
    files: headers/**
    columns:
      invoice_id: InvoiceNo
      account_id: {from: CustomerID, otherwise: (none)}
      number: InvoiceNo
      status: {constant: paid}
      currency: {constant: GBP}
      created_at: InvoiceDate
  invoices.invoice_lines:
    files: lines/**
    columns:
      line_id: {row_hash: true}
      invoice_id: InvoiceNo
      kind: {constant: one_time}
      description: Description
      quantity: Quantity
      amount: Amount
"""
RETAIL_TABLES = ("invoices.invoices", "invoices.invoice_lines")


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build of its own over a landing."""

    landing: Path
    connection: duckdb.DuckDBPyConnection

    @classmethod
    def over(cls, landing: Path) -> "Build":
        """An empty build."""
        connection = duckdb.connect()
        prepare(connection)
        return cls(landing=landing, connection=connection)

    def load(self, *tables: str) -> dict[str, TableLoad]:
        """Loads what is new in the landing; every row that was read is accounted for."""
        landing = open_landing(self.landing)
        loads = {
            table: load_table(
                self.connection,
                contract=load_contracts()[table],
                profile=profile_for(landing, None),
                landing=landing,
                as_of=AS_OF,
                known=KnownLog.beside(landing, otherwise=self.landing),
                run_id="run",
                loaded_at=AS_OF,
            )
            for table in tables
        }
        for load in loads.values():
            assert load.rows_read == load.rows_loaded + load.rows_rejected + load.rows_duplicate
        return loads

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def content(self, contract: Contract) -> tuple[int, int]:
        """Rows and content hash of a raw table's own columns: the same rows give the same."""
        columns = ", ".join(f"coalesce({name}::varchar, chr(30))" for name in contract.column_names)
        ((rows, digest),) = self.rows(
            f"select count(*), sum(md5_number_lower(concat_ws(chr(31), {columns}))::hugeint) "  # noqa: S608
            f"from {contract.name}"
        )
        return rows, digest


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lines and the invoices of each day in a file of their own, and all in one of each."""
    folder = tmp_path_factory.mktemp("days")
    with duckdb.connect() as connection:
        # One thread keeps the rows in their order, and each day in one file.
        connection.execute("set threads = 1")
        connection.execute(
            "create table lines as select *, Quantity * UnitPrice as Amount, "
            "InvoiceDate[:10] as day from read_parquet(?)",
            [str(RETAIL / "online_retail.parquet")],
        )
        connection.execute(
            "create table headers as select InvoiceNo, any_value(CustomerID) as CustomerID, "
            "min(InvoiceDate) as InvoiceDate, min(day) as day from lines group by InvoiceNo"
        )
        for table in ("lines", "headers"):
            connection.execute(
                f"copy {table} to '{folder}/{table}' (format csv, partition_by (day))"
            )
            connection.execute(
                f"copy (from {table} select * exclude (day)) to '{folder}/{table}.csv'"
            )
    return folder


def days_of(folder: Path) -> list[str]:
    return sorted(path.name.removeprefix("day=") for path in (folder / "lines").iterdir())


def land_days(days: Path, landing: Path, chosen: Iterable[str]) -> None:
    """Lands the two files of each of these days, as an extract job would."""
    for table, day in itertools.product(("lines", "headers"), chosen):
        (source,) = (days / table / f"day={day}").iterdir()
        target = landing / table / f"dt={day}" / "day.csv"
        target.parent.mkdir(parents=True)
        target.symlink_to(source)


def retail(tmp_path: Path, name: str) -> Build:
    landing = tmp_path / name
    landing.mkdir()
    (landing / "profile.yml").write_text(RETAIL_PROFILE)
    return Build.over(landing)


def contents(build: Build) -> dict[str, tuple[int, int]]:
    return {table: build.content(load_contracts()[table]) for table in RETAIL_TABLES}


@pytest.fixture(scope="module")
def at_once(days: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """Everything in one file of lines and one of invoices."""
    build = retail(tmp_path_factory.mktemp("retail"), "at_once")
    for table in ("lines", "headers"):
        (build.landing / table).mkdir()
        (build.landing / table / "all.csv").symlink_to(days / f"{table}.csv")
    build.load(*RETAIL_TABLES)
    yield build
    build.connection.close()


def test_online_retail_gives_its_published_totals(at_once: Build) -> None:
    """Lines lost, equal lines taken for one, a cancellation that counts as a sale."""
    assert at_once.rows(
        "select count(*), sum(amount), count(distinct invoice_id), "
        "count(*) filter (where starts_with(invoice_id, 'C')) from invoices.invoice_lines"
    ) == [(541_909, Decimal("9747747.9340"), 25_900, 9_288)]
    assert at_once.rows(
        "select count(*), count(distinct account_id) filter (where account_id <> '(none)') "
        "from invoices.invoices"
    ) == [(25_900, 4_372)]
    assert at_once.rows(
        "select count(*) from invoices.invoice_lines inner join invoices.invoices "
        "using (invoice_id) where account_id = '(none)'"
    ) == [(135_080,)]
    assert at_once.rows(
        "select count(*) from invoices.invoice_lines where not ends_with(line_id, '-1')"
    ) == [(5_268,)]


def test_online_retail_gives_its_months(at_once: Build) -> None:
    """A line of the first day of a month counted to the month before."""
    with (RETAIL / "by_month.csv").open(newline="") as file:
        wanted = [
            (row["month"], int(row["n_rows"]), int(row["invoices"]), int(row["quantity"]),
             Decimal(row["revenue"]))
            for row in csv.DictReader(file)
        ]  # fmt: skip
    at_once.connection.execute("set TimeZone = 'UTC'")
    assert wanted == at_once.rows(
        "select strftime(created_at, '%Y-%m'), count(*), count(distinct invoice_id), "
        "sum(quantity)::bigint, sum(amount) from invoices.invoice_lines "
        "inner join invoices.invoices using (invoice_id) group by 1 order by 1"
    )


def test_305_daily_loads_in_any_order_equal_one_load(
    days: Path, at_once: Build, tmp_path: Path
) -> None:
    """An id or a duplicate that depends on which file came first, or on what else it came with."""
    build = retail(tmp_path, "daily")
    every = days_of(days)
    random.Random(7).shuffle(every)  # noqa: S311 - an order, not a secret
    for day in every:
        land_days(days, build.landing, [day])
        assert build.load("invoices.invoice_lines")["invoices.invoice_lines"].files_new == 1
    assert len(every) == 305
    assert contents(build)["invoices.invoice_lines"] == contents(at_once)["invoices.invoice_lines"]
    build.connection.close()


def test_a_run_a_month_and_all_of_them_twice_equals_one_load(
    days: Path, at_once: Build, tmp_path: Path
) -> None:
    """A second run that loads again what is there; an order in which a run's files lose rows."""
    build = retail(tmp_path, "monthly")
    for _, chosen in itertools.groupby(days_of(days), key=lambda day: day[:7]):
        land_days(days, build.landing, list(chosen))
        build.load(*RETAIL_TABLES)
    assert contents(build) == contents(at_once)
    again = build.load(*RETAIL_TABLES)
    assert [(load.files_new, load.files_already_loaded) for load in again.values()] == [
        (0, 305), (0, 305)
    ]  # fmt: skip
    assert contents(build) == contents(at_once)
    build.connection.close()


# ServiceNow's log: each row is a ticket as it was after an update


INCIDENTS_PROFILE = """
name: incidents
description: ServiceNow's log of incidents; whose they are is the location that they came from.
null_values: ["?"]
tables:
  tickets.tickets:
    files: incident_event_log.csv
    columns:
      ticket_id: number
      account_id: {from: location, otherwise: (none)}
      requester_id: caller_id
      subject: u_symptom
      status:
        from: incident_state
        map: {New: new, Active: open, Resolved: solved, Closed: closed}
        unlisted: keep
      priority: priority
      type: category
      assignee_id: assigned_to
      created_at: {from: opened_at, format: "%d/%m/%Y %H:%M"}
      solved_at: {from: resolved_at, format: "%d/%m/%Y %H:%M"}
      closed_at: {from: closed_at, format: "%d/%m/%Y %H:%M"}
      updated_at: {from: sys_updated_at, format: "%d/%m/%Y %H:%M"}
"""


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    landing = tmp_path_factory.mktemp("incidents")
    with zipfile.ZipFile(INCIDENTS) as archive:
        archive.extract("incident_event_log.csv", landing)
    (landing / "profile.yml").write_text(INCIDENTS_PROFILE)
    build = Build.over(landing)
    load = build.load("tickets.tickets")["tickets.tickets"]
    assert (load.rows_read, load.rows_loaded, load.rows_rejected) == (141_712, 141_712, 0)
    yield build
    build.connection.close()


def test_no_update_of_an_incident_is_lost(incidents: Build) -> None:
    """Versions of a ticket taken for one row; d/m/Y dates that half of them lose."""
    assert incidents.rows(
        "select count(*), count(distinct ticket_id), count(created_at), count(updated_at) "
        "from tickets.tickets"
    ) == [(141_712, 24_918, 141_712, 141_712)]
    assert incidents.rows(
        "select status, created_at::varchar, solved_at::varchar, closed_at::varchar, assignee_id "
        "from tickets.tickets where ticket_id = 'INC0000045' order by _row"
    ) == [
        ("new", "2016-02-29 01:16:00+00", "2016-02-29 11:29:00+00", "2016-03-05 12:00:00+00", None),
        ("solved", "2016-02-29 01:16:00+00", "2016-02-29 11:29:00+00", "2016-03-05 12:00:00+00",
         None),
        ("solved", "2016-02-29 01:16:00+00", "2016-02-29 11:29:00+00", "2016-03-05 12:00:00+00",
         None),
        ("closed", "2016-02-29 01:16:00+00", "2016-02-29 11:29:00+00", "2016-03-05 12:00:00+00",
         None),
    ]  # fmt: skip


def test_a_question_mark_is_no_value_and_what_no_contract_names_is_kept(incidents: Build) -> None:
    """`?` as a person, a place or a category; the count of reopenings thrown away."""
    assert incidents.rows(
        "select count(*) filter (where '?' in "
        "(requester_id, account_id, type, subject, assignee_id, status, priority)) "
        "from tickets.tickets"
    ) == [(0,)]
    assert incidents.rows(
        "with tickets as (select max((_extras ->> 'reopen_count')::bigint) as reopened "
        "from tickets.tickets group by ticket_id) "
        "select sum(reopened)::bigint, count(*) from tickets where reopened > 0"
    ) == [(331, 275)]
