"""What the revenue seeds say, row by row: the MRR policies and the billing migrations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from assets.seed_files import Located, Problem, SeedRow, label, read_rows, repeated

POLICIES_FILE = "mrr_policies.csv"
MIGRATIONS_FILE = "billing_migrations.csv"
HEADLINE = "standard"


class MrrPolicy(SeedRow):
    """One set of rules that MRR is counted by (spec 20, "Policies")."""

    policy: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: str = Field(min_length=1)
    past_due_days: int | None = Field(default=None, ge=0, le=3650)
    churn_moment: Literal["period_end", "cancellation", "scheduled"]
    discounts: Literal["none", "forever", "recurring", "all"]
    trials: Literal["excluded", "included"]
    metered: Literal["excluded", "included"]
    fx: Literal["month_start", "period_start"]
    gap_days: int = Field(ge=0, le=3650)


class BillingMigration(SeedRow):
    """A subscription that another one continues, which is neither churn nor new."""

    from_subscription_id: str = Field(min_length=1)
    to_subscription_id: str = Field(min_length=1)
    reason: str | None = None


def find_revenue_problems(seeds: Path) -> list[Problem]:
    """Everything that is wrong in the revenue seeds."""
    problems: list[Problem] = []
    policies = list(read_rows(seeds / POLICIES_FILE, MrrPolicy, problems))
    migrations = list(read_rows(seeds / MIGRATIONS_FILE, BillingMigration, problems))
    problems += repeated(seeds / POLICIES_FILE, "policy", policies)
    problems += repeated(seeds / MIGRATIONS_FILE, "from_subscription_id", migrations)
    if HEADLINE not in {found.row.policy for found in policies}:
        problems.append(
            Problem(
                file=label(seeds / POLICIES_FILE),
                line=1,
                column="policy",
                message=f"there is no policy named '{HEADLINE}', which the headline is counted by",
                allowed=f"any policies, of which one is '{HEADLINE}'",
            )
        )
    return [*problems, *_migrations_into_themselves(seeds / MIGRATIONS_FILE, migrations)]


def _migrations_into_themselves(
    path: Path, migrations: Sequence[Located[BillingMigration]]
) -> list[Problem]:
    return [
        Problem(
            file=label(path),
            line=found.line,
            column="to_subscription_id",
            message=f"'{found.row.to_subscription_id}' continues itself",
            allowed="the subscription that took its place",
        )
        for found in migrations
        if found.row.from_subscription_id == found.row.to_subscription_id
    ]
