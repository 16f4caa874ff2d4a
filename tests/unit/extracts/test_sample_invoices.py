"""The sample's books: invoices that add up, are paid at most once, and know nothing of tomorrow."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.extracts.contracts import load_contracts
from assets.extracts.sampling.sample import GROWING_TABLES, write_sample

FIRST, TURN, DAYS = date(2025, 10, 1), date(2026, 3, 10), 7
MONEY = pl.Decimal(18, 4)
CAME_AT = {
    "invoices.invoices": "created_at",
    "invoices.payments": "paid_at",
    "invoices.credit_notes": "issued_at",
    "invoices.subscription_changes": "changed_at",
    "invoices.fx_rates": "day",
}


def _write(landing: Path, days: int = DAYS, seed: int = 7) -> Path:
    write_sample(
        landing,
        accounts=60,
        seed=seed,
        first_day=FIRST,
        history_through=TURN,
        through=TURN + timedelta(days=days),
    )
    return landing


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("books") / "landing")


def _files(landing: Path, name: str) -> list[Path]:
    return sorted((landing / name.replace(".", "/")).glob("dt=*/*.csv"))


def _latest(landing: Path, name: str) -> pl.DataFrame:
    """Every row as it was told last."""
    found = pl.concat(pl.read_csv(path, infer_schema=False) for path in _files(landing, name))
    return found.unique(load_contracts()[name].key, keep="last", maintain_order=True)


def _sums(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return rows.group_by(key).agg(pl.col("amount").cast(MONEY).sum().alias("summed"))


def test_a_longer_sample_has_the_same_invoices_and_more(landing: Path, tmp_path: Path) -> None:
    """An invoice that changes its amount or its fate because the sample goes on for longer."""
    longer = _write(tmp_path / "longer", days=DAYS + 40)
    for name in GROWING_TABLES:
        for path in _files(landing, name):
            again = longer / path.relative_to(landing)
            assert again.read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("name", GROWING_TABLES)
def test_a_table_that_grows_has_its_contracts_columns(landing: Path, name: str) -> None:
    """A column that is misspelt in the sample, or a required one that it leaves empty."""
    contract = load_contracts()[name]
    rows = _latest(landing, name)
    required = [column.name for column in contract.columns if column.required]
    assert tuple(rows.columns) == contract.column_names
    assert not rows.is_empty()
    assert rows.select(pl.col(required).null_count()).sum_horizontal().item() == 0


@pytest.mark.parametrize("name", GROWING_TABLES)
def test_a_delivery_repeats_no_row(landing: Path, name: str) -> None:
    """Rows that come twice in one file, or come again unchanged on a later day."""
    for path in _files(landing, name):
        rows = pl.read_csv(path, infer_schema=False)
        assert rows.select(load_contracts()[name].key).is_unique().all()
    told = pl.concat(pl.read_csv(path, infer_schema=False) for path in _files(landing, name))
    assert told.is_unique().all()


@pytest.mark.parametrize(("name", "column"), CAME_AT.items())
def test_every_day_brings_its_own_rows_and_nothing_of_the_future(
    landing: Path, name: str, column: str
) -> None:
    """A payment of tomorrow in today's file, or an invoice that nobody delivers."""
    happenings = {"invoices.invoices": ("created_at", "issued_at", "paid_at", "voided_at")}
    for path in _files(landing, name):
        day = date.fromisoformat(path.parent.name.removeprefix("dt="))
        rows = pl.read_csv(path, infer_schema=False)
        for told in happenings.get(name, (column,)):
            assert (rows[told].drop_nulls() < (day + timedelta(days=1)).isoformat()).all()
        latest = rows.select(pl.max_horizontal(happenings.get(name, (column,))))
        if day > TURN:
            assert (latest.to_series() >= day.isoformat()).sum() >= latest.height * 0.99


def test_an_invoices_lines_sum_to_its_subtotal_and_its_parts_to_its_total(landing: Path) -> None:
    """Cents that get lost between a line, a discount and the tax."""
    invoices = _latest(landing, "invoices.invoices")
    lines = _sums(_latest(landing, "invoices.invoice_lines"), "invoice_id")
    amounts = ("subtotal_amount", "discount_amount", "tax_amount", "total_amount")
    joined = invoices.join(lines, on="invoice_id", how="left").with_columns(
        pl.col(amounts).cast(MONEY)
    )
    subtotal, discount, tax, total = (pl.col(name) for name in amounts)
    assert joined.height == lines.height
    assert joined.filter(pl.col("summed") != subtotal).is_empty()
    assert joined.filter(subtotal - discount + tax != total).is_empty()
    assert joined.filter((discount < 0) | (total <= 0)).is_empty()


