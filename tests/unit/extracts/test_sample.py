"""The sample: the same bytes every time, one day more without touching others, its shape."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.sampling.sample import ENTITY_TABLES, SampleError, SampleSummary, write_sample

FIRST, TURN = date(2025, 12, 1), date(2026, 3, 10)


def _write(landing: Path, days: int = 7, seed: int = 7, accounts: int = 40) -> SampleSummary:
    return write_sample(
        landing,
        accounts=accounts,
        seed=seed,
        first_day=FIRST,
        history_through=TURN,
        through=TURN + timedelta(days=days),
    )


def _hashes(landing: Path) -> dict[str, str]:
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(landing.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "landing"
    _write(folder)
    return folder


def _history(landing: Path) -> pl.DataFrame:
    files = sorted((landing / "events/events" / f"dt={TURN}").glob("*.parquet"))
    return pl.concat(pl.read_parquet(path, hive_partitioning=False) for path in files)


def _csv(landing: Path, name: str, days: int) -> pl.DataFrame:
    table = name.split(".")[1]
    day = TURN + timedelta(days=days)
    path = landing / name.replace(".", "/") / f"dt={day}" / f"{table}.csv"
    return pl.read_csv(path, infer_schema=False)


def test_two_samples_with_the_same_arguments_have_equal_bytes(
    landing: Path, tmp_path: Path
) -> None:
    """A demo whose numbers differ from run to run, since something asked the clock or a hash."""
    _write(tmp_path / "again")
    assert _hashes(tmp_path / "again") == _hashes(landing)


def test_a_sample_grows_day_by_day_without_touching_what_is_there(
    landing: Path, tmp_path: Path
) -> None:
    """A later day that changes an earlier file, which the loader would have to load again.

    An account arrives on the fourth day: its people must not shift anybody's dice.
    """
    grown = tmp_path / "grown"
    _write(grown, days=0)
    for days in (1, 3, 7):
        before = _hashes(grown)
        _write(grown, days=days)
        after = _hashes(grown)
        assert {path: after[path] for path in before} == before
    assert _hashes(grown) == _hashes(landing)


def test_writing_what_is_there_already_writes_nothing(landing: Path) -> None:
    """A second `make demo` that rewrites the landing and so is no incremental run."""
    before = _hashes(landing)
    summary = _write(landing)
    assert (summary.files_written, summary.events_written) == (0, 0)
    assert _hashes(landing) == before


def test_another_seed_gives_another_sample(landing: Path, tmp_path: Path) -> None:
    """A seed that is accepted and ignored."""
    _write(tmp_path / "other", seed=8)
    assert _hashes(tmp_path / "other") != _hashes(landing)


def test_a_landing_with_another_sample_is_refused(landing: Path) -> None:
    """Two samples mixed in one folder: every number wrong and nothing to see."""
    with pytest.raises(SampleError, match="does not hold the sample accounts=41 seed=7"):
        _write(landing, accounts=41)


def test_dates_out_of_order_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    """An empty or half a sample where the arguments were swapped."""
    with pytest.raises(SampleError, match="give them in that order"):
        write_sample(tmp_path / "x", history_through=date(2026, 1, 2), through=date(2026, 1, 1))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ENTITY_TABLES)
def test_every_table_has_its_contracts_columns(landing: Path, name: str) -> None:
    """A column that is misspelt in the sample, or a contract that moved on without it."""
    contract = load_contracts()[name]
    rows = _csv(landing, name, 7)
    assert tuple(rows.columns) == contract.column_names
    required = [column.name for column in contract.columns if column.required]
    assert rows.select(pl.col(required).null_count()).sum_horizontal().item() == 0
    assert rows.select(contract.key).is_unique().all()


def test_events_have_the_contracts_columns_in_both_formats(landing: Path) -> None:
    """Parquet and CSV that drift apart."""
    columns = load_contracts()["events.events"].column_names
    assert tuple(_history(landing).columns) == columns
    assert tuple(_csv(landing, "events.events", 1).columns) == columns


def test_the_history_ends_with_its_day_and_no_delivery_has_another_days_clean_events(
    landing: Path,
) -> None:
    """Events of tomorrow in today's folder, which an as-of would have to leave out."""
    history = _history(landing)["occurred_at"].dt.date()
    assert history.min() == FIRST
    assert history.max() == TURN
    clean = _csv(landing, "events.events", 6)["occurred_at"].str.slice(0, 10)
    assert clean.unique().to_list() == [(TURN + timedelta(days=6)).isoformat()]


