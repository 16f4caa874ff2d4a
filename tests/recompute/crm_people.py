"""People of the CRM in plain Python: contacts, team, interactions, notes, answers.

Source of every rule: the project's spec 40 and 00; shares no code with the product.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

from tests.recompute.crm_facts import CrmFacts

Row = dict[str, Any]

TWO_WAY = {"call", "meeting", "check_in", "training", "qbr"}


def _address(email: str | None) -> str | None:
    return (email or "").strip(" ").lower() or None


def contacts(facts: CrmFacts) -> list[Row]:
    """Rows of `dim_contacts`."""
    return [_contact(facts, row) for row in facts.tables["crm.contacts"]]


def _contact(facts: CrmFacts, row: Row) -> Row:
    address = _address(row["email"])
    users = sorted(
        user_id
        for (account, user_id), user in facts.users.items()
        if account == row["account_id"]
        and not user["is_internal"]
        and address is not None
        and _address(user["email"]) == address
    )
    consent, told_at = _consent(facts, {address, *(name.lower() for name in users)} - {None})
    role = row["key_role"]
    return {
        "contact_id": row["contact_id"],
        "account_id": row["account_id"],
        "full_name": row["full_name"],
        "email": row["email"],
        "email_marketing_consent": consent,
        "key_role": None if role is None else "_".join(role.lower().replace("-", " ").split()),
        "source": row["source"],
        "user_id": users[0] if users else None,
        "is_product_user": bool(users),
        "created_on": facts.day(row["created_at"]),
        "created_at": row["created_at"],
        "email_marketing_consent_at": told_at,
    }


def _consent(facts: CrmFacts, subjects: set[str | None]) -> tuple[str, Any]:
    words = []
    for row in facts.tables["crm.consents"]:
        if row["purpose"].lower() == "email_marketing" and row["subject"].lower() in subjects:
            withdrawn = facts.happened(row["withdrawn_at"])
            words.append((withdrawn or row["granted_at"], withdrawn is not None))
    if not words:
        return "unknown", None
    at, is_withdrawn = max(words)
    return ("withdrawn" if is_withdrawn else "granted"), at


def account_team(facts: CrmFacts) -> list[Row]:
    """Rows of `account_team`."""
    ends: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in facts.tables["crm.account_team"]:
        key = (row["account_id"], row["role"], row["team_member_id"], row["valid_from"])
        told = [at for at in (row["valid_to"], row["gone_at"]) if at is not None]
        ends[key].append(min(told, default=None))
    until = {key: None if None in told else max(told) for key, told in ends.items()}
    now = {key for key, end in until.items() if end is None or end > facts.as_of}
    return [_assignment(facts, key, end, now) for key, end in until.items()]


def _assignment(facts: CrmFacts, key: tuple[Any, ...], end: Any, now: set[Any]) -> Row:
    account, role, member, start = key
    rivals = [other for other in now if other[:2] == key[:2]]
    newer = [o for o in rivals if o[3] > start or (o[3] == start and o[2] < member)]
    person = facts.members.get(member, {})
    manager = person.get("manager_id")
    return {
        "account_id": account,
        "role": role,
        "team_member_id": member,
        "valid_from": start,
        "valid_to": end,
        "full_name": person.get("full_name"),
        "email": person.get("email"),
        "manager_id": manager if manager in facts.members else None,
        "manager_name": facts.member_name(manager),
        "is_current": key in now,
        "is_primary": key in now and not newer,
    }


def interactions(facts: CrmFacts) -> list[Row]:
    """Rows of `fct_interactions`: copies of an e-mail in one account are one."""
    copies: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in facts.tables["crm.interactions"]:
        message = (row["message_id"] or "").strip("<> ") or None
        if row["interaction_type"] == "email" and message is not None:
            key: tuple[Any, ...] = (row["account_id"], "message", message)
        else:
            key = (row["account_id"], "own", row["interaction_id"])
        copies[key].append({**row, "message_id": message})
    return [_interaction(facts, rows) for rows in copies.values()]


def _interaction(facts: CrmFacts, rows: Sequence[Row]) -> Row:
    ordered = sorted(rows, key=lambda r: (r["occurred_at"], r["interaction_id"]))
    first = ordered[0]
    told = {
        name: next((r[name] for r in ordered if r[name] is not None), None)
        for name in ("contact_id", "team_member_id", "subject", "direction")
    }
    direction = told["direction"].lower() if told["direction"] else None
    is_completed = any(r["is_completed"] is not False for r in ordered)
    is_answer = first["interaction_type"] == "email" and direction == "inbound"
    return {
        "interaction_id": first["interaction_id"],
        "account_id": first["account_id"],
        "interaction_type": first["interaction_type"],
        "sub_type": first["sub_type"].lower() if first["sub_type"] else None,
        **told,
        "direction": direction,
        "team_member_name": facts.member_name(told["team_member_id"]),
        "message_id": first["message_id"],
        "source": first["source"],
        "copy_count": len(ordered),
        "is_completed": is_completed,
        "is_two_way": is_completed and (first["interaction_type"] in TWO_WAY or is_answer),
        "occurred_on": facts.day(first["occurred_at"]),
        "occurred_at": first["occurred_at"],
    }


def notes(facts: CrmFacts) -> list[Row]:
    """Rows of `fct_notes`."""
    return [
        {
            "note_id": row["interaction_id"],
            "account_id": row["account_id"],
            "note_kind": row["sub_type"],
            "subject": row["subject"],
            "contact_id": row["contact_id"],
            "team_member_name": row["team_member_name"],
            "noted_on": row["occurred_on"],
            "noted_at": row["occurred_at"],
        }
        for row in interactions(facts)
        if row["interaction_type"] == "note"
    ]


def nps_responses(facts: CrmFacts) -> list[Row]:
    """Rows of `fct_nps_responses`."""
    found = []
    for row in facts.tables["crm.nps_responses"]:
        user = facts.users.get((row["account_id"], row["user_id"] or ""), {})
        if user.get("is_internal"):
            continue
        by_id = None if row["user_id"] is None else f"user {row['user_id']}"
        respondent = _address(row["email"]) or _address(user.get("email")) or by_id
        found.append(
            {
                **{name: row[name] for name in ("response_id", "account_id", "user_id", "email")},
                "respondent_id": respondent or f"response {row['response_id']}",
                "respondent_name": user.get("full_name"),
                "score": row["score"],
                "class": _nps_class(row["score"]),
                "comment": row["comment"],
                "source": row["source"],
                "submitted_on": facts.day(row["submitted_at"]),
                "submitted_at": row["submitted_at"],
            }
        )
    return found


def _nps_class(score: int) -> str:
    return "detractor" if score <= 6 else "passive" if score <= 8 else "promoter"


def account_nps(facts: CrmFacts) -> list[Row]:
    """Rows of `account_nps`."""
    told: dict[str, list[Row]] = defaultdict(list)
    for row in nps_responses(facts):
        told[row["account_id"]].append(row)
    found = []
    for account, rows in told.items():
        latest = max(row["submitted_on"] for row in rows)
        window = [r for r in rows if r["submitted_on"] >= latest - timedelta(days=90)]
        last = {
            r["respondent_id"]: r
            for r in sorted(window, key=lambda r: (r["submitted_at"], r["response_id"]))
        }
        age = (facts.today - latest).days
        ends = {
            "age_days": age,
            "is_stale": age > 180,
            "latest_response_on": latest,
            "latest_response_at": max(row["submitted_at"] for row in rows),
        }
        by_person = {
            f"respondent_{name.removeprefix('response_')}": value
            for name, value in _scores(last.values()).items()
        }
        found.append({"account_id": account, **_scores(window), **by_person, **ends})
    return found


def _scores(rows: Iterable[Row]) -> Row:
    told = list(rows)
    classes = [row["class"] for row in told]
    total = sum(row["score"] for row in told)
    promoters, detractors = classes.count("promoter"), classes.count("detractor")
    return {
        "response_count": len(told),
        "score_sum": total,
        "promoters": promoters,
        "passives": classes.count("passive"),
        "detractors": detractors,
        "mean_score": Fraction(total, len(told)),
        "net_promoter": Fraction(100 * (promoters - detractors), len(told)),
    }
