"""Takes the rules through a release, one data day after the other."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from assets.alerts.activation import Planned
from assets.alerts.advancing import advance, memory_after
from assets.alerts.comparing import scope_of
from assets.alerts.filters import RuleFilter
from assets.alerts.findings import Finding, alert_id, asks_for_trends, findings_of, moved
from assets.alerts.judging import Judged, judge
from assets.alerts.memory import SCHEMA, worth_keeping
from assets.alerts.recording import Recorder
from assets.alerts.release_files import ReleaseReader
from assets.alerts.rules import Rule
from assets.alerts.scopes import metric_in_words
from assets.alerts.transitions import HeldRule, Transition

_NOTHING = pl.DataFrame(schema=SCHEMA)


class DayWalk:
    """The memory on the way from day to day, and the sums of what was judged and found."""

    def __init__(self, *, recorder: Recorder, reader: ReleaseReader, memory: pl.DataFrame) -> None:
        """Begins with the memory that the ledger holds."""
        self.memory = memory
        self.units = reader.units()
        self._names = reader.names()
        self.judged = 0
        self.unjudged = 0
        self.attribute_missing = 0
        self.transitions: list[Transition] = []
        self.held: list[HeldRule] = []
        self._recorder = recorder
        self._reader = reader

    def end(self, findings: list[Finding], rules: set[str]) -> None:
        """Resolves the alerts of rules that are judged no more, and forgets the rules."""
        self.memory = self.memory.filter(~pl.col("rule").is_in(sorted(rules)))
        self._record(findings)

    def take(self, day: date, planned: list[Planned], *, is_new: bool) -> None:
        """Judges what is planned for one day, and records what it moves.

        A day that is not new is judged for rules that begin; nothing else happens on it.
        """
        if planned:
            self._take(day, planned)
        if is_new:
            self._recorder.finish(day, self._reader)

    def _take(self, day: date, planned: list[Planned]) -> None:
        judged = self._judge(day, planned)
        rows = advance(pl.concat(found.rows for found in judged), day)
        for found, (_, mode) in zip(judged, planned, strict=True):
            if mode != "warming":
                self.judged += found.judged
                self.unjudged += found.unjudged
                self.attribute_missing += found.attribute_missing
        self._recorder.refresh(
            (alert_id(*key), value, day) for *key, value in _still_open(rows).rows()
        )
        rules = {rule.rule: rule for rule, _ in planned}
        self._hold(rows, rules, day)
        told = moved(rows)
        accounts = self._reader.accounts((row["account_id"] for row in told), day)
        trends = {
            (metric, scope, account): trend
            for (metric, scope), asked in asks_for_trends(told, rules).items()
            for account, trend in self._reader.trends(metric, scope, asked, day).items()
        }
        self._record(findings_of(told, day, rules, self.units, accounts, trends))
        others = self.memory.filter(~pl.col("rule").is_in(list(rules)))
        self.memory = pl.concat([others, worth_keeping(memory_after(rows))])

    def _hold(self, rows: pl.DataFrame, rules: dict[str, Rule], day: date) -> None:
        """Notes the rules that would have fired for too many accounts."""
        storms = rows.filter("is_storm").select("rule", "would_fire", "most").unique().sort("rule")
        held = [
            HeldRule(
                rule=rule,
                owner=rules[rule].owner,
                day=day,
                would_fire=would_fire,
                most=most,
                is_new=not self._recorder.was_held(rule, day - timedelta(days=1)),
            )
            for rule, would_fire, most in storms.rows()
        ]
        self._recorder.hold(held)
        self.held += held

    def _judge(self, day: date, planned: list[Planned]) -> list[Judged]:
        rules = [rule for rule, _ in planned]
        accounts = self._reader.day(day, rules, self._recorder.release.last_full_day)
        standing = self._reader.standing(day)
        concerned: dict[tuple[RuleFilter, ...], pl.Series] = {}
        memories = self.memory.partition_by("rule", as_dict=True)
        judged = []
        for rule, mode in planned:
            memory = memories.get((rule.rule,), _NOTHING)
            if rule.scope:
                rows = self._reader.narrowed(day, rule, accounts)
                judged.append(judge(rows, _concerned(rows, rule), standing, memory, rule, mode))
                continue
            if rule.filters not in concerned:
                concerned[rule.filters] = _concerned(accounts, rule)
            judged.append(judge(accounts, concerned[rule.filters], standing, memory, rule, mode))
        return judged

    def _name_of(self, found: Finding) -> str | None:
        if found.transition.scope:
            return metric_in_words(found.metric)
        return self._names.get(found.metric)

    def _record(self, findings: list[Finding]) -> None:
        named = [replace(f, metric_name=self._name_of(f)) for f in findings]
        self._recorder.record(named)
        self.transitions += [found.transition for found in findings]


def _concerned(rows: pl.DataFrame, rule: Rule) -> pl.Series:
    return rows.select(is_so=scope_of(rule.filters))["is_so"]


def _still_open(rows: pl.DataFrame) -> pl.DataFrame:
    """What makes their ids, and the value, of open alerts that were judged and stay open."""
    return rows.filter(
        (pl.col("phase") == "open")
        & pl.col("effect").is_null()
        & (pl.col("verdict") != "unjudged")
        & pl.col("value").is_not_null()
    ).select("rule", "account_id", "dimensions", "last_triggered_on", "value")
