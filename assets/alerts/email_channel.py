"""The `email` channel: text and HTML in one message, over SMTP."""

import smtplib
import ssl
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from urllib.parse import unquote, urlsplit

from assets.alerts.stories import Story, subject_of
from assets.alerts.telling import NotToldError, ReceiverDownError

_PORTS = {"smtp": 25, "smtps": 465}


def message_of(
    stories: list[Story], *, key: str, sender: str, to: str, now: datetime
) -> EmailMessage:
    """One mail of one story or of a digest; its id is the same whenever it is sent again.

    Raises:
        NotToldError: its recipient's address is none.
    """
    message = EmailMessage()
    message["From"] = sender
    try:
        message["To"] = to
    except ValueError:
        raise NotToldError("the mail server: the recipient's address is none") from None
    message["Subject"] = subject_of(stories)[:200]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{key}@csw.invalid>"
    message["X-Idempotency-Key"] = key
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(_text(story) for story in stories) + "\n")
    message.add_alternative(_page(stories), subtype="html")
    return message


class MailServer:
    """A connection to the mail server, for as many mails as there are."""

    def __init__(self, url: str, *, seconds: float) -> None:
        """Connects, encrypts where the server can, and logs in where the address says so.

        Raises:
            ReceiverDownError: the server can't be reached or doesn't let us in.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ReceiverDownError("the mail server: CSW_SMTP_URL is not smtp:// or smtps://…")
        port = parts.port or _PORTS[parts.scheme]
        try:
            self._server = _connected(parts.scheme, parts.hostname, port, seconds)
            if parts.username:
                self._server.login(unquote(parts.username), unquote(parts.password or ""))
        except (OSError, smtplib.SMTPException) as error:
            raise ReceiverDownError(
                f"the mail server: {type(error).__name__}", is_brief=True
            ) from None

    def send(self, message: EmailMessage) -> None:
        """Sends one mail.

        Raises:
            NotToldError: the server refuses it or its recipient.
            ReceiverDownError: the connection is gone.
        """
        try:
            self._server.send_message(message)
        except (
            smtplib.SMTPRecipientsRefused,
            smtplib.SMTPSenderRefused,
            smtplib.SMTPDataError,
            # An address that this server can't be told; the next one it may.
            smtplib.SMTPNotSupportedError,
        ) as error:
            with suppress(smtplib.SMTPException, OSError):
                self._server.rset()
            # The server's words may hold the address.
            raise NotToldError(f"the mail server: {type(error).__name__}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise ReceiverDownError(f"the mail server: {type(error).__name__}") from None

    def close(self) -> None:
        """Says goodbye, if anybody still listens."""
        with suppress(smtplib.SMTPException, OSError):
            self._server.quit()


def _connected(scheme: str, host: str, port: int, seconds: float) -> smtplib.SMTP:
    if scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
    server = smtplib.SMTP(host, port, timeout=seconds)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    return server


def _text(story: Story) -> str:
    lines = [story.headline, *(f"  {name}: {text}" for name, text in story.facts)]
    return "\n".join([*lines, f"  {story.link}"] if story.link else lines)


def _page(stories: list[Story]) -> str:
    cards = "".join(_card(story) for story in stories)
    head = f"<h1>{escape(subject_of(stories))}</h1>" if len(stories) > 1 else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><style>'
        "body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#f4f5f7;margin:0;"
        "padding:16px}h1{font-size:18px;max-width:600px;margin:0 auto 12px}</style></head>"
        f"<body>{head}{cards}</body></html>"
    )


def _card(story: Story) -> str:
    """A card with its styles on each element: many mail programs read no others."""
    rows = "".join(
        '<tr><td style="color:#666;padding:3px 14px 3px 0;vertical-align:top;'
        f'white-space:nowrap">{escape(name)}</td><td style="padding:3px 0">{escape(text)}</td></tr>'
        for name, text in story.facts
    )
    link = (
        f'<p style="margin:10px 0 0"><a href="{escape(story.link)}" '
        'style="color:#1f5fa8">Open the account</a></p>'
        if story.link
        else ""
    )
    label = f"{story.kind} · {story.severity}" if story.severity else story.kind
    return (
        '<div style="max-width:600px;margin:0 auto 14px;background:#fff;border-radius:6px;'
        f'border-left:5px solid {story.colour};padding:14px 18px">'
        f'<div style="color:{story.colour};font-size:12px;text-transform:uppercase;'
        f'letter-spacing:.05em">{escape(label)}</div>'
        f'<div style="font-size:17px;font-weight:600;margin:2px 0 8px">{escape(story.title)}</div>'
        f'<table style="border-collapse:collapse;font-size:14px">{rows}</table>{link}</div>'
    )
