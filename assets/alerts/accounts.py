"""How an account is called, and who of our own team looks after it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of our own team."""

    team_member_id: str
    full_name: str | None = None
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class Account:
    """How an account is called, and who looks after it, in one release."""

    account_id: str
    account_name: str | None = None
    csm_id: str | None = None
    csm_name: str | None = None
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    team: Mapping[str, Person] = field(default_factory=dict)


def account_of(
    account_id: str, attributes: Mapping[str, str | None], team: Mapping[str, Person]
) -> Account:
    """An account with its attributes and its team by role."""
    csm = team.get("csm")
    return Account(
        account_id=account_id,
        account_name=attributes.get("account_name"),
        csm_id=csm.team_member_id if csm else None,
        csm_name=csm.full_name if csm else None,
        attributes=attributes,
        team=team,
    )
