"""The golden cases of MRR on the product's own SQL: one landing, one account for each case."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise

import duckdb
import pytest

from tests.integration.compiled_warehouse import Warehouse
from tests.integration.golden_books import AS_OF, Golden, migrations, tables
from tests.integration.golden_cases import CASES, WEAKNESSES, C, S, T

BY_NAME = {case.name: case for case in CASES}


@pytest.fixture(scope="module")
def build(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """All cases in one build."""
    marts = ("fct_mrr_movements", "fct_mrr_monthly", "fct_mrr_monthly_by_currency")
    connection = warehouse.only(*marts).build(
        tables(CASES), AS_OF, seeds={"billing_migrations": migrations(CASES)}
    )
    yield connection
    connection.close()


def movements(build: duckdb.DuckDBPyConnection, name: str, policy: str) -> list[str]:
    rows = build.execute(
        "select moved_at, movement, amount from revenue.fct_mrr_movements "
        "where account_id = ? and policy = ?",
        [name, policy],
    ).fetchall()
    return sorted(f"{_written(at)} {movement} {amount}" for at, movement, amount in rows)


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}".removesuffix(" 00:00")


def endings(build: duckdb.DuckDBPyConnection, name: str, policy: str) -> dict[str, str]:
    """The months' balances, each that is another one than that of the month before."""
    rows = build.execute(
        "select month, ending_mrr from revenue.fct_mrr_monthly "
        "where account_id = ? and policy = ? order by month",
        [name, policy],
    ).fetchall()
    months = [month for month, _ in rows]
    assert months[-1] == date(2024, 6, 1)
    assert all((b - a).days <= 31 for a, b in pairwise(months)), "a hole"
    found, before = {}, "0.00"
    for month, ending in rows:
        if str(ending) != before:
            found[f"{month:%Y-%m}"] = before = str(ending)
    return found


def months(build: duckdb.DuckDBPyConnection, name: str, column: str) -> dict[str, str]:
    """A column's months that are not 0, by the standard policy."""
    rows = build.execute(
        f"select month, {column} from revenue.fct_mrr_monthly "  # noqa: S608 - a column of ours
        f"where account_id = ? and policy = 'standard' and {column} <> 0 order by month",
        [name],
    ).fetchall()
    return {f"{month:%Y-%m}": str(value) for month, value in rows}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_golden_case_has_its_movements_and_balances(
    build: duckdb.DuckDBPyConnection, case: Golden
) -> None:
    """Each case says what it prevents; its numbers are worked out by hand."""
    for policy, moves in case.moves.items():
        assert movements(build, case.name, policy) == sorted(moves), case.prevents
    for policy, balances in case.endings.items():
        assert endings(build, case.name, policy) == balances, case.prevents


@pytest.mark.parametrize("weakness", WEAKNESSES)
def test_a_known_weakness_of_public_models_is_not_ours(
    build: duckdb.DuckDBPyConnection, weakness: str
) -> None:
    """A mistake that others made and that comes back with the next rewrite, under its own name."""
    for name in WEAKNESSES[weakness]:
        case = BY_NAME[name]
        assert movements(build, name, S) == sorted(case.moves[S])
        assert endings(build, name, S) == case.endings[S]


def test_no_account_is_new_twice_or_churns_unpaid(build: duckdb.DuckDBPyConnection) -> None:
    """The identities of movements on the golden books, by every policy."""
    rows = build.execute(
        "select account_id, policy, movement, amount, mrr_before, mrr_after "
        "from revenue.fct_mrr_movements"
    ).fetchall()
    new: dict[tuple[str, str], int] = defaultdict(int)
    for account, policy, movement, amount, before, after in rows:
        new[account, policy] += movement == "new"
        assert abs(after - before) == abs(amount)
    assert set(new.values()) == {1}


def test_the_month_of_a_first_shows_both_definitions(build: duckdb.DuckDBPyConnection) -> None:
    """`starting` is just before the month's first instant, `subscription_mrr` at it."""
    name = "starts and ends on a 1st"
    assert months(build, name, "starting_mrr") == {"2024-03": "50.00", "2024-04": "50.00"}
    assert months(build, name, "subscription_mrr") == {"2024-02": "50.00", "2024-03": "50.00"}
    assert months(build, name, "new_mrr") == {"2024-02": "50.00"}
    assert months(build, name, "churn_mrr") == {"2024-04": "50.00"}


