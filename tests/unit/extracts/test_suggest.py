"""`csw profile suggest`: what it proposes for real files, and for small ones made to mislead it.

The measure for a real file: the share of the contract columns of a hand-made answer that the
proposal has right, and how many columns it proposes that the answer leaves empty.
"""

import gzip
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from assets.extracts.errors import ExtractError
from assets.extracts.profiles import load_profile
from assets.extracts.suggesting.suggest import Suggestion, suggest_profile

DATA = Path(__file__).parents[3].parent / "shared" / "data"
Answer = Mapping[str, Mapping[str, Any]]

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="../shared/data is not beside the project"
)

PRICED = {"quantity": {"constant": "1"}, "interval": {"constant": "month"}}
ACCOUNTS = {
    "account_id": "account_id",
    "account_name": "account_name",
    "industry": "industry",
    "country": "country",
    "created_at": "signup_date",
    "tier": "plan_tier",
    "status": {"from": "churn_flag", "map": {"True": "churned", "False": "customer"}},
}
SUBSCRIPTIONS = {
    "subscription_id": "subscription_id",
    "account_id": "account_id",
    "status": {"from": "is_trial", "map": {"True": "trialing", "False": "active"}},
    "plan": "plan_tier",
    "currency": {"constant": "USD"},
    "started_at": "start_date",
    "ended_at": "end_date",
}
ITEMS = {
    "item_id": "subscription_id",
    "subscription_id": "subscription_id",
    "product": "plan_tier",
    "price": "mrr_amount",
    "valid_from": "start_date",
    "valid_to": "end_date",
} | PRICED
USAGES = {
    "event_id": {"row_hash": True},
    "account_id": "subscription_id",
    "occurred_at": "usage_date",
    "event_type": {"constant": "use"},
    "module": "feature_name",
    "feature": "feature_name",
    "quantity": "usage_count",
    "duration_seconds": "usage_duration_secs",
}
TICKETS = {
    "ticket_id": "ticket_id",
    "account_id": "account_id",
    "created_at": "submitted_at",
    "solved_at": "closed_at",
    "priority": "priority",
    "satisfaction_score": "satisfaction_score",
    "is_escalated": "escalation_flag",
    "status": {"constant": "closed"},
}
DAY_FIRST = "%d/%m/%Y %H:%M"
INCIDENTS = {
    "ticket_id": "number",
    "account_id": "location",
    "requester_id": "caller_id",
    "status": "incident_state",
    "priority": "priority",
    "type": "category",
    "assignee_id": "assigned_to",
    "subject": "u_symptom",
    "created_at": {"from": "opened_at", "format": DAY_FIRST},
    "solved_at": {"from": "resolved_at", "format": DAY_FIRST},
    "closed_at": {"from": "closed_at", "format": DAY_FIRST},
    "updated_at": {"from": "sys_updated_at", "format": DAY_FIRST},
}
CRM5_KEY = {"from": ["account_id", "product", "start_date"]}
CRM5_SUBSCRIPTIONS = {
    "subscription_id": CRM5_KEY,
    "account_id": "account_id",
    "plan": "product",
    "currency": {"constant": "USD"},
    "started_at": "start_date",
    "ended_at": "end_date",
}
CRM5_ITEMS = {
    "item_id": CRM5_KEY,
    "subscription_id": CRM5_KEY,
    "product": "product",
    "price": "mrr",
    "valid_from": "start_date",
    "valid_to": "end_date",
} | PRICED
CRM5_EVENTS = {
    "event_id": {"row_hash": True},
    "account_id": "account_id",
    "user_id": "user_id",
    "occurred_at": "event_time",
    "event_type": {"constant": "use"},
    "event_name": "event_type_id",
    "feature": "event_type_id",
}


def measured(found: Suggestion, answer: Answer) -> tuple[float, int]:
    """The share of the answer's columns that are proposed so, and the columns beyond it."""
    proposed = {
        (table, column): guess.how
        for table, guesses in found.columns.items()
        for column, guess in guesses.items()
    }
    wanted = {
        (table, column): how for table, said in answer.items() for column, how in said.items()
    }
    right = sum(proposed.get(place) == how for place, how in wanted.items())
    return right / len(wanted), len(proposed.keys() - wanted.keys())


def is_valid(found: Suggestion, folder: Path) -> bool:
    """True where the proposal is a profile that reads what the suggestion says."""
    (folder / "profile.yml").write_text(found.text, encoding="utf-8")
    return set(load_profile(folder / "profile.yml").tables) == set(found.tables)


