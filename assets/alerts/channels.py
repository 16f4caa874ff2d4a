"""Tells one target its envelopes, one after the other, and says of each what became of it."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import tenacity

from assets.alerts import email_channel, signing, slack_channel
from assets.alerts.file_channel import append_payloads
from assets.alerts.http_channel import HttpChannel
from assets.alerts.stories import stories_of
from assets.alerts.telling import Envelope, NotToldError, ReceiverDownError, Receivers

Outcome = tuple[Envelope, str | None]
Send = Callable[[Envelope], None]

_TRIES_AT_ONCE = 3


class Channels:
    """How envelopes are told, with what is known of receivers."""

    def __init__(
        self, receivers: Receivers, *, now: datetime, sleep: Callable[[float], None]
    ) -> None:
        """Remembers the receivers, the wall clock and how one waits between two tries."""
        self._receivers = receivers
        self._now = now
        self._sleep = sleep

    def tell(self, channel: str, target: str, envelopes: list[Envelope]) -> Iterator[Outcome]:
        """Tells a target its envelopes in their order; each comes back with what went wrong.

        Once the receiver is down, the rest is not tried.
        """
        if channel == "file":
            yield from self._write(target, envelopes)
        elif channel == "email":
            yield from self._mail(envelopes)
        else:
            yield from self._each(envelopes, self._posting(channel, target))

    def _each(self, envelopes: list[Envelope], send: Send) -> Iterator[Outcome]:
        down: str | None = None
        for envelope in envelopes:
            if down is None:
                down, error = self._try(envelope, send)
                yield envelope, error
            else:
                yield envelope, down

    def _try(self, envelope: Envelope, send: Send) -> tuple[str | None, str | None]:
        """Why the receiver is down, and why this envelope was not told."""
        try:
            self._retrying()(send, envelope)
        except ReceiverDownError as error:
            return str(error), str(error)
        except NotToldError as error:
            return None, str(error)
        return None, None

    def _write(self, target: str, envelopes: list[Envelope]) -> Iterator[Outcome]:
        """All lines of a file at once: each waits until it is on disk."""
        path = self._receivers.outbox / target

        def append(payloads: list[dict[str, Any]]) -> None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                append_payloads(path, payloads)
            except OSError as error:
                raise ReceiverDownError(
                    f"{type(error).__name__}: {error.strerror or 'no reason given'} ({path.name})",
                    is_brief=True,
                ) from None

        error = None
        try:
            self._retrying()(append, [p for envelope in envelopes for p in envelope.payloads])
        except ReceiverDownError as down:
            error = str(down)
        for envelope in envelopes:
            yield envelope, error

    def _mail(self, envelopes: list[Envelope]) -> Iterator[Outcome]:
        try:
            server = self._retrying()(self._mail_server)
        except ReceiverDownError as error:
            yield from ((envelope, str(error)) for envelope in envelopes)
            return

        def send(envelope: Envelope) -> None:
            server.send(
                email_channel.message_of(
                    stories_of(envelope.payloads, self._receivers.link),
                    key=envelope.key,
                    sender=self._receivers.sender,
                    to=envelope.target,
                    now=self._now,
                )
            )

        yield from self._each(envelopes, send)
        server.close()

    def _mail_server(self) -> email_channel.MailServer:
        url = self._receivers.smtp_url()
        if not url:
            raise ReceiverDownError("the mail server: CSW_SMTP_URL is not set")
        return email_channel.MailServer(url, seconds=self._receivers.seconds)

    def _posting(self, channel: str, name: str) -> Send:
        url, secret = (self._receivers.read(name, part) for part in ("url", "secret"))

        def send(envelope: Envelope) -> None:
            if not url:
                variable = f"CSW_RECEIVER_{name.upper()}_URL"
                raise ReceiverDownError(f"{name}: {variable} is not set")
            http = HttpChannel(
                name=name, url=url, gate=self._receivers.gate, seconds=self._receivers.seconds
            )
            body = self._body(channel, envelope)
            stamp = int(self._now.timestamp())
            http.post(body, signing.headers(body, key=envelope.key, timestamp=stamp, secret=secret))

        return send

    def _body(self, channel: str, envelope: Envelope) -> bytes:
        if channel == "slack":
            stories = stories_of(envelope.payloads, self._receivers.link)
            return json.dumps(slack_channel.message_of(stories)).encode()
        if len(envelope.payloads) == 1:
            return json.dumps(envelope.payloads[0]).encode()
        digest = {"idempotency_key": envelope.key, "kind": "digest", "items": envelope.payloads}
        return json.dumps(digest).encode()

    def _retrying(self) -> tenacity.Retrying:
        """A short fault is tried again at once, with more and more time between."""
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, ReceiverDownError) and error.is_brief
            ),
            stop=tenacity.stop_after_attempt(_TRIES_AT_ONCE),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
            sleep=self._sleep,
            reraise=True,
        )
