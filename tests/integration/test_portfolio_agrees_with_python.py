"""Portfolios and timelines against their re-computation in plain Python."""

from contextlib import closing

import duckdb
import pytest

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, read_rows
from tests.recompute import account_timelines
from tests.recompute.account_portfolios import Told, portfolio_weekly
from tests.recompute.account_relations import related_folders
from tests.recompute.deliveries import DAYS, FIRST_DAY, ONE_DAY

END = FIRST_DAY + DAYS * ONE_DAY


@pytest.mark.parametrize("seed", [3, 7])
def test_the_portfolio_agrees(warehouse: Warehouse, seed: int) -> None:
    """Prevents a week that counts an account under a csm, a tier or a state of another day.

    And a timeline that leaves something out, tells it twice or of what has not happened yet.
    """
    landed = related_folders(seed)
    team = [
        {"account_id": name, "team_member_id": member, "role": "csm", "valid_from": since}
        for name, member, since in (
            ("a", "ann", FIRST_DAY - 99 * ONE_DAY),
            ("a", "bob", FIRST_DAY + 22 * ONE_DAY),
            ("b", "ann", FIRST_DAY + 9 * ONE_DAY),
        )
    ]
    tables = landed.tables | {
        "crm.account_team": team,
        "landing.deliveries": landed.deliveries,
    }
    small = warehouse.only("portfolio_weekly", "account_timeline")
    with closing(small.build(tables, END)) as build:
        _assert_the_timeline_agrees(build)
        plain = portfolio_weekly(
            Told(
                metrics=read_rows(build, "accounts.account_metrics_daily"),
                history=read_rows(build, "accounts.account_history"),
                health=read_rows(build, "health.fct_account_health_daily"),
                alerts=read_rows(build, "alerts.fct_alerts"),
                kpis=read_rows(build, "health.account_kpis"),
                today=END.date(),
            )
        )
        shown = read_rows(build, "accounts.portfolio_weekly")
    assert {row["csm_id"] for row in shown} >= {"ann", "bob"}
    assert_agree(shown, plain, ["week", "csm_id", "tier", "region"])


def _assert_the_timeline_agrees(build: duckdb.DuckDBPyConnection) -> None:
    plain = account_timelines.account_timeline(
        account_timelines.Told(
            accounts=read_rows(build, "accounts.dim_accounts"),
            interactions=read_rows(build, "accounts.fct_interactions"),
            tickets=read_rows(build, "support.fct_tickets"),
            answers=read_rows(build, "accounts.fct_nps_responses"),
            invoices=read_rows(build, "revenue.fct_invoices"),
            movements=read_rows(build, "revenue.fct_mrr_movements"),
            alert_events=read_rows(build, "alerts.fct_alert_events"),
            health=read_rows(build, "health.fct_account_health_daily"),
            as_of=END,
        )
    )
    told = {"email", "meeting", "ticket", "nps", "plan", "health"}
    assert told <= {row["category"] for row in plain}
    assert_agree(read_rows(build, "accounts.account_timeline"), plain, ["account_id", "entry_id"])
