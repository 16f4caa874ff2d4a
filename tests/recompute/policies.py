"""Policies of MRR as a test writes them: the shipped three, and odd ones that nobody ships."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations

# The order in which the bridge puts one policy's rules in the other one's place.
BRIDGE = {
    "trials": "trials",
    "past_due": "past_due_days",
    "churn": "churn_moment",
    "gap": "gap_days",
    "discounts": "discounts",
    "metered": "metered",
    "fx": "fx",
}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How MRR is counted; `past_due_days` None means as long as it lasts."""

    policy: str = "standard"
    past_due_days: int | None = 30
    churn_moment: str = "period_end"
    discounts: str = "recurring"
    trials: str = "excluded"
    metered: str = "excluded"
    fx: str = "month_start"
    gap_days: int = 0

    @property
    def rules(self) -> tuple[object, ...]:
        """All that decides, without the name."""
        return tuple(getattr(self, field.name) for field in fields(self) if field.name != "policy")

    def row(self) -> dict[str, object]:
        """The row of seed `mrr_policies`."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return own | {"description": f"{self.policy} of a test"}


STANDARD = Policy()
STRIPE_LIKE = Policy(
    policy="stripe_like", past_due_days=None, churn_moment="cancellation", discounts="forever"
)
CHARTMOGUL_LIKE = Policy(
    policy="chartmogul_like",
    past_due_days=None,
    churn_moment="cancellation",
    discounts="all",
    metered="included",
    fx="period_start",
)
SHIPPED = (STANDARD, STRIPE_LIKE, CHARTMOGUL_LIKE)
ODD = (
    STANDARD,
    Policy(policy="patient", gap_days=10, discounts="none", past_due_days=0),
    Policy(
        policy="early",
        trials="included",
        metered="included",
        churn_moment="scheduled",
        fx="period_start",
        gap_days=3,
    ),
    Policy(policy="strict", churn_moment="scheduled", discounts="forever", past_due_days=1),
)


def pairs(policies: Sequence[Policy]) -> list[tuple[Policy, Policy]]:
    """Every two policies; the standard one is the first of its pairs, else the alphabet decides."""
    ordered = sorted(policies, key=lambda one: (one.policy != "standard", one.policy))
    return list(combinations(ordered, 2))


def steps(one: Policy, other: Policy) -> list[tuple[str, Policy]]:
    """From `one` to `other`, rule by rule in the bridge's order: the rule, and all so far."""
    found = []
    for name, rule in BRIDGE.items():
        one = replace(one, **{rule: getattr(other, rule)})
        found.append((name, one))
    return found
