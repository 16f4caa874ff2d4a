"""Where something is told: channels, receivers, and the routes that a person writes."""

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from assets.seed_files import SeedRow

Channel = Literal["file", "webhook", "slack", "email"]
Role = Literal["csm", "account_executive", "manager"]
SentTransition = Literal["opened", "resolved"]
RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
ROLES: tuple[Role, ...] = ("csm", "account_executive", "manager")
DEFAULT_ROUTE = "*"
OPS_ROUTE = "ops"

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\.(jsonl|csv)")
_RECEIVER = re.compile(r"[a-z][a-z0-9_]*")
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[A-Za-z0-9-]+")
_FILE_NAMES = "a plain file name of letters, digits, '_', '-' and '.' that ends in .jsonl or .csv"
_EXAMPLE = "email:cs-ops@example.com"


def _split(cell: object) -> object:
    return tuple(part.strip() for part in cell.split("|")) if isinstance(cell, str) else cell


class Told(SeedRow):
    """What receivers, routes and steps of workflows share: a channel, and a target that fits it."""

    if TYPE_CHECKING:  # the fields stand in each of them, in the order of its file
        channel: Channel
        target: str

    @field_validator("target", check_fields=False)
    @classmethod
    def _is_right_for_its_channel(cls, target: str, info: ValidationInfo) -> str:
        allowed = _wrong_target(str(info.data.get("channel")), target)
        if allowed:
            raise ValueError(f"'{target}' is not right; allowed is {allowed}")
        return target

    @field_validator("fallback", check_fields=False)
    @classmethod
    def _falls_back_on_a_receiver(cls, fallback: str | None, info: ValidationInfo) -> str | None:
        _check_fallback(fallback, str(info.data.get("target")))
        return fallback

    @property
    def role(self) -> Role | None:
        """The role whose e-mail address is looked up when the rule fires."""
        return next((role for role in ROLES if role == self.target), None)


class Receiver(Told):
    """Where something is told: a channel, and what is called there."""

    channel: Channel
    target: str = Field(min_length=1)


class Route(Told):
    """Where the alerts of one rule, or of every rule without a route (`*`), are told."""

    rule: RuleName | Literal["*"]
    position: int = Field(ge=1)
    channel: Channel
    target: str = Field(min_length=1)
    fallback: str | None = Field(default=None, validate_default=True)
    is_digest: bool = False
    sends: Annotated[tuple[SentTransition, ...], BeforeValidator(_split)] = ("opened", "resolved")

    @property
    def fallback_receiver(self) -> Receiver | None:
        """Who is told where the role has nobody."""
        return receiver_of(self.fallback) if self.fallback else None


def _wrong_target(channel: str, target: str) -> str | None:
    """What is allowed as the target of a channel, where this one is not."""
    if channel == "file":
        is_right, allowed = _FILE.fullmatch(target) is not None, _FILE_NAMES
    elif channel == "email":
        is_right = target in ROLES or _ADDRESS.fullmatch(target) is not None
        allowed = f"an e-mail address, or {', '.join(ROLES)}"
    else:
        # A role is told by mail: a hook that is called like one would never be called.
        is_right = _RECEIVER.fullmatch(target) is not None and target not in ROLES
        allowed = (
            "a receiver's name, whose address is in CSW_RECEIVER_<NAME>_URL, and no role's "
            f"({', '.join(ROLES)})"
        )
    return None if is_right else allowed


def _check_fallback(fallback: str | None, target: str) -> None:
    """Makes sure that somebody is told where a role has nobody.

    Raises:
        ValueError: the fallback can't be read, or a role has none.
    """
    if fallback is not None:
        receiver_of(fallback)
    elif target in ROLES:
        raise ValueError(
            f"'{target}' may be nobody, and nobody would be told; allowed is channel:target, "
            f"as in {_EXAMPLE}"
        )


def receiver_of(text: str) -> Receiver:
    """A fallback's receiver, written `channel:target`; it can't be a role.

    Raises:
        ValueError: it can't be read.
    """
    channel, _, target = text.partition(":")
    if channel not in ("file", "webhook", "slack", "email"):
        raise ValueError(f"'{text}' is not right; allowed is channel:target, as in {_EXAMPLE}")
    if target in ROLES:
        raise ValueError(f"'{text}' may be nobody, too; allowed is an address, as in {_EXAMPLE}")
    allowed = _wrong_target(channel, target)
    if allowed:
        raise ValueError(f"'{target}' is not right; allowed is {allowed}")
    return Receiver.model_validate({"channel": channel, "target": target})
