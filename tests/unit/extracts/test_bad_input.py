"""Each bad input gets one clear sentence; nothing is lost and nothing half loaded."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from assets.extracts.errors import ExtractError
from assets.extracts.landing import open_landing

EVENTS = "event_id,account_id,user_id,occurred_at,event_type,quantity\n"


def refusal(bench: Any, table: str = "events.events") -> str:
    """The one sentence that a load says, having loaded nothing and booked the file as refused."""
    load = bench.load(table)
    assert load.files_refused == len(load.refusals) == 1
    assert load.rows_read == load.files_new == 0
    booked = bench.rows("select state, refusal, rows_read from landing.deliveries")
    assert booked == [("refused", load.refusals[0], 0)]
    return load.refusals[0]


def test_a_missing_landing_is_one_error(tmp_path: Path) -> None:
    """A wrong path taken for an empty landing."""
    with pytest.raises(ExtractError, match=r"landing folder .*nowhere does not exist; create it"):
        open_landing(tmp_path / "nowhere")


def test_a_missing_folder_is_not_loaded_and_no_failure(bench: Any) -> None:
    """A source that nobody uses failing the run."""
    load = bench.load("tickets.tickets")
    assert (load.is_landed, load.refusals, load.files_refused) == (False, (), 0)


def test_an_empty_file_is_refused(bench: Any) -> None:
    """A failed export of 0 bytes taken for a table without rows."""
    bench.write("events/events/e.csv", "")
    assert refusal(bench) == (
        "events/events/e.csv: the file is empty (0 bytes); deliver it again, or with its header "
        "line alone if there are no rows."
    )


def test_a_header_alone_is_a_delivery_of_no_rows(bench: Any) -> None:
    """A quiet day refused."""
    bench.write("events/events/e.csv", EVENTS)
    load = bench.load("events.events")
    assert (load.files_new, load.rows_read, load.refusals) == (1, 0, ())


def test_a_wrong_delimiter_is_refused(bench: Any, events: Any) -> None:
    """Semicolons read as one column and reported as a missing one."""
    bench.write("events/events/e.csv", events("e1").replace(",", ";"))
    assert refusal(bench) == (
        "events/events/e.csv, line 1: the columns are separated by ';', not by ','; write the "
        "file so, or say delimiter: ';' for events.events in the profile."
    )


def test_a_wrong_delimiter_under_a_vendors_names_is_told(bench: Any) -> None:
    """A remedy that names the delimiter there is, where each column may have several names."""
    bench.write("profile.yml", "extends: salesforce\n")
    bench.write("crm/account/a.csv", "Id;Name;CreatedDate\n1;Acme;2024-01-01\n")
    assert refusal(bench, "crm.accounts").startswith(
        "crm/account/a.csv, line 1: the columns are separated by ';', not by ','; "
    )


def test_a_file_that_does_not_say_which_rows_are_of_the_table_is_refused(bench: Any) -> None:
    """All rows left out, and nobody told, for a column that is called otherwise."""
    bench.write("profile.yml", "extends: recurly\n")
    said = '{"id": "i1", "account": {"id": "a1"}, "state": "paid", "currency": "USD", '
    bench.write("invoices/invoice/i.jsonl", said + '"created_at": "2024-12-01"}\n')
    assert refusal(bench, "invoices.invoices") == (
        "invoices/invoice/i.jsonl: the column type, which says what rows are of invoices.invoices "
        "(profile profile), is missing; deliver it, or name the right one in the profile."
    )


def test_a_missing_required_column_is_refused(bench: Any) -> None:
    """A file without its time being loaded with empty ones."""
    bench.write("events/events/e.csv", "event_id,account_id,event_type\ne1,a1,use\n")
    assert refusal(bench) == (
        "events/events/e.csv, line 1: the required column occurred_at is missing; deliver it, or "
        "name the column that holds it in the profile."
    )


@pytest.mark.parametrize("name", ["e.csv", "e.csv.gz"])
def test_a_file_that_is_not_utf_8_is_refused(bench: Any, name: str) -> None:
    """Latin-1 half loaded up to its first umlaut."""
    text = EVENTS + "e1,a1,u1,2024-12-01,use,1\ne2,M\xfcller,u1,2024-12-01,use,1\n"
    bench.write(f"events/events/{name}", text.encode("latin-1"))
    assert refusal(bench) == (
        f"events/events/{name}, line 3: byte 0xFC is not UTF-8; save the file as UTF-8."
    )


def test_a_file_cut_inside_a_character_is_refused(bench: Any) -> None:
    """A cut-off transfer whose last bytes are silently dropped."""
    bench.write("events/events/e.csv", (EVENTS + "e1,a1,\xfc").encode()[:-1])
    assert "line 2: byte 0xC3 is not UTF-8" in refusal(bench)


def test_nul_bytes_are_refused(bench: Any) -> None:
    """UTF-16 or a binary file read as text."""
    bench.write("events/events/e.csv", EVENTS.encode("utf-16"))
    assert "line 1: " in (said := refusal(bench))
    assert said.endswith(("save it as UTF-8 text.", "save the file as UTF-8."))


def test_a_truncated_gzip_is_refused(bench: Any, events: Any) -> None:
    """The first half of a file loaded as if it were the whole."""
    whole = gzip.compress(events(*(f"e{n}" for n in range(5000))).encode())
    (bench.landing / "events/events").mkdir(parents=True)
    (bench.landing / "events/events/e.csv.gz").write_bytes(whole[: len(whole) // 2])
    said = refusal(bench)
    assert said.startswith("events/events/e.csv.gz, line ")
    assert said.endswith("the gzip file is cut off here; deliver it again, whole.")


def test_a_gzip_that_is_none_is_refused(bench: Any, events: Any) -> None:
    """Plain text under a compressed name taken for damage without a remedy."""
    (bench.landing / "events/events").mkdir(parents=True)
    (bench.landing / "events/events/e.csv.gz").write_text(events("e1"))
    assert "is not a sound gzip file" in refusal(bench)


def test_a_truncated_parquet_is_refused(bench: Any) -> None:
    """A reader's own error thrown at a person."""
    file = bench.write("events/events/e.parquet", b"")
    bench.connection.execute(f"copy (select 1 as event_id) to '{file}'")
    file.write_bytes(file.read_bytes()[:-10])
    assert refusal(bench) == (
        "events/events/e.parquet: is not a whole Parquet file (it does not begin and end in PAR1); "
        "deliver it again."
    )


