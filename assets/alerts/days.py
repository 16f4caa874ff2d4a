"""Takes the rules through a release, one data day after the other."""

from datetime import date

import polars as pl

from assets.alerts.activation import Planned
from assets.alerts.findings import Finding, alert_id, findings_of, moved
from assets.alerts.judging import Judged, advance, judge, memory_after, scope_of
from assets.alerts.memory import SCHEMA, worth_keeping
from assets.alerts.recording import Recorder
from assets.alerts.release_files import ReleaseReader
from assets.alerts.rules import RuleFilter
from assets.alerts.transitions import Transition

_NOTHING = pl.DataFrame(schema=SCHEMA)


class DayWalk:
    """The memory on the way from day to day, and the sums of what was judged and found."""

    def __init__(self, *, recorder: Recorder, reader: ReleaseReader, memory: pl.DataFrame) -> None:
        """Begins with the memory that the ledger holds."""
        self.memory = memory
        self.units = reader.units()
        self.judged = 0
        self.unjudged = 0
        self.attribute_missing = 0
        self.transitions: list[Transition] = []
        self._recorder = recorder
        self._reader = reader

    def end(self, findings: list[Finding], rules: set[str]) -> None:
        """Resolves the alerts of rules that are judged no more, and forgets the rules."""
        self.memory = self.memory.filter(~pl.col("rule").is_in(sorted(rules)))
        self._record(findings)

    def take(self, day: date, planned: list[Planned]) -> None:
        """Judges what is planned for one day, and records what it moves."""
        if not planned:
            return
        judged = self._judge(day, planned)
        rows = advance(pl.concat(found.rows for found in judged), day)
        for found, (_, mode) in zip(judged, planned, strict=True):
            if mode != "warming":
                self.judged += found.judged
                self.unjudged += found.unjudged
                self.attribute_missing += found.attribute_missing
        self._recorder.refresh(
            (alert_id(rule, account, opened_on), value, day)
            for rule, account, opened_on, value in _still_open(rows).rows()
        )
        told = moved(rows)
        accounts = self._reader.accounts(row["account_id"] for row in told)
        rules = {rule.rule: rule for rule, _ in planned}
        self._record(findings_of(told, day, rules, self.units, accounts))
        others = self.memory.filter(~pl.col("rule").is_in(list(rules)))
        self.memory = pl.concat([others, worth_keeping(memory_after(rows))])

    def _judge(self, day: date, planned: list[Planned]) -> list[Judged]:
        rules = [rule for rule, _ in planned]
        attributes = {found.attribute for rule in rules for found in rule.filters}
        frame = self._reader.day(day, {rule.metric for rule in rules}, attributes)
        scopes: dict[tuple[RuleFilter, ...], pl.Series] = {}
        memories = self.memory.partition_by("rule", as_dict=True)
        judged = []
        for rule, mode in planned:
            if rule.filters not in scopes:
                scopes[rule.filters] = frame.select(scope=scope_of(rule.filters))["scope"]
            memory = memories.get((rule.rule,), _NOTHING)
            judged.append(judge(frame, scopes[rule.filters], memory, rule, mode))
        return judged

    def _record(self, findings: list[Finding]) -> None:
        self._recorder.record(findings)
        self.transitions += [found.transition for found in findings]


def _still_open(rows: pl.DataFrame) -> pl.DataFrame:
    """Rule, account, opening day and value of the open alerts that were judged and stay open."""
    return rows.filter(
        (pl.col("phase") == "open")
        & pl.col("effect").is_null()
        & (pl.col("verdict") != "unjudged")
        & pl.col("value").is_not_null()
    ).select("rule", "account_id", "last_triggered_on", "value")
