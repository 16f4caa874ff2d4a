"""What the ledger keeps of a finding, row by row."""

from datetime import datetime

from assets.alerts import audit
from assets.alerts.findings import Finding
from assets.alerts.published import Release
from assets.alerts.transitions import HeldRule

Row = dict[str, object]
Standing = dict[str, tuple[str, int]]
"""Status and last event of alerts, by their id."""


def alert_row(found: Finding, release: Release) -> Row:
    """The row of `alerts` of one that opens."""
    made = found.transition
    return {
        "alert_id": found.alert_id,
        "rule": made.rule,
        "rule_version": found.rule_version,
        "family": found.family,
        "severity": made.severity,
        "account_id": made.account_id,
        "account_name": made.account_name,
        "dimensions": found.dimensions,
        "status": "open",
        "sentence": made.sentence,
        "metric": found.metric,
        "held_since": found.held_since,
        "opened_on": made.day,
        "opened_at": release.as_of,
        "value": made.value,
        "value_text": made.value_text,
        "threshold": made.threshold,
        "last_value": made.value,
        "last_judged_on": made.day,
        "release_id": release.id,
    }


def event_row(found: Finding, release: Release, standing: Standing, recorded_at: datetime) -> Row:
    """The row of `alert_events` of a transition; `standing` is that of before the day."""
    made = found.transition
    status, last = (None, 0) if made.transition == "opened" else standing[found.alert_id]
    detail = {"cause": made.cause, "reason": made.reason}
    if found.superseded_by:
        detail["by"] = found.superseded_by
    return {
        "alert_id": found.alert_id,
        "ordinal": last + 1,
        "on_day": made.day,
        "transition": made.transition,
        "from_status": status,
        "to_status": "resolved" if made.transition == "resolved" else "open",
        "value": made.value,
        "release_id": release.id,
        "detail": detail,
        "recorded_at": recorded_at,
    }


def suppression_row(found: Finding, release: Release) -> Row:
    """The row of `suppressions` of what was held back."""
    made = found.transition
    return {
        "rule": made.rule,
        "account_id": made.account_id,
        "dimensions": found.dimensions,
        "on_day": made.day,
        "cause": made.cause,
        "reason": made.reason,
        "value": made.value,
        "release_id": release.id,
    }


def held_row(found: HeldRule, release: Release) -> Row:
    """The row of `held_rules` of a rule that was held back whole."""
    return {
        "rule": found.rule,
        "on_day": found.day,
        "owner": found.owner,
        "would_fire": found.would_fire,
        "most": found.most,
        "release_id": release.id,
    }


def audit_entry(found: Finding) -> audit.Entry:
    """What the audit log says of a transition."""
    made = found.transition
    return audit.Entry(
        actor="evaluation",
        action=made.transition,
        subject=found.alert_id,
        decision=made.cause,
        result=made.sentence,
        inputs={
            "rule": made.rule,
            "account_id": made.account_id,
            "metric": found.metric,
            "scope": made.scope,
            "value": made.value if made.value_text is None else made.value_text,
            "threshold": made.threshold,
        },
        rule_version=found.rule_version,
        on_day=made.day,
    )


def held_entry(found: HeldRule) -> audit.Entry:
    """What the audit log says of a rule that was held back whole."""
    return audit.Entry(
        actor="evaluation",
        action="held",
        subject=found.rule,
        decision="storm",
        result=f"{found.would_fire} accounts, at most {found.most}",
        on_day=found.day,
    )