def test_each_kind_of_dirt_comes_on_its_day_and_is_rare(landing: Path) -> None:
    """A demo that never shows quarantine and late rows, or one that it blocks."""
    days = [_csv(landing, "events.events", offset) for offset in range(1, 8)]
    first, second, third, fourth, fifth = days[:5]
    assert first["event_id"].is_duplicated().sum() == 4
    assert set(second["event_id"]) & set(first["event_id"])
    assert second["event_id"].str.ends_with("-late-2").sum() == 3
    assert third["event_id"].str.ends_with("-late-40").sum() == 3
    assert third["account_id"].null_count() == 1
    assert (third["occurred_at"].str.slice(0, 4) == "2027").sum() == 1
    assert (fourth["account_id"] == "acc-9999").sum() == 2
    assert fourth["occurred_at"].str.contains("02-31").sum() == 1
    assert fifth["event_id"].str.ends_with("-late-5").sum() == 3
    rejected = third["account_id"].null_count() + 1
    assert rejected < 0.01 * sum(day.height for day in days)


def test_a_snapshot_tells_nothing_of_what_happens_after_its_day(landing: Path) -> None:
    """A source that knows the future: churn that is dated before it happens."""
    end = (TURN + timedelta(days=4)).isoformat()
    happenings = {
        "crm.accounts": ("created_at", "updated_at", "onboarding_started_at"),
        "events.users": ("created_at", "deactivated_at", "updated_at"),
        "invoices.subscriptions": ("started_at", "ended_at", "cancelled_at", "updated_at"),
        "invoices.subscription_items": ("valid_from", "valid_to"),
    }
    for name, columns in happenings.items():
        for column in columns:
            assert (_csv(landing, name, 3)[column].drop_nulls() < end).all(), (name, column)


def test_a_sources_rows_never_disappear_from_its_snapshots(landing: Path) -> None:
    """A full extract that end-dates rows because the sample forgot them."""
    for name in ENTITY_TABLES:
        key = list(load_contracts()[name].key)
        before, after = _csv(landing, name, 0), _csv(landing, name, 7)
        assert before.join(after, on=key, how="anti").is_empty(), name


def test_the_stories_show_in_the_rows(landing: Path) -> None:
    """A flat sample: no churn, nobody who comes back, no trial, no weekend, nobody in trouble."""
    subscriptions = _csv(landing, "invoices.subscriptions", 7)
    assert {"active", "canceled", "trialing", "past_due"} <= set(subscriptions["status"])
    live = subscriptions.filter(pl.col("status") != "canceled")["account_id"]
    gone = subscriptions.filter(pl.col("status") == "canceled")["account_id"]
    assert set(live) & set(gone)
    is_leaving = pl.col("cancel_at").is_not_null() & pl.col("ended_at").is_null()
    assert subscriptions.filter(is_leaving).height
    tickets = _csv(landing, "tickets.tickets", 7)
    still_open = pl.col("solved_at").is_null() & (pl.col("priority") == "urgent")
    assert not tickets.filter(still_open).is_empty()
    history = _history(landing)
    days = history.group_by(pl.col("occurred_at").dt.weekday().alias("day")).len()
    busy = dict(days.iter_rows())
    assert busy[7] < 0.25 * busy[2]
    assert history["user_id"].null_count() > 20
    assert _csv(landing, "crm.accounts", 7)["is_test"].to_list().count("true") == 1
    assert "true" in _csv(landing, "events.users", 7)["is_internal"].to_list()