def test_nobody_pays_more_than_is_billed_and_a_paid_invoice_is_paid(landing: Path) -> None:
    """A status that the money contradicts: every such invoice is a warning in the demo."""
    invoices = _latest(landing, "invoices.invoices")
    paid = _sums(_latest(landing, "invoices.payments"), "invoice_id")
    taken_back = _sums(_latest(landing, "invoices.credit_notes"), "invoice_id")
    joined = invoices.join(paid, on="invoice_id", how="left")
    joined = joined.join(taken_back, on="invoice_id", how="left", suffix="_back").with_columns(
        pl.col("summed", "summed_back").fill_null(0), pl.col("total_amount").cast(MONEY)
    )
    is_paid = pl.col("status") == "paid"
    owed = pl.col("total_amount") - pl.col("summed_back")
    assert joined.filter(pl.col("summed") > pl.col("total_amount")).is_empty()
    # A credit note goes before the money that it gives back.
    assert joined.filter(is_paid & (pl.col("summed") < owed)).is_empty()
    assert joined.filter(~is_paid & (pl.col("summed") >= pl.col("total_amount"))).is_empty()


def test_every_foreign_currency_has_rates_before_it_is_first_used(landing: Path) -> None:
    """Accounts that are set aside from every mart because their first month has no rate."""
    rates = _latest(landing, "invoices.fx_rates")
    first_rates = dict(rates.group_by("currency").agg(pl.col("day").min()).iter_rows())
    subscriptions = _latest(landing, "invoices.subscriptions")
    used = subscriptions.group_by("currency").agg(pl.col("started_at").min())
    foreign = {name: start for name, start in used.iter_rows() if name != "USD"}
    assert set(foreign) == {"EUR", "GBP"}
    for name, start in foreign.items():
        assert first_rates[name] < start[:7] + "-01"
    assert all(date.fromisoformat(day).weekday() < 5 for day in rates["day"])


def test_the_books_show_what_a_demo_needs(landing: Path) -> None:
    """A sample without one of these: a mart whose column nobody ever sees filled."""
    invoices, lines = (_latest(landing, f"invoices.{t}") for t in ("invoices", "invoice_lines"))
    assert {"open", "paid", "void", "uncollectible"} <= set(invoices["status"])
    assert {"recurring", "one_time", "usage"} == set(lines["kind"])
    is_proration = lines["is_proration"] == "true"
    assert lines.filter(is_proration)["amount"].str.starts_with("-").any()
    payments = _latest(landing, "invoices.payments")
    assert payments["amount"].str.starts_with("-").any()
    assert payments["payment_id"].str.ends_with("-2").any()
    notes = _latest(landing, "invoices.credit_notes")
    assert 0 < notes["period_start_at"].null_count() < notes.height
    changes = _latest(landing, "invoices.subscription_changes")
    assert {"past_due", "unpaid", "paused", "active", "canceled"} == set(changes["status"])
    discounts = _latest(landing, "invoices.discounts")
    assert {"once", "repeating", "forever"} == set(discounts["duration"])
    assert discounts["subscription_id"].is_duplicated().any()


def test_a_subscriptions_word_is_that_of_its_last_change(landing: Path) -> None:
    """Two tables of one source that disagree about who pays."""
    changes = _latest(landing, "invoices.subscription_changes").sort("changed_at")
    last = changes.group_by("subscription_id", maintain_order=True).agg(
        pl.col("status").last().alias("word")
    )
    told = _latest(landing, "invoices.subscriptions").join(last, on="subscription_id")
    assert told.filter(pl.col("status") != pl.col("word")).is_empty()


def test_only_contracts_that_renew_have_a_term_and_notice(landing: Path) -> None:
    """Monthly subscriptions that renew twelve times a year and fill every list of renewals."""
    subscriptions = _latest(landing, "invoices.subscriptions")
    terms = subscriptions["renewal_term_months"]
    assert {"12"} <= set(terms.drop_nulls()) <= {"3", "6", "12"}
    assert 0 < terms.null_count() < len(terms)
    assert (terms.is_null() == subscriptions["notice_days"].is_null()).all()
