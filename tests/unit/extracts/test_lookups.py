"""Lookups through the loader: what another file says, its newest word, and what its change does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from assets.extracts.profiles import Profile, load_profile

PROFILE = """
lookups:
  plan: {files: "invoices/plan/**", key: id, newest_by: updated_at}
  owner: {files: "invoices/owner/**", key: id, optional: true}
tables:
  invoices.subscriptions:
    files: "invoices/subscription/**"
    columns:
      subscription_id: id
      plan: {lookup: plan, by: plan_id, from: name}
      status: {lookup: owner, by: plan_id, from: status}
      currency: {constant: USD}
"""
SUBSCRIPTIONS = "id,account_id,plan_id,started_at\ns1,a1,p1,2024-01-01\ns2,a1,p9,2024-01-01\n"
DAY = datetime(2025, 1, 1, tzinfo=UTC)


def profile_in(bench: Any) -> Profile:
    file = bench.landing / "profile.yml"
    Path(file).write_text(PROFILE)
    return load_profile(file)


def plans(bench: Any) -> list[tuple[str, str | None]]:
    """Each subscription's plan by its latest version."""
    rows: list[tuple[str, str | None]] = bench.rows(
        "select subscription_id, plan from invoices.subscriptions "
        "qualify row_number() over (partition by subscription_id order by _load_order desc) = 1 "
        "order by 1"
    )
    return rows


def test_the_newest_row_of_a_key_counts_and_an_unknown_key_finds_nothing(bench: Any) -> None:
    """A history table has many rows of a plan, in any order."""
    profile = profile_in(bench)
    bench.write("invoices/subscription/a.csv", SUBSCRIPTIONS)
    bench.write("invoices/plan/a.csv", "id,name,updated_at\np1,New,2024-02-01\np1,Old,2024-01-01\n")
    assert bench.load("invoices.subscriptions", profile=profile).rows_loaded == 2
    assert plans(bench) == [("s1", "New"), ("s2", None)]


def test_a_changed_lookup_makes_a_new_version_of_what_it_is_part_of(bench: Any) -> None:
    """A plan that comes a day late must reach the subscriptions that came before it."""
    profile = profile_in(bench)
    bench.write("invoices/subscription/a.csv", SUBSCRIPTIONS)
    bench.write("invoices/plan/a.csv", "id,name,updated_at\np1,New,2024-02-01\n")
    bench.load("invoices.subscriptions", profile=profile)
    assert bench.load("invoices.subscriptions", profile=profile).files_new == 0
    bench.write("invoices/plan/b.csv", "id,name,updated_at\np9,Late,2024-03-01\n")
    again = bench.load("invoices.subscriptions", DAY + timedelta(days=1), profile=profile)
    assert again.files_new == 1
    assert plans(bench) == [("s1", "New"), ("s2", "Late")]


def test_what_needs_a_lookup_that_never_landed_is_refused(bench: Any) -> None:
    """Every plan empty, silently, because a folder was forgotten."""
    profile = profile_in(bench)
    bench.write("invoices/subscription/a.csv", SUBSCRIPTIONS)
    load = bench.load("invoices.subscriptions", profile=profile)
    assert load.files_refused == 1
    assert "no file of the lookup plan" in load.refusals[0]