@pytest.mark.parametrize("accounts", [1, 2, 130])
def test_any_number_of_accounts_makes_a_sample_with_names_of_their_own(
    tmp_path: Path, accounts: int
) -> None:
    """A sample that only works at the size of the demo."""
    summary = write_sample(
        tmp_path,
        accounts=accounts,
        first_day=TURN - timedelta(days=9),
        history_through=TURN,
        through=TURN + timedelta(days=7),
    )
    assert summary.accounts == accounts + 1
    assert _csv(tmp_path, "crm.accounts", 7)["account_name"].is_unique().all()


def _delivered(landing: Path, name: str) -> pl.DataFrame:
    """All that was ever delivered of a table that changes, the newest row of each key."""
    table, key = name.split(".")[1], list(load_contracts()[name].key)
    files = sorted((landing / name.replace(".", "/")).rglob(f"{table}.csv"))
    rows = pl.concat(pl.read_csv(path, infer_schema=False) for path in files)
    return rows.unique(key, keep="last", maintain_order=True)


def test_a_tickets_and_a_deals_state_is_that_of_its_last_change(landing: Path) -> None:
    """Two sources of one truth that disagree: a ticket solved in one and open in the other."""
    changes = _delivered(landing, "tickets.ticket_changes").sort("changed_at")
    for field in ("status", "priority"):
        last = changes.filter(pl.col("field") == field).unique("ticket_id", keep="last")
        said = _csv(landing, "tickets.tickets", 7).join(last, on="ticket_id")
        assert said.height > 0
        assert said[field].to_list() == said["new_value"].to_list()
    assert "pending" in changes.filter(pl.col("old_value") == "solved")["new_value"].to_list()
    stages = _delivered(landing, "crm.deal_stage_changes").sort("changed_at")
    last = stages.unique("deal_id", keep="last").select("deal_id", last="stage")
    deals = _delivered(landing, "crm.deals").join(last, on="deal_id", how="left")
    assert deals["stage"].to_list() == deals["last"].to_list()
    assert {"won", "lost"} <= set(deals["stage"])


def test_the_changing_tables_tell_nothing_of_the_future(landing: Path) -> None:
    """A task that is done tomorrow, or a lead that says today which account it will become."""
    happenings = {
        "crm.tasks": ("created_at", "completed_at", "updated_at"),
        "crm.leads": ("created_at", "converted_at"),
        "crm.license_assignments": ("assigned_at", "unassigned_at"),
        "crm.nps_responses": ("submitted_at",),
        "crm.interactions": ("occurred_at",),
        "tickets.ticket_changes": ("changed_at",),
    }
    for name, columns in happenings.items():
        for path in (landing / name.replace(".", "/")).rglob("*.csv"):
            end = date.fromisoformat(path.parent.name.removeprefix("dt=")) + timedelta(days=1)
            rows = pl.read_csv(path, infer_schema=False)
            for column in columns:
                assert (rows[column].drop_nulls() < end.isoformat()).all(), (path, column)


def test_the_relations_show_in_the_rows(landing: Path) -> None:
    """A demo whose pages on people, licences and feedback are empty."""
    interactions = _delivered(landing, "crm.interactions")
    assert interactions["message_id"].drop_nulls().is_duplicated().any()
    assert interactions["interaction_type"].n_unique() == 7
    answers = _delivered(landing, "crm.nps_responses")["score"].cast(pl.Int64)
    assert answers.min() < 7 < 9 <= answers.max()  # type: ignore[operator]
    assert set(_delivered(landing, "crm.tasks")["status"]) == {"open", "completed"}
    leads = _delivered(landing, "crm.leads")
    accounts = _csv(landing, "crm.accounts", 7)["account_id"].to_list()
    assert 0 < leads["converted_account_id"].null_count() < leads.height
    assert leads["converted_account_id"].drop_nulls().is_in(accounts).all()
    licenses = _delivered(landing, "crm.licenses")
    assert {"active", "expired"} <= set(licenses["status"])
