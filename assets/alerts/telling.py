"""What all channels share: an envelope, how a telling fails, and what is known of receivers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets.alerts.addresses import Gate


class NotToldError(Exception):
    """A receiver did not take one message; it may take the next. The text holds no secret."""


class ReceiverDownError(Exception):
    """A receiver takes no message now: the others for it need not be tried.

    Attributes:
        is_brief: Whether it may be over in a moment, and is tried again at once.
    """

    def __init__(self, said: str, *, is_brief: bool = False) -> None:
        """Says what happened, without any secret."""
        super().__init__(said)
        self.is_brief = is_brief


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What one receiver is told at once.

    Attributes:
        key: Its idempotency key: an action's own, or that of its digest.
        target: Who is told, as the action says it.
        payloads: What is told; several in a digest.
        action_keys: The actions that it tells.
    """

    key: str
    target: str
    payloads: list[dict[str, Any]]
    action_keys: list[str]


@dataclass(frozen=True, kw_only=True)
class Receivers:
    """What is known of receivers outside the seeds; secrets come in as functions, never as text.

    Attributes:
        outbox: Folder of the `file` channel.
        read: Reads a part (`url`, `secret`) of a named receiver, or says that there is none.
        smtp_url: Reads the mail server's address: `smtp://user:password@host:587`, `smtps://…`.
        sender: Whom mails come from.
        link: Address of an account in the CRM, with `{account_id}`; empty for none.
        gate: Which addresses may be reached.
        seconds: How long one message may take.
        seconds_per_target: How long all messages for one target may take in one delivery.
    """

    outbox: Path
    read: Callable[[str, str], str | None] = lambda _name, _part: None
    smtp_url: Callable[[], str | None] = lambda: None
    sender: str = "csw@localhost"
    link: str = ""
    gate: Gate = field(default_factory=Gate)
    seconds: float = 10.0
    seconds_per_target: float = 60.0
