"""Revenue seeds: what is wrong, with file, line, column and what is allowed."""

from pathlib import Path

import pytest

from assets.warehouse.revenue_files import find_revenue_problems

POLICIES = (
    "policy,description,past_due_days,churn_moment,discounts,trials,metered,fx,gap_days\n"
    "standard,The headline.,30,period_end,recurring,excluded,excluded,month_start,0\n"
)
MIGRATIONS = "from_subscription_id,to_subscription_id,reason\n"
PATIENT = "patient,As long as it lasts.,,scheduled,all,included,included,period_start,10\n"


def problems(folder: Path, policies: str = POLICIES, migrations: str = MIGRATIONS) -> list[str]:
    seeds = folder / "seeds"
    seeds.mkdir()
    (seeds / "mrr_policies.csv").write_text(policies)
    (seeds / "billing_migrations.csv").write_text(migrations)
    return [str(problem) for problem in find_revenue_problems(seeds)]


def test_sound_files_have_no_problems(tmp_path: Path) -> None:
    """A rule of ours that a policy of somebody's own breaks."""
    assert problems(tmp_path, POLICIES + PATIENT, MIGRATIONS + "old,new,moved\n") == []


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        (
            POLICIES.replace("period_end", "later"),
            (
                "line 2, column churn_moment: 'later' is not right; "
                "allowed: 'period_end', 'cancellation' or 'scheduled'."
            ),
        ),
        (
            POLICIES.replace(",30,", ",a month,"),
            "line 2, column past_due_days: 'a month' is not right; allowed: a whole number.",
        ),
        (
            POLICIES + PATIENT + PATIENT,
            (
                "line 4, column policy: 'patient' stands here more than once; "
                "allowed: each name on one line."
            ),
        ),
        (
            POLICIES.replace("standard,", "ours,"),
            (
                "line 1, column policy: there is no policy named 'standard', "
                "which the headline is counted by; "
                "allowed: any policies, of which one is 'standard'."
            ),
        ),
    ],
)
def test_a_wrong_policy_is_named_with_what_is_allowed(
    tmp_path: Path, policies: str, said: str
) -> None:
    """Prevents a typing error that silently counts MRR by another rule."""
    assert f"seeds/mrr_policies.csv, {said}" in problems(tmp_path, policies)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "old,new,moved\nold,other,moved\n",
            (
                "line 3, column from_subscription_id: 'old' stands here more than once; "
                "allowed: each name on one line."
            ),
        ),
        (
            "old,old,moved\n",
            (
                "line 2, column to_subscription_id: 'old' continues itself; "
                "allowed: the subscription that took its place."
            ),
        ),
        (
            "old,,moved\n",
            (
                "line 2, column to_subscription_id: it is empty; "
                "allowed: a value; the cell must not be empty."
            ),
        ),
    ],
)
def test_a_wrong_migration_is_named_with_what_is_allowed(
    tmp_path: Path, rows: str, said: str
) -> None:
    """Prevents a subscription that goes on in two others, or in none."""
    assert f"seeds/billing_migrations.csv, {said}" in problems(
        tmp_path, POLICIES, MIGRATIONS + rows
    )