def test_a_parquet_that_is_damaged_inside_is_told_without_the_readers_statement(bench: Any) -> None:
    """SQL and folders of the machine shown to a person."""
    bench.write("events/events/e.parquet", b"PAR1" + b"x" * 20 + b"PAR1")
    assert refusal(bench) == (
        "events/events/e.parquet: cannot be read as Parquet (Invalid Input Error: Footer length "
        "error in file 'events/events/e.parquet'); deliver it again."
    )


def test_a_compressed_file_under_a_plain_name_is_told_so(bench: Any, events: Any) -> None:
    """A file that is sound but for its name taken for UTF-16."""
    (bench.landing / "events/events").mkdir(parents=True)
    (bench.landing / "events/events/e.csv").write_bytes(gzip.compress(events("e1").encode()))
    assert refusal(bench) == (
        "events/events/e.csv: holds gzip where text should be; unpack it, or end its name in .gz."
    )


@pytest.mark.parametrize("name", ["e.xlsx", "e.parquet.gz", "e.csv.zip"])
def test_other_files_are_refused(bench: Any, name: str) -> None:
    """A spreadsheet in the folder passed over in silence."""
    bench.write(f"events/events/{name}", b"x")
    assert refusal(bench).endswith(
        "deliver .csv or .jsonl (plain, .gz or .zst) or .parquet, or begin the name with _ to have "
        "it left alone."
    )


@pytest.mark.parametrize("day", ["2024-13-01", "20241201", "yesterday"])
def test_a_folder_that_is_no_day_is_refused(bench: Any, events: Any, day: str) -> None:
    """A mistyped day silently counted as no day at all."""
    bench.write(f"events/events/dt={day}/e.csv", events("e1"))
    assert refusal(bench) == (
        f"events/events/dt={day}/e.csv: dt={day} is no date; name the folder dt=YYYY-MM-DD."
    )


@pytest.mark.parametrize(
    "header", ['"event_id,account_id', '"event_id"x,account_id', "x" * 200_000]
)
def test_a_header_that_is_no_sound_csv_is_refused(bench: Any, header: str) -> None:
    """A quote in the header swallowing every row, which then counts as a file of none."""
    bench.write("events/events/e.csv", header + EVENTS + "e1,a1,u1,2024-12-01,use,1\n")
    assert "line 1: the header cannot be read" in refusal(bench)


