"""Rows whose parent has not landed are counted and shown, and wait."""

from typing import Any

from assets.extracts.contracts import load_contracts
from checks.findings import Said
from checks.parents import find_waiting_rows
from tests.unit.checks.builds_by_hand import AT, HandMade


def account(name: str) -> dict[str, Any]:
    return {"account_id": name, "account_name": name, "created_at": AT}


def ticket(name: str, account_id: str, **said: Any) -> dict[str, Any]:
    return {"ticket_id": name, "account_id": account_id, "created_at": AT} | said


def found(hand_made: HandMade, table: str) -> Said:
    return find_waiting_rows(hand_made.connection, load_contracts()[table])


def test_rows_of_an_unknown_account_are_counted_by_id(hand_made: HandMade) -> None:
    """Rows that are in no mart and in no list either."""
    hand_made.deliver("crm.accounts", 1, [account("a")])
    tickets = [ticket("1", "a"), ticket("2", "ghost"), ticket("3", "ghost"), ticket("4", "org")]
    hand_made.deliver("tickets.tickets", 2, tickets)
    said = found(hand_made, "tickets.tickets")
    assert not said.passed
    assert said.sentence == (
        "3 rows of 2 account_id unknown to crm.accounts, such as ghost, org; "
        "they wait in raw and join when their parent lands"
    )
    assert said.rows == [
        {"column": "account_id", "id": "ghost", "rows": 2},
        {"column": "account_id", "id": "org", "rows": 1},
    ]


def test_a_linked_or_merged_account_is_known(hand_made: HandMade) -> None:
    """A warning for ids that somebody has already explained; a link of another source's id."""
    hand_made.deliver("crm.accounts", 1, [account("a")])
    links = [
        {"source": "tickets", "source_account_id": "org", "account_id": "a"},
        {"source": "invoices", "source_account_id": "cus", "account_id": "a"},
    ]
    hand_made.deliver("crm.account_links", 2, links)
    merge = {"from_account_id": "old", "into_account_id": "a", "merged_at": AT}
    hand_made.deliver("crm.account_merges", 3, [merge])
    tickets = [ticket("1", "org"), ticket("2", "old"), ticket("3", "cus")]
    hand_made.deliver("tickets.tickets", 4, tickets)
    assert [row["id"] for row in found(hand_made, "tickets.tickets").rows] == ["cus"]


def test_a_lead_is_known_wherever_an_account_may_be_named(hand_made: HandMade) -> None:
    """A warning about all that a trial does before it buys; a lead that became another lead."""
    hand_made.deliver("crm.accounts", 1, [account("a")])
    told = {"lead_name": "L", "created_at": AT}
    leads = [
        {"lead_id": "l", **told},
        {"lead_id": "m", "converted_account_id": "a", **told},
        {"lead_id": "n", "converted_account_id": "l", **told},
    ]
    hand_made.deliver("crm.leads", 2, leads)
    tickets = [ticket("1", "l"), ticket("2", "m"), ticket("3", "ghost")]
    hand_made.deliver("tickets.tickets", 3, tickets)
    assert [row["id"] for row in found(hand_made, "tickets.tickets").rows] == ["ghost"]
    assert [row["id"] for row in found(hand_made, "crm.leads").rows] == ["l"]


def test_only_the_latest_version_of_a_row_waits(hand_made: HandMade) -> None:
    """A warning that stays for ever, since what was mended is kept as history."""
    hand_made.deliver("crm.accounts", 1, [account("a")])
    hand_made.deliver("tickets.tickets", 2, [ticket("1", "ghost"), ticket("2", "ghost")])
    gone = ticket("2", "ghost", _is_deleted=True)
    hand_made.deliver("tickets.tickets", 3, [ticket("1", "a"), gone])
    assert found(hand_made, "tickets.tickets").passed


def test_a_parent_whose_table_never_landed_is_not_missed(hand_made: HandMade) -> None:
    """A warning about every interaction of a company that keeps its contacts elsewhere."""
    talk = {
        "interaction_id": "1",
        "account_id": "a",
        "contact_id": "somebody",
        "interaction_type": "call",
        "occurred_at": AT,
    }
    hand_made.deliver("crm.accounts", 1, [account("a")])
    hand_made.deliver("crm.interactions", 2, [talk])
    assert found(hand_made, "crm.interactions").passed
    hand_made.deliver("crm.contacts", 3, [{"contact_id": "else", "account_id": "a"}])
    said = found(hand_made, "crm.interactions")
    assert [row["column"] for row in said.rows] == ["contact_id"]
    assert (said.rows_failed, said.rows_tested) == (1, 1)
    # A person's id is personal data.
    assert [row["id"] for row in said.rows] == ["***"]
    assert "somebody" not in said.sentence


def test_an_event_makes_its_user(hand_made: HandMade) -> None:
    """Every event of a product without a user extract, or a seat of a user seen in events."""
    event = {
        "event_id": "1",
        "account_id": "a",
        "user_id": "u",
        "occurred_at": AT,
        "event_type": "use",
    }
    hand_made.deliver("crm.accounts", 1, [account("a")])
    hand_made.deliver("events.users", 2, [{"account_id": "a", "user_id": "v"}])
    hand_made.deliver("events.events", 3, [event])
    flags = [
        {"account_id": "a", "user_id": user, "flag": "favourite", "set_at": AT} for user in "uvw"
    ]
    hand_made.deliver("crm.user_flags", 4, flags)
    assert found(hand_made, "events.events").passed
    assert found(hand_made, "crm.user_flags").rows_failed == 1  # w


def test_every_contract_can_be_asked(hand_made: HandMade) -> None:
    """A reference that makes no SQL, found on the first night that somebody lands the table."""
    for number, name in enumerate(load_contracts(), start=1):
        hand_made.deliver(name, number)
    assert all(found(hand_made, name).passed for name in load_contracts())