@needs_data
@pytest.mark.parametrize(
    ("path", "answer", "share", "beyond"),
    [
        pytest.param("ravenstack/original/ravenstack_accounts.csv",
                     {"crm.accounts": ACCOUNTS}, 1.0, 0, id="ravenstack accounts"),
        pytest.param("ravenstack/original/ravenstack_subscriptions.csv",
                     {"invoices.subscriptions": SUBSCRIPTIONS,
                      "invoices.subscription_items": ITEMS}, 1.0, 0, id="ravenstack subscriptions"),
        pytest.param("ravenstack/original/ravenstack_feature_usage.csv",
                     {"events.events": USAGES}, 1.0, 0, id="ravenstack usage"),
        # No column tells that the tickets are closed: a person knows.
        pytest.param("ravenstack/original/ravenstack_support_tickets.csv",
                     {"tickets.tickets": TICKETS}, 7 / 8, 1, id="ravenstack tickets"),
        # No contract is for reasons of leaving.
        pytest.param("ravenstack/original/ravenstack_churn_events.csv",
                     {"": {"": ""}}, 0.0, 0, id="ravenstack churn events"),
        # The file has no name, and no instant but a birthday.
        pytest.param("crm5/account.csv",
                     {"crm.accounts": {"account_id": "id", "account_name": "id",
                                       "country": "country", "created_at": {"constant": "2022"}}},
                     3 / 4, 0, id="crm5 accounts"),
        pytest.param("crm5/subscription.csv",
                     {"invoices.subscriptions": CRM5_SUBSCRIPTIONS,
                      "invoices.subscription_items": CRM5_ITEMS}, 1.0, 0, id="crm5 subscriptions"),
        # That each type of event is a feature, a person knows.
        pytest.param("crm5/event.parquet", {"events.events": CRM5_EVENTS}, 6 / 7, 0,
                     id="crm5 events"),
    ],
)  # fmt: skip
def test_most_columns_of_real_files_are_proposed_right(
    tmp_path: Path, path: str, answer: Answer, share: float, beyond: int
) -> None:
    """A proposal that costs more to mend than to write. What is asserted was measured."""
    found = suggest_profile(DATA / path)
    assert is_valid(found, tmp_path)
    assert measured(found, answer) == (share, beyond), found.text


@needs_data
def test_the_incidents_log_is_proposed_with_its_dates_and_its_nulls(tmp_path: Path) -> None:
    """29/2/2016 read as a month 29, and `?` as a person. That a symptom is a subject, it misses."""
    with zipfile.ZipFile(DATA / "incidents" / "incident_event_log.zip") as archive:
        archive.extractall(tmp_path)
    found = suggest_profile(tmp_path / "incident_event_log.csv")
    assert measured(found, {"tickets.tickets": INCIDENTS}) == (11 / 12, 0), found.text
    assert is_valid(found, tmp_path)
    assert yaml.safe_load(found.text)["null_values"] == ["?"]


@needs_data
@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("stripe/charge_data.csv", "invoices.payments"),
        ("recurly/invoice_history_data.csv", "invoices.invoices"),
        ("salesforce/sf_opportunity_data.csv", "crm.deals"),
        ("zendesk/ticket_data.csv", "tickets.tickets"),
        ("zendesk/ticket_field_history_data.csv", "tickets.ticket_changes"),
        ("salesforce/sf_account_data.csv", "crm.accounts"),
        ("salesforce/sf_contact_data.csv", "crm.contacts"),
        ("salesforce/sf_task_data.csv", "crm.tasks"),
        ("hubspot/deal_data.csv", "crm.deals"),
    ],
)
def test_vendors_tables_are_told_apart(path: str, table: str) -> None:
    """A vendor's table taken for another one of the contracts."""
    assert suggest_profile(DATA / "connectors" / path).tables == (table,)


def write(tmp_path: Path, name: str, text: str) -> Path:
    (tmp_path / name).write_bytes(text.encode())
    return tmp_path / name


@pytest.mark.parametrize(
    ("values", "said", "remark"),
    [
        (("01/02/2024", "13/02/2024"), "%d/%m/%Y", ""),
        (("01/02/2024", "02/13/2024"), "%m/%d/%Y", ""),
        (("01/02/2024", "03/02/2024"), "%d/%m/%Y", "could be %m/%d/%Y as well"),
        (("2024-02-01", "2024-02-13T10:00:00Z"), None, ""),
        (("2024-02-01", "13.02.2024"), ["%d.%m.%Y", "%Y-%m-%d"], ""),
        (("1706745600", "1707782400"), "epoch_seconds", "look like epoch_seconds"),
        (("1706745600000", "1707782400000"), "epoch_milliseconds", "epoch_milliseconds"),
        (("1-Feb-2024", "13-Feb-2024"), "%d-%b-%Y", ""),
    ],
)
def test_a_time_format_is_told_by_the_values(
    tmp_path: Path, values: tuple[str, str], said: Any, remark: str
) -> None:
    """The second of January read as the first of February."""
    lines = "\n".join(f"T-{n},A-1,{value}" for n, value in enumerate(values))
    file = write(tmp_path, "tickets.csv", f"ticket_id,account_id,submitted_at\n{lines}\n")
    guess = suggest_profile(file).columns["tickets.tickets"]["created_at"]
    told = guess.how.get("format") if isinstance(guess.how, dict) else None
    assert sorted(told or []) == sorted(said or []) if isinstance(said, list) else told == said
    assert remark in guess.why
    assert not remark or not guess.is_sure