def test_a_column_named_twice_is_refused(bench: Any) -> None:
    """One of two columns chosen by chance."""
    bench.write("events/events/e.csv", EVENTS.replace("quantity", "user_id"))
    assert "line 1: the column user_id is there twice" in refusal(bench)


def test_hidden_files_are_left_alone(bench: Any) -> None:
    """A marker file of the export job refused, or loaded."""
    for name in (".part.csv", "_SUCCESS", "_temporary/e.csv"):
        bench.write(f"events/events/{name}", "x")
    load = bench.load("events.events")
    assert (load.files_new, load.files_refused) == (0, 0)


def test_a_refused_file_is_booked_once_and_forgotten_when_mended(bench: Any, events: Any) -> None:
    """Refusals piling up run by run, or staying after the file was mended."""
    bench.write("events/events/e.csv", "")
    bench.load("events.events")
    first = bench.rows("from landing.deliveries")
    bench.load("events.events", run_id="another")
    assert bench.rows("from landing.deliveries") == first
    bench.write("events/events/e.csv", events("e1"))
    load = bench.load("events.events")
    assert (load.files_new, load.refusals) == (1, ())
    assert bench.rows("select state from landing.deliveries") == [("loaded",)]


def test_a_refused_content_leaves_the_one_before_in_place(bench: Any, events: Any) -> None:
    """Rows taken back for a file that then cannot be read."""
    bench.write("events/events/e.csv", events("e1", "e2"))
    bench.load("events.events")
    bench.write("events/events/e.csv", "")
    assert bench.load("events.events").files_refused == 1
    assert bench.rows("select event_id from events.events") == [("e1",), ("e2",)]


def test_one_refused_file_does_not_stop_the_others(bench: Any, events: Any) -> None:
    """A whole table missing for one bad file."""
    bench.write("events/events/a.csv", "")
    bench.write("events/events/b.csv", events("e1"))
    load = bench.load("events.events")
    assert (load.files_new, load.files_refused, load.rows_loaded) == (1, 1, 1)


def test_a_negative_seat_count_is_set_aside(bench: Any) -> None:
    """Seats that are taken off what an account has bought."""
    header = "license_id,account_id,package,started_at,seats_purchased\n"
    bench.write(
        "crm/licenses/l.csv", header + "l1,a1,core,2024-01-01,-5\nl2,a1,core,2024-01-01,5\n"
    )
    load = bench.load("crm.licenses")
    assert (load.rows_loaded, load.rows_rejected) == (1, 1)
    (rejected,) = load.rejected_sample
    assert (rejected.column_name, rejected.rule, rejected.line) == ("seats_purchased", "minimum", 2)


def test_a_duplicate_id_within_a_file_is_counted(bench: Any, events: Any) -> None:
    """One of two rows with an id gone without a trace."""
    bench.write("events/events/e.csv", events("e1", "e1", "e2"))
    load = bench.load("events.events")
    assert (load.rows_read, load.rows_loaded, load.rows_duplicate) == (3, 2, 1)


def test_a_row_of_an_unknown_account_is_loaded(bench: Any, events: Any) -> None:
    """A row rejected because its parent lands later."""
    bench.write("events/events/e.csv", events("e1").replace("a1", "nobody"))
    assert bench.load("events.events").rows_rejected == 0


def test_a_date_in_a_third_format_is_set_aside(bench: Any, events: Any) -> None:
    """Day and month of one row swapped in silence because the others can be read."""
    bench.write(
        "profile.yml",
        "name: mine\ndescription: Mine.\nextends: canonical\ntables: {events.events: {columns: "
        "{occurred_at: {from: occurred_at, format: ['%Y-%m-%dT%H:%M:%SZ', '%d/%m/%Y']}}}}\n",
    )
    rows = "e2,a1,u1,13/12/2024,use,1\ne3,a1,u1,Dec 14 2024,use,1\n"
    bench.write("events/events/e.csv", events("e1") + rows)
    load = bench.load("events.events")
    assert (load.rows_loaded, load.rows_rejected) == (2, 1)
    assert load.rejected_sample[0].line == 4


def test_a_file_that_shrank_takes_its_lost_rows_back(bench: Any, events: Any) -> None:
    """Rows of an append table that its file no longer has, counted for ever."""
    bench.write("events/events/e.csv", events("e1", "e2", "e3"))
    bench.load("events.events")
    bench.write("events/events/e.csv", events("e1"))
    bench.load("events.events")
    assert bench.rows("select event_id from events.events") == [("e1",)]
