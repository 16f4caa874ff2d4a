"""What of the deliveries since the last release stops a run, and what is only said."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.deliveries import Delivery, write_deliveries
from assets.extracts.tables import prepare
from assets.releases.history import ReleaseRecord, append_shown, prepare_history
from checks import extracts
from checks.delivered_now import Delivered, read_delivered
from checks.extracts import ExtractLimits, _judge

AT = datetime(2025, 1, 1, tzinfo=UTC)
TICKETS = load_contracts()["tickets.tickets"]
LIMITS = ExtractLimits(
    build=Path("nowhere"),
    max_reject_share=0.01,
    max_rejects=100,
    memory_limit="1GB",
    as_of=lambda _: datetime(2025, 1, 1, tzinfo=UTC),
    stored_together=lambda _: nullcontext(),
)
DELIVERY = Delivery(
    delivery_id=1,
    source="tickets",
    table_name="tickets",
    path="tickets/tickets/t.csv",
    content_hash="c",
    path_version=1,
    dt=None,
    size_bytes=1,
    rows_read=300,
    rows_loaded=120,
    rows_rejected=180,
    first_as_of=AT,
    delivered_at=AT,
    run_id="r",
    loaded_at=AT,
)


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """A build whose deliveries are made by hand; what Great Expectations says is left out."""
    monkeypatch.setattr(extracts, "_judge_contract", _nothing)
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build; use build")
        prepare(connection)
        prepare_history(connection)
        yield connection


def _nothing(batch: Delivered, limits: ExtractLimits) -> dg.AssetCheckResult:  # noqa: ARG001
    return dg.AssetCheckResult(passed=True, check_name="keeps_its_contract")


def judged(
    build: duckdb.DuckDBPyConnection, *deliveries: Delivery, table: str = "tickets.tickets"
) -> dict[str, dg.AssetCheckResult]:
    write_deliveries(build, list(deliveries))
    batch = read_delivered(build, load_contracts()[table])
    return {str(result.check_name): result for result in _judge(batch, LIMITS)}


def release(build: duckdb.DuckDBPyConnection, last_delivery_id: int) -> None:
    """A release that holds all deliveries up to one."""
    for table in ("accounts.account_metrics_daily", "health.fct_account_health_daily",
                  "health.fct_health_conditions_daily"):  # fmt: skip
        build.execute(f"create schema if not exists {table.split('.')[0]}")
        build.execute(f"create table {table} (account_id varchar, day date)")
    record = ReleaseRecord(
        sequence=1,
        release_id="000001-2025-01-01",
        as_of=AT,
        published_at=AT,
        code_version="1",
        configuration_version="c",
        last_delivery_id=last_delivery_id,
    )
    append_shown(build, record)


def test_many_rejects_block_and_are_counted(build: duckdb.DuckDBPyConnection) -> None:
    """Half a day's tickets in a release, as if the others had never been."""
    result = judged(build, DELIVERY)["rejects_few_rows"]
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert result.description == (
        "180 of 300 rows rejected (60.00%); blocks over 1% and more than 100 rows"
    )


@pytest.mark.parametrize(("read", "rejected"), [(100, 100), (100_000, 1_000), (5, 5)])
def test_few_rejects_or_a_small_share_do_not_block(
    build: duckdb.DuckDBPyConnection, read: int, rejected: int
) -> None:
    """A release stopped by a handful of rows, or by a thousandth of many."""
    few = replace(DELIVERY, rows_read=read, rows_loaded=read - rejected, rows_rejected=rejected)
    assert judged(build, few)["rejects_few_rows"].passed


def test_rows_that_are_only_too_old_stop_no_release(build: duckdb.DuckDBPyConnection) -> None:
    """A file of last year that is sent again, and the release of today waits for nothing."""
    build.execute(
        "insert into landing.quarantine by name select 1 as delivery_id, 'tickets' as source, "
        "'tickets' as table_name, 't.csv' as path, n as row_number, n + 1 as line, "
        "'created_at' as column_name, 'too_old' as rule, 'old' as reason, '' as raw_text "
        "from range(1, 181) as rows (n)"
    )
    result = judged(build, DELIVERY)["rejects_few_rows"]
    assert (result.passed, result.description) == (
        True,
        "0 of 300 rows rejected (0.00%); blocks over 1% and more than 100 rows",
    )


def test_what_no_release_holds_yet_is_judged_again(build: duckdb.DuckDBPyConnection) -> None:
    """Bad rows let through by running twice: the second run finds nothing new."""
    assert not judged(build, DELIVERY)["rejects_few_rows"].passed
    assert not judged(build)["rejects_few_rows"].passed


def test_what_a_release_holds_is_not_judged_again(build: duckdb.DuckDBPyConnection) -> None:
    """Yesterday's rejects in today's share."""
    few = replace(DELIVERY, rows_loaded=220, rows_rejected=80)
    judged(build, few)
    release(build, last_delivery_id=1)
    second = replace(few, delivery_id=2, path="tickets/tickets/u.csv")
    result = judged(build, second)["rejects_few_rows"]
    assert result.description is not None
    assert result.description.startswith("80 of 300 rows rejected")


def test_a_file_that_was_delivered_anew_is_judged_by_its_last_content(
    build: duckdb.DuckDBPyConnection,
) -> None:
    """A warehouse that stays shut after its file was mended: old versions are kept as history."""
    mended = replace(
        DELIVERY, delivery_id=2, path_version=2, content_hash="d", rows_loaded=300, rows_rejected=0
    )
    assert judged(build, DELIVERY, mended)["rejects_few_rows"].passed


def test_rows_that_nobody_accounts_for_block_whenever_they_were_loaded(
    build: duckdb.DuckDBPyConnection,
) -> None:
    """Invariant 22: a row that is neither loaded nor rejected nor a duplicate."""
    lost = replace(DELIVERY, rows_loaded=119)
    result = judged(build, lost)["accounts_for_every_row"]
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert result.description == "1 files do not add up: tickets/tickets/t.csv"


def test_a_refused_file_warns_with_its_sentence(build: duckdb.DuckDBPyConnection) -> None:
    """A file that nobody can read and nobody misses; or one that stops all the others."""
    refused = replace(
        DELIVERY, state="refused", refusal="t.csv: is empty", path_version=0, rows_rejected=0
    )
    result = judged(build, refused)["has_readable_files"]
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.description == "t.csv: is empty"


def test_only_accounts_have_to_land(build: duckdb.DuckDBPyConnection) -> None:
    """A failed run because of a source that somebody does not use; marts without accounts."""
    tickets = judged(build)["has_landed"]
    accounts = judged(build, table="crm.accounts")["has_landed"]
    assert (tickets.passed, tickets.description) == (
        True,
        "not loaded: nothing of this table has landed",
    )
    assert (accounts.passed, accounts.description) == (
        False,
        "not loaded: land files in crm/accounts/, since nothing can be built without them",
    )


def test_accounts_that_were_refused_say_so(build: duckdb.DuckDBPyConnection) -> None:
    """Somebody who is told to land a file that they have landed."""
    refused = replace(
        DELIVERY,
        source="crm",
        table_name="accounts",
        state="refused",
        refusal="a.csv: is empty",
        path_version=0,
        rows_rejected=0,
    )
    landed = judged(build, refused, table="crm.accounts")["has_landed"]
    assert (landed.passed, landed.description) == (
        False,
        "not loaded, and nothing can be built without it: a.csv: is empty",
    )
