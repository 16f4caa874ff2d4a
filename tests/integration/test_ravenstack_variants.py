"""RavenStack's other copies: with faults and their answer key, merged, and written otherwise.

What a contract can see of an injected fault is quarantined or left empty, and nothing else is; the
copy with other line ends, dates and truths gives the same raw tables.
"""

import csv
import sys
from collections import Counter
from dataclasses import dataclass

import pytest

from assets.extracts.contracts import load_contracts
from tests.integration.connectors import DATA, Landed, land, needs_data

RAVENSTACK = DATA / "ravenstack"
TABLES = (
    "crm.accounts", "crm.account_links", "events.events", "invoices.subscriptions",
    "invoices.subscription_items", "tickets.tickets",
)  # fmt: skip

DAY = "{{from: {}, format: '%d-%m-%Y'}}"
MINUTE = "{{from: {}, format: '%d-%m-%Y %H:%M'}}"


def written_otherwise(*, accounts: str, usage: str, subscriptions: str, tickets: str) -> str:
    """What a copy's profile says beside `extends: ravenstack`: its files and its dates."""
    return f"""
tables:
  crm.accounts: {{files: {accounts}, columns: {{created_at: {DAY.format("signup_date")}}}}}
  crm.account_links: {{files: {subscriptions}}}
  events.events: {{files: {usage}, columns: {{occurred_at: {DAY.format("usage_date")}}}}}
  invoices.subscriptions:
    files: {subscriptions}
    columns:
      started_at: {DAY.format("start_date")}
      ended_at: {DAY.format("end_date")}
  invoices.subscription_items:
    files: {subscriptions}
    columns:
      valid_from: {DAY.format("start_date")}
      valid_to: {DAY.format("end_date")}
  tickets.tickets:
    files: {tickets}
    columns:
      created_at: {DAY.format("submitted_at")}
      solved_at: {MINUTE.format("closed_at")}
      closed_at: {MINUTE.format("closed_at")}
"""


CRLF_BOM_DMY = written_otherwise(
    accounts="ravenstack_accounts.csv",
    usage="ravenstack_feature_usage.csv",
    subscriptions="ravenstack_subscriptions.csv",
    tickets="ravenstack_supports_ticket.csv",
)
MERGED = written_otherwise(
    accounts="accounts.csv",
    usage="feature_usage.csv",
    subscriptions="subscriptions.csv",
    tickets="support_tickets.csv",
)
MESSY = """
tables:
  crm.accounts: {files: ravenstack_accounts_MESSY_ONLY.csv}
  crm.account_links: {files: ravenstack_subscriptions_MESSY_ONLY.csv}
  events.events: {files: ravenstack_feature_usage_MESSY_ONLY.csv}
  invoices.subscriptions: {files: ravenstack_subscriptions_MESSY_ONLY.csv}
  invoices.subscription_items: {files: ravenstack_subscriptions_MESSY_ONLY.csv}
  tickets.tickets: {files: ravenstack_support_tickets_MESSY_ONLY.csv}
"""


def landed(tmp_path_factory: pytest.TempPathFactory, copy: str, more: str = "") -> Landed:
    files = {file.name: file for file in (RAVENSTACK / copy).glob("*.csv")}
    return land(tmp_path_factory.mktemp(copy), "ravenstack", files, more=more)


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    return landed(tmp_path_factory, "messy", MESSY)


