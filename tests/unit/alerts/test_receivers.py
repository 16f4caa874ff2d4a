"""Real receivers on loopback: what is sent, what arrives, how often, and what is lost (nothing)."""

import email
import email.policy
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.alerts.addresses import ForbiddenAddressError, Gate, is_public
from assets.alerts.delivery import TRIES, Delivery, deliver
from assets.alerts.evaluation import evaluate
from assets.alerts.http_channel import HttpChannel
from assets.alerts.ledger import create_ledger
from assets.alerts.ledger_tables import actions, metadata
from assets.alerts.receivers import Route
from assets.alerts.rules import RuleSet
from assets.alerts.telling import NotToldError, Receivers
from tests.unit.alerts.receivers_on_loopback import (
    Answer,
    Posted,
    drips,
    hangs,
    http_server,
    loses_its_answer,
    mail_server,
    refuses,
    resets,
    takes,
    takes_late,
)
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import rule

SECRET = "correct-horse-battery-staple"  # noqa: S105 - of a test


def routes(*rows: tuple[str, str], is_digest: bool = False) -> tuple[Route, ...]:
    return tuple(
        Route.model_validate(
            {
                "rule": "*",
                "position": position,
                "channel": channel,
                "target": target,
                "fallback": "file:unowned.jsonl" if target in ("csm", "manager") else None,
                "is_digest": is_digest,
            }
        )
        for position, (channel, target) in enumerate(rows, 1)
    )


def find(ledger: sa.Engine, releases: Path, told: tuple[Route, ...], accounts: str = "abc") -> None:
    """One alert per account."""
    publish(releases, 1, march(1), [day for a in accounts for day in series(a, [39])])
    rules = RuleSet(rules=(rule(max_share=1),), routes=told)
    evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)


def known(tmp_path: Path, *, patience: float = 30, **urls: str) -> Receivers:
    """Receivers by name; only `localhost` may be on this machine.

    Who answers is waited for on a machine that has other work, too; `patience`, in seconds, is
    short where nobody does.
    """

    def read(name: str, part: str) -> str | None:
        return urls.get(name) if part == "url" else SECRET

    gate = Gate(allowed_hosts=frozenset({"localhost"}))
    return Receivers(
        outbox=tmp_path / "outbox",
        read=read,
        gate=gate,
        seconds=patience,
        seconds_per_target=2.5 * patience,
    )


def no_sleep(_seconds: float) -> None:
    """Tests don't wait between two tries."""


def send(ledger: sa.Engine, receivers: Receivers, days: int = 0) -> Delivery:
    return deliver(ledger, receivers, now=RECORDED_AT + timedelta(days=days), sleep=no_sleep)


@pytest.mark.parametrize(
    ("answers", "first", "duplicates"),
    [
        ([refuses(500), refuses(503), takes], Delivery(sent=3, failed=0, dead=0), 0),
        ([resets, takes], Delivery(sent=3, failed=0, dead=0), 0),
        ([loses_its_answer, takes], Delivery(sent=3, failed=0, dead=0), 1),
        ([hangs, takes], Delivery(sent=0, failed=3, dead=0), 0),
        ([takes_late, takes], Delivery(sent=0, failed=3, dead=0), 1),
        ([drips, takes], Delivery(sent=0, failed=1, dead=0), 0),
        ([refuses(404), takes], Delivery(sent=2, failed=1, dead=0), 0),
    ],
    ids=["500", "reset", "lost answer", "hangs", "200 late", "drips", "404 for one"],
)
def test_whatever_the_receiver_does_nothing_is_lost(
    ledger: sa.Engine,
    releases: Path,
    tmp_path: Path,
    answers: list[Answer],
    first: Delivery,
    duplicates: int,
) -> None:
    """An alert that nobody got because a server was restarted; duplicates are told by their key."""
    find(ledger, releases, routes(("webhook", "crm")))
    with http_server(*answers) as heard:
        short = {"patience": 0.4} if {hangs, takes_late, drips} & set(answers) else {}
        assert send(ledger, known(tmp_path, crm=heard.url, **short)) == first
        for day in range(1, 3):
            send(ledger, known(tmp_path, crm=heard.url), day)
        counts = Counter(heard.keys)
    sent = keys_of(ledger)
    assert set(counts) == set(sent), "lost, or sent by nobody"
    assert sum(counts.values()) - len(counts) == duplicates
    assert {row.state for row in rows_of(ledger)} == {"sent"}