def test_words_of_another_system_become_the_contracts_own(tmp_path: Path) -> None:
    """An interval that no row of the file has in the contract's words."""
    file = write(
        tmp_path, "subscription_items.csv",
        "id;subscription_id;product;unit_amount;qty;billing_period;start_date;currency\n"
        "i1;s1;Pro;1999;1;monthly;2024-01-01;USD\ni2;s1;Pro;500;2;annual;2024-01-01;JPY\n"
        "i3;s2;Pro;500;2;fortnight;2024-01-01;JPY\n",
    )  # fmt: skip
    found = suggest_profile(file)
    said = yaml.safe_load(found.text)
    columns = said["tables"]["invoices.subscription_items"]["columns"]
    assert said["delimiter"] == ";"
    assert columns["interval"] == {
        "from": "billing_period", "map": {"annual": "year", "monthly": "month"}
    }  # fmt: skip
    assert "no word for fortnight" in found.text
    assert columns["price"] == {"from": "unit_amount", "minor_units": "currency"}


def test_the_same_rows_are_read_from_every_format(tmp_path: Path) -> None:
    """A proposal for one format and none for another."""
    rows = [{"id": f"e{n}", "company_id": "a1", "timestamp": "2024-01-01T00:00:00Z",
             "type": "click"} for n in range(3)]  # fmt: skip
    lines = "\n".join(json.dumps(row) for row in rows)
    (tmp_path / "events.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    pl.DataFrame(rows).write_parquet(tmp_path / "events.parquet")
    pl.DataFrame(rows).write_csv(tmp_path / "events.csv", separator="|")
    hows = {
        tuple((column, str(guess.how)) for column, guess in found.columns["events.events"].items())
        for name in ("events.jsonl.gz", "events.parquet", "events.csv")
        if (found := suggest_profile(tmp_path / name))
    }
    assert len(hows) == 1
    assert ("event_type", "{'from': 'type', 'map': {'click': 'use'}}") in next(iter(hows))


def test_nested_objects_are_named_by_their_paths(tmp_path: Path) -> None:
    """A vendor's API objects for which nothing can be proposed."""
    row = {"id": 7, "properties": {"dealname": "Big", "dealstage": "won", "amount": "10",
           "createdate": "2024-01-01T00:00:00Z"}, "company": {"id": 3}}  # fmt: skip
    file = write(tmp_path, "deals.jsonl", json.dumps(row) + "\n")
    columns = suggest_profile(file).columns["crm.deals"]
    assert columns["deal_name"].how == "properties.dealname"
    assert columns["stage"].how == "properties.dealstage"
    assert columns["account_id"].how == "company.id"


def test_a_table_may_be_said(tmp_path: Path) -> None:
    """A file whose name misleads, and nobody can say what it is."""
    file = write(tmp_path, "tickets.csv", "id,name,created\n1,Acme,2024-01-01\n")
    found = suggest_profile(file, table="crm.accounts")
    assert found.tables == ("crm.accounts",)
    assert found.columns["crm.accounts"]["account_name"].how == "name"


def test_what_cannot_be_proposed_is_said_in_one_sentence(tmp_path: Path) -> None:
    """A stack trace for a file that is none."""
    for name, text, said in (
        ("a.xlsx", "x", r"a.xlsx: is no .csv, .jsonl or .parquet file"),
        ("none.csv", None, r"none.csv: is no .csv"),
        ("b.csv", "", r"b.csv: cannot be read \(it is empty\)"),
        ("c.jsonl", "{oops", r"c.jsonl: cannot be read"),
        ("d.parquet", "PAR1", r"d.parquet: cannot be read"),
    ):
        file = write(tmp_path, name, text) if text is not None else tmp_path / name
        with pytest.raises(ExtractError, match=said):
            suggest_profile(file)
    file = write(tmp_path, "e.csv", "id\n1\n")
    with pytest.raises(ExtractError, match=r"crm.acounts is no contract table; there are crm\."):
        suggest_profile(file, table="crm.acounts")
