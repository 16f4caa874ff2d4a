"""What is told, how often, and what a receiver that fails does to the others."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.alerts import delivery as delivery_module
from assets.alerts.delivery import TRIES, Delivery, deliver
from assets.alerts.evaluation import evaluate
from assets.alerts.file_channel import append_payloads
from assets.alerts.ledger_tables import actions
from assets.alerts.receivers import Route
from assets.alerts.rules import RuleSet
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import critical, rule, ruleset


def no_sleep(_seconds: float) -> None:
    """Tests don't wait."""


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "home" / "outbox"


@pytest.fixture
def found(ledger: sa.Engine, releases: Path) -> sa.Engine:
    """A ledger in which an alert opened, was superseded, and its successor recovered."""
    for sequence in range(1, 5):
        publish(releases, sequence, march(sequence), series("a", [80, 39, 20, 90]))
    rules = ruleset(rule(family="health"), critical())
    evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)
    return ledger


def test_every_transition_is_told_once_in_order(found: sa.Engine, outbox: Path) -> None:
    """A superseded alert is told by its successor; a second delivery has nothing to tell."""
    assert deliver(found, outbox, now=RECORDED_AT) == Delivery(sent=3, failed=0, dead=0)
    told = lines(outbox / "alerts.jsonl")
    assert [(line["day"], line["rule"], line["transition"]) for line in told] == [
        ("2025-03-02", "health_fell_below_40", "opened"),
        ("2025-03-03", "health_turned_critical", "opened"),
        ("2025-03-04", "health_turned_critical", "resolved"),
    ]
    assert told[0]["csm_name"] == "Ada Example"
    assert len({line["idempotency_key"] for line in told}) == 3
    assert deliver(found, outbox, now=RECORDED_AT) == Delivery(sent=0, failed=0, dead=0)


def test_nothing_told_holds_an_address(found: sa.Engine, outbox: Path) -> None:
    """The file is for testing and lies open; an e-mail address is personal."""
    deliver(found, outbox, now=RECORDED_AT)
    assert "@" not in (outbox / "alerts.jsonl").read_text()


def test_killed_between_send_and_record_a_key_is_not_written_twice(
    found: sa.Engine, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once, and the key lets the receiver make it once."""
    with monkeypatch.context() as killed:
        killed.setattr(delivery_module, "_note", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deliver(found, outbox, now=RECORDED_AT)
    assert len(lines(outbox / "alerts.jsonl")) == 3
    assert deliver(found, outbox, now=RECORDED_AT).sent == 3
    assert len(lines(outbox / "alerts.jsonl")) == 3


def test_a_torn_last_line_is_written_anew(found: sa.Engine, outbox: Path) -> None:
    """Killed in the middle of a write, the file ends in half an object that nobody can read."""
    deliver(found, outbox, now=RECORDED_AT)
    whole = (outbox / "alerts.jsonl").read_bytes()
    (outbox / "alerts.jsonl").write_bytes(whole[:-20])
    with found.begin() as ledger:
        ledger.execute(sa.update(actions).values(state="pending"))
    deliver(found, outbox, now=RECORDED_AT)
    assert (outbox / "alerts.jsonl").read_bytes() == whole


ODD = {"account_name": '=cmd|"/C calc"!A1', "sentence": "Two\nlines, and a comma.", "value": -0.5}


def test_a_csv_file_holds_each_message_once_on_a_line_of_its_own(tmp_path: Path) -> None:
    """A line break ends the row, a kill doubles it, a spreadsheet runs what stands there."""
    path = tmp_path / "alerts.csv"
    payloads = [{"idempotency_key": key, "rule": "r", "scope": "module:Map", **ODD} for key in "ab"]
    assert append_payloads(path, payloads) == 2
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert append_payloads(path, payloads) == 1
    assert path.read_bytes() == whole
    path.write_bytes(whole[:10])
    assert append_payloads(path, payloads) == 2
    assert path.read_bytes() == whole
    with path.open(newline="") as file:
        first, _ = csv.DictReader(file)
    assert (first["account_name"], first["value"]) == ("'" + ODD["account_name"], "-0.5")
    assert (first["sentence"], first["scope"]) == ("Two lines, and a comma.", "module:Map")


def test_lines_of_others_are_left_alone(found: sa.Engine, outbox: Path) -> None:
    """A note that a person put into the file must not stop the delivery."""
    outbox.mkdir(parents=True)
    (outbox / "alerts.jsonl").write_text('# a note\n[1]\n{"no": "key"}\n')
    assert deliver(found, outbox, now=RECORDED_AT).sent == 3
    assert (outbox / "alerts.jsonl").read_text().startswith('# a note\n[1]\n{"no": "key"}\n{"idem')


def test_a_dead_receiver_is_given_up_and_blocks_no_other(
    ledger: sa.Engine, releases: Path, outbox: Path
) -> None:
    """One full disk or wrong path would hold back everybody's alerts."""
    publish(releases, 1, march(1), series("a", [39]))
    targets = enumerate(["dead.jsonl", "living.jsonl"], 1)
    row = {"rule": "*", "channel": "file"}
    routes = [Route.model_validate(row | {"position": n, "target": t}) for n, t in targets]
    rules = RuleSet(rules=(rule(),), routes=tuple(routes))
    evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)
    (outbox / "dead.jsonl").mkdir(parents=True)
    now, pauses = RECORDED_AT, []
    first = deliver(ledger, outbox, now=now, sleep=pauses.append)
    assert first == Delivery(sent=1, failed=1, dead=0)
    assert len(pauses) == 2, "a short fault is tried again at once"
    assert len(lines(outbox / "living.jsonl")) == 1
    assert deliver(ledger, outbox, now=now, sleep=no_sleep) == Delivery(sent=0, failed=0, dead=0)
    for _ in range(TRIES - 2):
        now += timedelta(days=1)
        assert deliver(ledger, outbox, now=now, sleep=no_sleep).failed == 1
    now += timedelta(days=1)
    assert deliver(ledger, outbox, now=now, sleep=no_sleep) == Delivery(sent=0, failed=0, dead=1)
    with ledger.connect() as connection:
        dead = connection.execute(sa.select(actions).where(actions.c.state == "dead")).one()
    assert dead.last_error == "IsADirectoryError: Is a directory (dead.jsonl)"


def test_a_route_of_its_own_replaces_the_default(
    ledger: sa.Engine, releases: Path, outbox: Path
) -> None:
    """A rule with a route of its own is told there, and only what that route asks for."""
    rows = [
        {"rule": "*", "position": 1, "channel": "file", "target": "all.jsonl"},
        {
            "rule": "health_turned_critical",
            "position": 1,
            "channel": "file",
            "target": "critical.jsonl",
            "sends": "opened",
        },
    ]
    routes = tuple(Route.model_validate(row) for row in rows)
    for sequence in (1, 2):
        publish(releases, sequence, march(sequence), series("a", [20, 80]))
    rules = RuleSet(rules=(rule(), critical()), routes=routes)
    evaluate(ledger, releases, rules, recorded_at=RECORDED_AT)
    deliver(ledger, outbox, now=RECORDED_AT)
    assert [line["transition"] for line in lines(outbox / "critical.jsonl")] == ["opened"]
    assert [line["rule"] for line in lines(outbox / "all.jsonl")] == ["health_fell_below_40"] * 2
