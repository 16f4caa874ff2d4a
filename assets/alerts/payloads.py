"""What a receiver is told of a finding: facts, nothing secret and no e-mail address."""

from assets.alerts.findings import Finding
from assets.alerts.published import Release
from assets.alerts.transitions import HeldRule

Row = dict[str, object]


def payload_of(found: Finding, release: Release) -> Row:
    """What a receiver is told. It holds nothing secret and no e-mail address."""
    made = found.transition
    return {
        "transition": made.transition,
        "severity": made.severity,
        "sentence": made.sentence,
        "reason": made.reason,
        "what_to_do": found.what_to_do,
        "account_id": made.account_id,
        "account_name": made.account_name,
        "csm_id": found.account.csm_id,
        "csm_name": found.account.csm_name,
        "rule": made.rule,
        "family": found.family,
        "alert_id": found.alert_id,
        "metric": found.metric,
        "metric_name": found.metric_name,
        "scope": made.scope,
        "unit": found.unit,
        "value": made.value,
        "value_text": made.value_text,
        "threshold": made.threshold,
        "trend": list(found.trend),
        "day": made.day.isoformat(),
        "opened_on": found.opened_on.isoformat(),
        "held_since": found.held_since.isoformat() if found.held_since else None,
        "release_id": release.id,
        "as_of": release.as_of.isoformat(),
    }


def payload_of_held(found: HeldRule, release: Release) -> Row:
    """What the owner of a rule that was held back is told."""
    return {
        "severity": "warning",
        "sentence": f"The rule {found.rule} was held back: it would have fired for "
        f"{found.would_fire:,} accounts on {found.day}, and {found.most:,} are allowed.",
        "what_to_do": "Look whether the data or the rule is wrong (csw alerts lint); raise "
        "its max_share if it is right.",
        "rule": found.rule,
        "owner": found.owner,
        "day": found.day.isoformat(),
        "release_id": release.id,
    }
