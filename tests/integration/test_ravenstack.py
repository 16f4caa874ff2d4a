"""RavenStack, a public data set in its own shape: the totals that its README counts come out.

Its dates are of 2023 and 2024, its usages precede their subscriptions, its accounts hold up to 19
subscriptions at once: the written rules handle all of it.
"""

import csv
from collections import defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from tests.integration.main_job import ROOT, Home

ORIGINAL = ROOT.parent / "shared" / "data" / "ravenstack" / "original"

pytestmark = pytest.mark.skipif(
    not ORIGINAL.is_dir(), reason=f"there is no {ORIGINAL.relative_to(ROOT.parent)} here"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One run over links to the files: what a run keeps beside a landing stays out of theirs."""
    folder = tmp_path_factory.mktemp("ravenstack")
    landing = folder / "landing"
    landing.mkdir()
    for file in ORIGINAL.glob("*.csv"):
        (landing / file.name).symlink_to(file)
    made = Home(path=folder / "home", landing=landing)
    made.run("2025-01-01", "--profile", "ravenstack").green()
    return made


def test_accounts_by_tier(home: Home) -> None:
    """Accounts lost, doubled or merged by a name."""
    counted = home.rows("select tier, count(*) from accounts.dim_accounts group by 1 order by 1")
    assert counted == [("Basic", 168), ("Enterprise", 154), ("Pro", 178)]


def test_mrr_at_the_end_and_in_the_middle(home: Home) -> None:
    """Trials, ended subscriptions or a month's own starts in the balance of a month."""
    ending = home.rows(
        "select sum(ending_mrr), count(*) filter (where ending_mrr > 0) "
        "from revenue.fct_mrr_monthly where month = date '2024-12-01' and policy = 'standard'"
    )
    starting = home.rows(
        "select sum(starting_mrr), count(*) filter (where starting_mrr > 0) "
        "from revenue.fct_mrr_monthly where month = date '2023-06-01' and policy = 'standard'"
    )
    assert ending == [(10_159_608, 500)]
    assert starting == [(169_110, 46)]


def test_subscriptions_that_overlap_add_up(home: Home) -> None:
    """An account with many subscriptions at once that counts as one, or as the last of them.

    Up to 19 overlap with trials among them; 16 are paid on one account at the end of 2024.
    """
    subscriptions = duckdb.read_csv(home.landing / "ravenstack_subscriptions.csv")
    paid = subscriptions.filter("not is_trial and coalesce(end_date, '2025-01-01') >= '2025-01-01'")
    sums = paid.aggregate("account_id, sum(mrr_amount), count(*)").fetchall()
    ending = home.rows(
        "select account_id, ending_mrr from revenue.fct_mrr_monthly "
        "where month = date '2024-12-01' and policy = 'standard' and ending_mrr > 0"
    )
    assert {account: mrr for account, mrr, _ in sums} == dict(ending)
    assert max(count for *_, count in sums) == 16


def test_mrr_churn_and_net_retention_of_every_month(home: Home) -> None:
    """Overlapping subscriptions, ends on firsts or trials on the wrong side of a month.

    Counted once more from the file: who pays in the last moment before each month and after it.
    """
    found = home.rows(
        "select month, starting_accounts, churned_accounts, starting_mrr, ending_mrr "
        "from revenue.revenue_retention_monthly "
        "where window_months = 1 and segment_by = 'all' and starting_accounts > 0 order by month"
    )
    months = [date(2023 + n // 12, n % 12 + 1, 1) for n in range(24)]
    balances = [_just_before(home, day) for day in (*months, date(2025, 1, 1))]
    counted = [
        (
            month,
            len(start),
            sum(name not in end for name in start),
            sum(start.values()),
            sum(end.get(name, 0) for name in start),
        )
        for month, (start, end) in zip(months, pairwise(balances), strict=True)
        if start
    ]
    assert found == counted


def test_what_moves_in_a_month_sums_to_the_difference_of_balances(home: Home) -> None:
    """Movements that miss a subscription or count one twice."""
    found = home.rows(
        "select month, sum(new_mrr + reactivation_mrr + expansion_mrr), "
        "sum(contraction_mrr + churn_mrr), sum(ending_mrr) from revenue.fct_mrr_monthly "
        "where policy = 'standard' group by month order by month"
    )
    total = 0
    for month, gained, lost, ending in found:
        following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        total += gained - lost
        assert ending == total == sum(_just_before(home, following).values()), month


def _just_before(home: Home, day: date) -> dict[str, int]:
    """What each paying account pays in the last moment before a day, from the file itself."""
    found: dict[str, int] = defaultdict(int)
    with (home.landing / "ravenstack_subscriptions.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            is_on = row["start_date"] < str(day) <= (row["end_date"] or "9999")
            if is_on and row["is_trial"] == "False" and int(row["mrr_amount"]):
                found[row["account_id"]] += int(row["mrr_amount"])
    return dict(found)


def test_seconds_uses_and_features(home: Home) -> None:
    """Usage lost with its reused ids, or before the subscription that it names."""
    assert home.rows("select sum(active_seconds) from usage.fct_account_activity_daily") == [
        (76_055_072,)
    ]
    assert home.rows("select count(distinct module) from usage.account_module_usage") == [(40,)]
    with duckdb.connect(str(home.path / "build.duckdb"), read_only=True) as build:
        counted = build.execute("select sum(quantity), count(*) from events.events").fetchall()
    assert counted == [(250_525, 25_000)]


def test_tickets_by_account(home: Home) -> None:
    """Tickets that precede their account left out of it."""
    assert home.rows("select sum(rows_loaded) from meta.deliveries where source = 'tickets'") == [
        (2_000,)
    ]


def test_nothing_is_quarantined(home: Home) -> None:
    """Sound rows set aside by a rule that real data breaks."""
    assert home.manifest()["quarantine"] == {}
    assert home.rows("select count(*) from meta.quarantine") == [(0,)]


def test_days_before_an_account_was_created_are_kept_and_flagged(home: Home) -> None:
    """Use before the sign-up that is dropped, or that pretends to come after it."""
    wrong = home.rows(
        "select count(*) filter (where is_before_creation), "
        "count(*) filter (where is_before_creation <> (day < created_on)) "
        "from usage.fct_account_activity_daily inner join accounts.dim_accounts using (account_id)"
    )
    assert wrong[0][0] > 0
    assert wrong[0][1] == 0


def test_nothing_depends_on_today(home: Home) -> None:
    """Days up to the machine's own date, filled with zeros."""
    days = home.rows("select max(day) from usage.fct_account_activity_daily")
    assert str(days[0][0]) == "2024-12-31"


def test_the_files_are_left_as_they_were(home: Home) -> None:
    """A run that writes into somebody's extracts."""
    assert {path.name for path in Path(home.landing).iterdir()} == {
        ".csw", *(file.name for file in ORIGINAL.glob("*.csv"))
    }  # fmt: skip