def rows_of(ledger: sa.Engine) -> list[sa.Row]:
    with ledger.connect() as connection:
        return list(connection.execute(sa.select(actions).order_by(actions.c.number)))


def keys_of(ledger: sa.Engine) -> list[str]:
    return [row.action_key for row in rows_of(ledger)]


def test_a_slow_receiver_blocks_no_other(ledger: sa.Engine, releases: Path, tmp_path: Path) -> None:
    """One hook that hangs held back everybody's mail."""
    find(ledger, releases, routes(("webhook", "slow"), ("webhook", "quick"), ("file", "a.jsonl")))
    file, others = tmp_path / "outbox" / "a.jsonl", list[tuple[int, int]]()

    def waits_for_the_others(request: Posted) -> None:
        for _ in range(500):
            others.append((len(quick.messages), len(lines_of(file))))
            if others[-1] == (3, 3):
                break
            time.sleep(0.02)
        request.status(200)

    with http_server(waits_for_the_others) as slow, http_server(takes) as quick:
        done = send(ledger, known(tmp_path, slow=slow.url, quick=quick.url))
    assert done == Delivery(sent=9, failed=0, dead=0)
    assert others[-1] == (3, 3)
    assert len(others) < 500


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_a_receiver_that_stays_dead_becomes_a_dead_letter(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """Tried for ever it would be a silent loss."""
    find(ledger, releases, routes(("webhook", "crm")), "a")
    for day in range(TRIES):
        done = send(ledger, known(tmp_path, crm="http://localhost:9/x"), day)
    assert done == Delivery(sent=0, failed=0, dead=1)
    assert rows_of(ledger)[0].last_error == "crm: it takes no connection"


def test_a_receiver_can_tell_our_messages_from_others(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """A signature over anything else than what arrives verifies nothing: as in signing.py."""
    find(ledger, releases, routes(("webhook", "crm")), "a")
    with http_server(takes) as heard:
        send(ledger, known(tmp_path, crm=heard.url))
        ((headers, body),) = heard.messages
    stamp = headers["X-CSW-Timestamp"]
    signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    assert headers["X-CSW-Signature"] == "sha256=" + signed.hexdigest()
    assert int(stamp) == RECORDED_AT.timestamp()
    assert headers["Idempotency-Key"] == json.loads(body)["idempotency_key"] == keys_of(ledger)[0]


KILLED = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from assets.alerts import delivery
from assets.alerts.addresses import Gate
from assets.alerts.ledger import create_ledger
from assets.alerts.telling import Receivers
from tests.unit.alerts.releases_by_hand import RECORDED_AT
ledger, url, outbox = sys.argv[1:]
delivery._note = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
receivers = Receivers(outbox=Path(outbox), read=lambda *_: url,
                      gate=Gate(allowed_hosts=frozenset({"localhost"})))
delivery.deliver(create_ledger(ledger), receivers, now=RECORDED_AT)
"""


@pytest.mark.parametrize("is_digest", [False, True])
def test_killed_between_send_and_record_the_key_is_the_same_again(
    tmp_path: Path,
    releases: Path,
    is_digest: bool,  # noqa: FBT001
) -> None:
    """The receiver could not tell the second message from a second alert."""
    url = f"sqlite:///{tmp_path / 'killed.sqlite'}"
    ledger = create_ledger(url)
    find(ledger, releases, routes(("webhook", "crm"), is_digest=is_digest))
    with http_server(takes) as heard:
        root = Path(__file__).parents[3]
        command = [sys.executable, "-c", KILLED, url, heard.url, str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        ended = subprocess.run(command, cwd=root, env=environment, check=False)  # noqa: S603
        assert ended.returncode == -signal.SIGKILL
        before = list(heard.keys)
        assert before, "it was killed after the receiver had heard of it"
        send(ledger, known(tmp_path, crm=heard.url))
        again = heard.keys[len(before) :]
    assert set(before) <= set(again)
    assert len(set(again)) == len(again) == (1 if is_digest else 3)


def test_a_digest_is_one_message_of_all_that_a_release_tells(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """Thirty messages at once are read by nobody."""
    find(ledger, releases, routes(("webhook", "crm"), is_digest=True))
    with http_server(takes) as heard:
        assert send(ledger, known(tmp_path, crm=heard.url)).sent == 3
        (digest,) = heard.payloads
    assert [item["account_id"] for item in digest["items"]] == ["a", "b", "c"]


def test_a_digest_that_failed_is_told_whole_again(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """Half of it, under the key of the whole: the other half would be taken for a duplicate."""
    find(ledger, releases, routes(("webhook", "crm"), is_digest=True))
    with http_server(refuses(404), takes) as heard:
        receivers = known(tmp_path, crm=heard.url)
        assert send(ledger, receivers) == Delivery(sent=0, failed=3, dead=0)
        for second in range(20, 100, 10):
            deliver(ledger, receivers, now=RECORDED_AT + timedelta(seconds=second), sleep=no_sleep)
        (digest,) = heard.payloads
    assert len(digest["items"]) == 3


def test_a_mail_goes_to_whoever_looks_after_the_account(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """The address of another one's account, or a mail that says nothing without HTML."""
    find(ledger, releases, routes(("email", "csm")), "a")
    with mail_server() as box:
        receivers = replace(
            known(tmp_path), smtp_url=lambda: box.url, link="https://crm.test/{account_id}"
        )
        assert send(ledger, receivers) == Delivery(sent=1, failed=0, dead=0)
        ((to, content),) = box.mails
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert to == ["ada@example.com"]
    assert mail["Subject"] == "New (warning): The health of Account a is 39, below 40."
    assert mail["Message-ID"] == f"<{keys_of(ledger)[0]}@csw.invalid>"
    text, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for said in ("Account a (a)", "Ada Example", "Health is 39, below 40", "2025-03-01"):
        assert said in text
        assert said in page
    assert "https://crm.test/a" in page


def test_a_role_that_has_nobody_falls_back_and_is_listed(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """An account without a manager would be an account of which nobody hears."""
    find(ledger, releases, routes(("email", "manager")), "a")
    assert send(ledger, known(tmp_path)).sent == 1
    assert len((tmp_path / "outbox" / "unowned.jsonl").read_text().splitlines()) == 1
    with ledger.connect() as connection:
        owner = connection.execute(sa.select(metadata.tables["missing_owners"])).one()
    assert (owner.account_id, owner.role, owner.told_instead) == (
        "a",
        "manager",
        "file:unowned.jsonl",
    )


def test_a_refused_address_stops_no_other_mail(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """One person who left would hold back everybody's mail."""
    find(
        ledger, releases, routes(("email", "gone@example.com"), ("email", "here@example.com")), "a"
    )
    with mail_server() as box:
        box.refused = {"gone@example.com"}
        receivers = replace(known(tmp_path), smtp_url=lambda: box.url)
        assert send(ledger, receivers) == Delivery(sent=1, failed=1, dead=0)
        assert [to for to, _ in box.mails] == [["here@example.com"]]
    assert rows_of(ledger)[0].last_error == "the mail server: SMTPRecipientsRefused"


def test_an_address_that_no_server_takes_stops_no_other_mail(
    ledger: sa.Engine, releases: Path, tmp_path: Path
) -> None:
    """A letter of the CRM's address book, and the mails of all others become dead letters."""
    told = routes(*(("email", f"{who}@example.com") for who in ("jörg", "torn", "here")))
    find(ledger, releases, told, "a")
    with ledger.begin() as connection:
        torn = {"target": "to\nrn@example.com"}
        connection.execute(sa.update(actions).where(actions.c.number == 2).values(**torn))
    with mail_server() as box:
        receivers = replace(known(tmp_path), smtp_url=lambda: box.url)
        assert send(ledger, receivers) == Delivery(sent=1, failed=2, dead=0)
        assert [to for to, _ in box.mails] == [["here@example.com"]]


def test_no_secret_is_written_anywhere(
    ledger: sa.Engine,
    releases: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A hook's address in a log is a hook that anybody may use."""
    caplog.set_level(0)
    find(
        ledger, releases, routes(("webhook", "crm"), ("slack", "team"), ("email", "x@example.com"))
    )
    with http_server(refuses(500), takes) as heard, http_server(resets) as dead:
        receivers = replace(
            known(tmp_path, crm=heard.url, team=dead.url),
            smtp_url=lambda: f"smtp://user:{SECRET}@127.0.0.1:9",
        )
        send(ledger, receivers)
    with ledger.connect() as connection:
        everything = [
            repr(row)
            for table in metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        ]
    files = [path.read_text() for path in tmp_path.rglob("*.jsonl")]
    said = "\n".join([*everything, *files, caplog.text])
    assert "hunter2" not in said
    assert SECRET not in said


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "0.0.0.0", "224.0.0.1",  # noqa: S104
    "100.64.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "240.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_webhook_may_not_reach_into_a_network(address: str) -> None:
    """A rule's route could read the cloud's credentials (169.254.169.254)."""
    gate = Gate(resolve=lambda *_: ["93.184.216.34", address])
    with pytest.raises(ForbiddenAddressError):
        gate.addresses("hooks.example.com", 443)


def test_public_addresses_are_reached() -> None:
    """A gate that lets nobody through is safe and useless."""
    for address in ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"):
        assert is_public(address)


def test_a_name_is_asked_for_once_and_its_address_is_pinned() -> None:
    """Asked again, the name could lead inside (DNS rebinding)."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with http_server(takes) as heard:
        port = heard.url.split(":")[2].split("/")[0]
        gate = Gate(allowed_hosts=frozenset({"hooks.test"}), resolve=resolve)
        HttpChannel(name="x", url=f"http://hooks.test:{port}/", gate=gate).post(b"{}", {
            "Idempotency-Key": "k",
        })  # fmt: skip
        assert heard.messages[0][0]["Host"] == f"hooks.test:{port}"
    assert asked == ["hooks.test"]


def test_a_redirect_is_not_followed() -> None:
    """A receiver outside could send us inside."""
    with http_server(takes) as inside, http_server(refuses(307, Location=inside.url)) as outside:
        gate = Gate(allowed_hosts=frozenset({"localhost"}))
        with pytest.raises(NotToldError, match="no redirect is followed"):
            HttpChannel(name="x", url=outside.url, gate=gate).post(b"{}", {})
        assert inside.messages == []


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "ftp://example.com", "https://", "https://127.0.0.1/x"]
)
def test_only_https_to_the_open_internet(url: str) -> None:
    """Unencrypted, everybody on the way reads which customer is unwell."""
    with pytest.raises(NotToldError):
        HttpChannel(name="x", url=url, gate=Gate()).post(b"{}", {})


def test_an_error_that_nobody_foresaw_is_a_failure_and_no_crash(
    ledger: sa.Engine, releases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that dies would leave its envelopes neither sent nor failed."""
    find(ledger, releases, routes(("webhook", "crm"), ("file", "a.jsonl")), "a")
    monkeypatch.setattr(HttpChannel, "post", lambda *_: 1 / 0)
    done = send(ledger, known(tmp_path, crm="https://example.com"))
    assert done == Delivery(sent=1, failed=1, dead=0)
    assert rows_of(ledger)[0].last_error == "ZeroDivisionError (webhook)"