@needs_data
def test_another_way_of_writing_gives_the_same_raw_tables(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """CRLF, a byte order mark, DD-MM-YYYY or TRUE that change a value.

    An event's id is the hash of its row's text, which is another text here.
    """
    copies = [landed(tmp_path_factory, "original"),
              landed(tmp_path_factory, "crlf_bom_dmy", CRLF_BOM_DMY)]  # fmt: skip
    assert copies[0].counts() == copies[1].counts()
    for table in TABLES:
        columns = [c for c in load_contracts()[table].column_names if c != "event_id"]
        query = f"select {', '.join(columns)} from {table} order by all"  # noqa: S608
        assert copies[0].rows(query) == copies[1].rows(query), table


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An injected fault of one file: where a contract sees it, or why none does."""

    file: str
    name: str
    rows: int
    table: str = ""
    column: str = ""
    rule: str = ""
    unseen_because: str = ""


FAULTS = (
    Fault(file="accounts", name="null_industry", rows=8, table="crm.accounts", column="industry",
          rule="empty"),
    Fault(file="accounts", name="null_country", rows=6, table="crm.accounts", column="country",
          rule="empty"),
    Fault(file="accounts", name="inconsistent_churn_flag", rows=9,
          unseen_because="a flag against the churn events of another file"),
    Fault(file="feature_usage", name="null_feature_name", rows=292, table="events.events",
          column="feature", rule="empty"),
    Fault(file="feature_usage", name="negative_usage_duration_secs", rows=207,
          table="events.events", column="duration_seconds", rule="minimum"),
    Fault(file="feature_usage", name="negative_usage_count", rows=179, table="events.events",
          column="quantity", rule="minimum"),
    Fault(file="subscriptions", name="null_mrr_amount", rows=29,
          table="invoices.subscription_items", column="price", rule="required"),
    Fault(file="subscriptions", name="null_plan_tier", rows=29,
          table="invoices.subscription_items", column="product", rule="required"),
    Fault(file="subscriptions", name="null_end_date", rows=33,
          unseen_because="an end date is empty while a subscription lasts"),
    Fault(file="subscriptions", name="flipped_churn_flag", rows=60,
          unseen_because="no contract column is made from the flag"),
    Fault(file="subscriptions", name="null_arr_amount", rows=21,
          unseen_because="no contract column is made from it: twelve times the MRR"),
    Fault(file="support_tickets", name="null_priority", rows=30, table="tickets.tickets",
          column="priority", rule="empty"),
    Fault(file="support_tickets", name="null_satisfaction_score", rows=52,
          table="tickets.tickets", column="satisfaction_score", rule="empty"),
    Fault(file="support_tickets", name="negative_resolution_time", rows=27,
          unseen_because="no contract column is made from the hours; the instants are sound"),
    Fault(file="churn_events", name="null_feedback_text", rows=15,
          unseen_because="no contract is for reasons of leaving"),
    Fault(file="churn_events", name="null_reason_code", rows=14,
          unseen_because="no contract is for reasons of leaving"),
    Fault(file="churn_events", name="negative_refund", rows=3,
          unseen_because="no contract is for reasons of leaving"),
)  # fmt: skip
QUARANTINED = ("minimum", "required")


def answer_key(file: str) -> list[tuple[str, ...]]:
    """The faults of each row of a messy file."""
    with (RAVENSTACK / "messy" / f"ravenstack_{file}_MESSY_ONLY.csv").open(newline="") as lines:
        said = [row["messiness_description"] for row in csv.DictReader(lines)]
    return [tuple(part.strip() for part in words.split(";")) for words in said]


@needs_data
def test_the_answer_key_is_known_whole() -> None:
    """A kind of fault that nobody has decided about."""
    counted = Counter(
        (file, fault)
        for file in (
            "accounts",
            "feature_usage",
            "subscriptions",
            "support_tickets",
            "churn_events",
        )
        for faults in answer_key(file)
        for fault in faults
        if fault != "no_issue"
    )
    assert counted == {(fault.file, fault.name): fault.rows for fault in FAULTS}


@needs_data
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_that_a_contract_can_see_is_quarantined_or_left_empty(
    messy: Landed, fault: Fault
) -> None:
    """A fault that goes in as a value, or a row set aside for one that nobody can see.

    Each is printed with its rows and what is made of it (`pytest -s`).
    """
    seen = f"{fault.column} {fault.rule}" if fault.rule else f"unseen: {fault.unseen_because}"
    sys.stdout.write(f"{fault.file}: {fault.name}, {fault.rows} rows, {fault.table} {seen}\n")
    with_it = [row for row in rejects(messy) if fault.name in row.faults]
    of_it_alone = [row for row in with_it if row.faults == (fault.name,)]
    if fault.rule in QUARANTINED:
        assert len([row for row in with_it if row.table == fault.table]) == fault.rows
        assert {(row.table, row.column, row.rule) for row in of_it_alone} == {
            (fault.table, fault.column, fault.rule)
        }
        return
    assert of_it_alone == []
    if fault.rule == "empty":
        ((kept,),) = messy.rows(
            f"select count(*) from {fault.table} where {fault.column} is null "  # noqa: S608
            "and contains(_extras ->> 'messiness_description', ?)",
            [fault.name],
        )
        assert kept + len(with_it) == fault.rows


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A row that was set aside, with what the answer key says of it."""

    table: str
    column: str
    rule: str
    faults: tuple[str, ...]


def rejects(found: Landed) -> list[Rejected]:
    return [
        Rejected(table=f"{source}.{table}", column=column, rule=rule, faults=_faults(raw))
        for source, table, column, rule, raw in found.rows(
            "select source, table_name, column_name, rule, raw_text from landing.quarantine"
        )
    ]


def _faults(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in next(csv.reader([raw]))[-1].split(";"))


@needs_data
def test_no_row_is_set_aside_without_a_fault(messy: Landed) -> None:
    """A sound row in quarantine."""
    assert [row for row in rejects(messy) if row.faults == ("no_issue",)] == []
    by_table = Counter(row.table for row in rejects(messy))
    assert by_table == {"events.events": 207 + 179, "invoices.subscription_items": 29 + 29}


@needs_data
def test_the_merged_copy_has_the_same_rows_set_aside(
    tmp_path_factory: pytest.TempPathFactory, messy: Landed
) -> None:
    """A fault that is only seen where it is told: the merged copy has no answer key."""
    merged = landed(tmp_path_factory, "merged", MERGED)
    assert merged.counts() == {
        "crm.accounts": (550, 0, 0),
        "crm.account_links": (5_500, 0, 0),
        "events.events": (27_500 - 386, 386, 0),
        "invoices.subscriptions": (5_500, 0, 0),
        "invoices.subscription_items": (5_500 - 58, 58, 0),
        "tickets.tickets": (2_200, 0, 0),
    }
    query = (
        "select table_name, column_name, rule, count(*) from landing.quarantine group by all "
        "order by all"
    )
    assert merged.rows(query) == messy.rows(query)