def test_new_and_churn_of_one_month_stand_beside_each_other(
    build: duckdb.DuckDBPyConnection,
) -> None:
    """Netted, nobody came and nobody left."""
    name = "new and churn in one month"
    assert months(build, name, "new_mrr") == {"2024-02": "9.00"}
    assert months(build, name, "churn_mrr") == {"2024-02": "9.00"}


def test_a_trial_is_pipeline_and_metered_usage_a_column(build: duckdb.DuckDBPyConnection) -> None:
    """Trials or usage in the headline, or nowhere."""
    trial = "trial to paid with an unpaid first invoice"
    assert months(build, trial, "trial_pipeline_mrr") == {"2024-02": "40.00"}
    metered = {
        "2024-02": "10.00", "2024-03": "30.00", "2024-04": "60.00", "2024-05": "50.00",
        "2024-06": "30.00",
    }  # fmt: skip
    assert months(build, "metered line", "metered_mrr") == metered


def test_gross_and_net_stand_beside_each_other(build: duckdb.DuckDBPyConnection) -> None:
    """One of them in the other's column: 100 less 10 % until April."""
    name = "discount repeating for three months"
    gross, net = months(build, name, "gross_mrr"), months(build, name, "net_mrr")
    assert gross == {f"2024-0{month}": "100.00" for month in range(1, 7)}
    assert net == gross | {f"2024-0{month}": "90.00" for month in (1, 2, 3)}


@pytest.mark.parametrize(
    ("name", "policy", "reason"),
    [
        ("past due for 31 days", S, "past_due"),
        ("trial to paid with an unpaid first invoice", T, "past_due"),
        ("scheduled cancellation", S, "cancelled"),
        ("cancelled inside a paid period", C, "cancelled"),
        ("pause and resume", S, "unknown"),
        ("starts and ends on a 1st", S, "unknown"),
    ],
)
def test_a_churn_has_its_reason(
    build: duckdb.DuckDBPyConnection, name: str, policy: str, reason: str
) -> None:
    """Every loss as a cancellation: what billing failed to collect is another team's work."""
    rows = build.execute(
        "select distinct churn_reason from revenue.fct_mrr_movements "
        "where account_id = ? and policy = ? and movement = 'churn'",
        [name, policy],
    ).fetchall()
    assert rows == [(reason,)]


def test_a_change_of_plan_is_flagged_where_nothing_moves(build: duckdb.DuckDBPyConnection) -> None:
    """A swap at the same price that nobody can see, or a flag on months without one."""
    rows = build.execute(
        "select account_id, month from revenue.fct_mrr_monthly "
        "where has_plan_change and policy = 'standard' order by 1"
    ).fetchall()
    march = date(2024, 3, 1)
    swapped = [("plan swapped at a constant amount", march), ("upgrade on day 15", march)]
    assert rows == swapped


def test_every_currency_has_its_own_movements(build: duckdb.DuckDBPyConnection) -> None:
    """The rate in the original currency, or yen without decimals. Who moves neither churns there.

    100 EUR are new on 15 January and go on 1 March, when 120 USD come; 10,000.1234 JPY stay.
    """
    rows = build.execute(
        "select currency, month, new_mrr, expansion_mrr, contraction_mrr, churn_mrr, fx_mrr, "
        "ending_mrr from revenue.fct_mrr_monthly_by_currency "
        "where account_id = ? and policy = 'standard' and month <= date '2024-03-01' "
        "order by currency, month",
        ["move from euro to dollar"],
    ).fetchall()
    assert [(row[0], f"{row[1]:%Y-%m}", *(str(value) for value in row[2:])) for row in rows] == [
        ("EUR", "2024-01", "100.0000", "0.0000", "0.0000", "0.0000", "0.0000", "100.0000"),
        ("EUR", "2024-02", "0.0000", "0.0000", "0.0000", "0.0000", "0.0000", "100.0000"),
        ("EUR", "2024-03", "0.0000", "0.0000", "100.0000", "0.0000", "0.0000", "0.0000"),
        ("USD", "2024-03", "0.0000", "120.0000", "0.0000", "0.0000", "0.0000", "120.0000"),
    ]
    yen = build.execute(
        "select distinct ending_mrr from revenue.fct_mrr_monthly_by_currency "
        "where currency = 'JPY' and policy = 'standard'"
    ).fetchall()
    assert [str(row[0]) for row in yen] == ["10000.1234"]
