"""What a profile can say of a file's shape, for every format: the values that come out."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml
import zstandard

from assets.extracts.contracts import load_contracts
from assets.extracts.errors import RefusedFileError
from assets.extracts.inspection import inspect
from assets.extracts.landing import LandedFile, find_files, open_landing
from assets.extracts.profiles import load_profile
from assets.extracts.reader import stage
from assets.extracts.rejects import drop_books
from assets.extracts.statements import LookupTable

EVENTS = "event_id,account_id,occurred_at,event_type,quantity\n"


@dataclass
class Bench:
    """A folder, a database, and a way to read one file of it."""

    folder: Path
    connection: duckdb.DuckDBPyConnection

    def file(self, path: str, content: bytes) -> LandedFile:
        there = self.folder / "landing" / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(content)
        return find_files(open_landing(self.folder / "landing"), path)[0]

    def read(
        self,
        table: str,
        path: str,
        content: bytes | str,
        profile: dict[str, Any] | None = None,
        lookups: dict[str, LookupTable] | None = None,
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The staged rows, and those set aside."""
        file = self.file(path, content.encode() if isinstance(content, str) else content)
        said = self.folder / "profile.yml"
        said.write_text(yaml.safe_dump(profile or {"extends": "canonical"}))
        contract = load_contracts()[table]
        plan = load_profile(said).table(contract)
        assert plan is not None
        inspection = inspect(file)
        if inspection.refusal:
            raise RefusedFileError(inspection.refusal)
        drop_books(self.connection, "staged")
        staged = stage(
            self.connection,
            file=file,
            inspection=inspection,
            contract=contract,
            plan=plan,
            table="staged",
            lookups=lookups,
        )
        good = self.rows(
            f"select * replace ({staged.row_number} as _row) "  # noqa: S608
            "from staged where _broken is null order by _row"
        )
        return good, self.rows("select * from staged_rejects order by row_number")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        found = self.connection.execute(sql)
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    yield Bench(folder=tmp_path, connection=connection)
    connection.close()


def lines(*objects: Any) -> str:
    return "".join(json.dumps(said) + "\n" for said in objects)


def event(number: int, **more: Any) -> dict[str, Any]:
    own = {"event_id": f"e{number}", "account_id": "a1", "occurred_at": "2024-12-01T10:00:00Z"}
    return own | {"event_type": "use"} | more


@pytest.mark.parametrize(
    ("suffix", "packed"),
    [("", bytes), (".gz", gzip.compress), (".zst", zstandard.compress)],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_text_reads_the_same_however_it_is_compressed(
    bench: Bench, kind: str, suffix: str, packed: Callable[[bytes], bytes]
) -> None:
    """Otherwise a source that begins to compress its extracts changes its numbers."""
    csv = EVENTS + "e1,a1,2024-12-01T10:00:00Z,use,3\ne2,a1,2024-12-01,use,\n"
    text = csv if kind == "csv" else lines(event(1, quantity=3), event(2, occurred_at="2024-12-01"))
    good, bad = bench.read(
        "events.events", f"events/events/a.{kind}{suffix}", packed(text.encode())
    )
    assert [(row["event_id"], row["occurred_at"], row["quantity"]) for row in good] == [
        ("e1", datetime(2024, 12, 1, 10, tzinfo=UTC), 3),
        ("e2", datetime(2024, 12, 1, tzinfo=UTC), None),
    ]
    assert bad == []


def test_a_zstd_file_of_several_frames_is_read_whole(bench: Bench) -> None:
    """Writers that flush make several frames; a reader that stops after one loses rows."""
    one, two = (zstandard.compress(lines(event(n)).encode()) for n in (1, 2))
    good, _ = bench.read("events.events", "events/events/a.jsonl.zst", one + two)
    assert [row["event_id"] for row in good] == ["e1", "e2"]


def test_a_zstd_file_that_is_cut_off_is_refused_with_its_line(bench: Bench) -> None:
    """Half a file is not a smaller file: what it lacks would look like rows that never were."""
    whole = zstandard.compress(lines(*(event(n) for n in range(5000))).encode())
    with pytest.raises(
        RefusedFileError, match=r"a\.jsonl\.zst, line \d+: the zstd file is cut off"
    ):
        bench.read("events.events", "events/events/a.jsonl.zst", whole[:-20])


def test_a_line_that_is_no_object_is_set_aside_and_the_others_go_in(bench: Bench) -> None:
    """One bad line must not cost the file, and its physical line is what a person looks for."""
    text = (
        lines(event(1)) + "\n" + '{"event_id": \n' + "[1]\n" + '{"a":1,"a":2}\n' + lines(event(2))
    )
    good, bad = bench.read("events.events", "events/events/a.jsonl", text)
    assert [(row["event_id"], row["_row"]) for row in good] == [("e1", 1), ("e2", 5)]
    assert [(row["line"], row["rule"], row["raw_text"]) for row in bad] == [
        (3, "shape", '{"event_id":'),
        (4, "shape", "[1]"),
        (5, "shape", '{"a":1,"a":2}'),
    ]
    assert "the key a is there twice" in bad[2]["reason"]


def test_a_json_row_that_breaks_a_rule_keeps_its_line_and_text(bench: Bench) -> None:
    """Quarantine without line and text can't be acted on."""
    text = "\n\n" + lines(event(1), event(2, quantity=-1), event(3))
    good, bad = bench.read("events.events", "events/events/a.ndjson", text)
    assert [row["event_id"] for row in good] == ["e1", "e3"]
    assert (bad[0]["line"], bad[0]["column_name"], bad[0]["rule"]) == (4, "quantity", "minimum")
    assert json.loads(bad[0]["raw_text"])["event_id"] == "e2"


def test_keys_that_come_late_or_differ_by_case_are_kept(bench: Bench) -> None:
    """Names found in the first lines alone would drop what only later lines have."""
    text = lines(event(1), event(2, plan="Pro"), event(3, Plan="Basic"))
    good, _ = bench.read("events.events", "events/events/a.jsonl", text)
    extras = [json.loads(row["_extras"]) for row in good]
    assert [(e.get("plan"), e.get("Plan")) for e in extras] == [
        (None, None),
        ("Pro", None),
        (None, "Basic"),
    ]


def test_a_column_is_found_in_any_case_of_letters(bench: Bench) -> None:
    """A warehouse that writes names in capitals: refused, or its optional columns lost unseen."""
    text = "EVENT_ID,Account_Id,OCCURRED_AT,event_type,Module,feature,FEATURE\n"
    text += "e1,a1,2024-12-01,use,Docs,small,big\n"
    csv, _ = bench.read("events.events", "events/events/a.csv", text)
    said = {"EVENT_ID": "e1", "account_id": "a1", "Occurred_At": "2024-12-01", "EVENT_TYPE": "use"}
    objects, _ = bench.read("events.events", "events/events/a.jsonl", lines(said))
    found = [(row["event_id"], row["account_id"], row["event_type"]) for row in (*csv, *objects)]
    assert found == [("e1", "a1", "use")] * 2
    # Of two that differ by case alone the one of the very name is meant.
    assert (csv[0]["module"], csv[0]["feature"]) == ("Docs", "small")
    assert json.loads(csv[0]["_extras"]) == {"FEATURE": "big"}


def test_a_json_array_is_refused_with_what_to_do(bench: Bench) -> None:
    """The commonest wrong export; as JSON Lines it would be one strange row."""
    with pytest.raises(RefusedFileError, match=r"is not JSON Lines .* one JSON object per line"):
        bench.read("events.events", "events/events/a.json", json.dumps([event(1)], indent=1))


def test_an_empty_json_lines_file_has_no_rows(bench: Bench) -> None:
    """JSON Lines has no header: nothing is how it says that nothing happened."""
    assert bench.read("events.events", "events/events/a.jsonl", b"") == ([], [])


def test_whole_numbers_in_json_keep_every_digit(bench: Bench) -> None:
    """An id that went through a DOUBLE is another id."""
    text = '{"event_id": 12345678901234567890123, "account_id": 9007199254740993, ' + lines(
        event(1)
    )[1:].replace('"event_id": "e1", "account_id": "a1", ', "")
    good, _ = bench.read("events.events", "events/events/a.jsonl", text)
    assert (good[0]["event_id"], good[0]["account_id"]) == (
        "12345678901234567890123",
        "9007199254740993",
    )


STRIPE = {
    "minor_unit_digits": {"JPY": 0, "BHD": 3},
    "tables": {
        "invoices.subscription_items": {
            "files": "invoices/subscription/**",
            "rows": "items.data[]",
            "columns": {
                "item_id": "items.data[].id",
                "subscription_id": "id",
                "product": "items.data[].price.product",
                "price": {"from": "items.data[].price.unit_amount", "minor_units": "currency"},
                "quantity": {"from": "items.data[].quantity", "otherwise": "1"},
                "interval": "items.data[].price.recurring.interval",
                "valid_from": {"from": "items.data[].created", "format": "epoch_seconds"},
            },
        }
    },
}


def subscription(name: str, currency: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "currency": currency, "items": {"data": list(items)}, **more}


def item(name: str, amount: Any, **more: Any) -> dict[str, Any]:
    price = {"product": "p", "unit_amount": amount, "recurring": {"interval": "month"}}
    return {"id": name, "created": 1721954054, "price": price, **more}


def test_each_element_of_a_nested_array_is_a_row(bench: Bench) -> None:
    """Billing systems nest items: a subscription with two would else count one, or none."""
    text = lines(
        subscription("s1", "usd", item("i1", 2000, quantity=3), item("i2", 5)),
        subscription("s2", "usd"),
        subscription("s3", " jpy ", item("i3", 2000)),
        subscription("s4", "bhd", item("i4", 12345)),
    )
    path = "invoices/subscription/a.jsonl"
    good, bad = bench.read("invoices.subscription_items", path, text, STRIPE)
    named = ("item_id", "subscription_id", "price", "quantity", "_row")
    assert [tuple(row[name] for name in named) for row in good] == [
        ("i1", "s1", Decimal("20.00"), Decimal(3), 1),
        ("i2", "s1", Decimal("0.05"), Decimal(1), 2),
        ("i3", "s3", Decimal(2000), Decimal(1), 3),
        ("i4", "s4", Decimal("12.345"), Decimal(1), 4),
    ]
    assert good[0]["valid_from"] == datetime(2024, 7, 26, 0, 34, 14, tzinfo=UTC)
    assert bad == []


def test_an_element_that_breaks_a_rule_is_set_aside_alone(bench: Bench) -> None:
    """The other items of its subscription are sound, and its line is that of the record."""
    text = "\n" + lines(subscription("s1", "usd", item("i1", 2000), item("i2", None)))
    path = "invoices/subscription/a.jsonl"
    good, bad = bench.read("invoices.subscription_items", path, text, STRIPE)
    assert [row["item_id"] for row in good] == ["i1"]
    assert [(row["line"], row["column_name"], row["rule"]) for row in bad] == [
        (2, "price", "required")
    ]


def test_an_amount_without_its_currency_is_rejected(bench: Bench) -> None:
    """Cents and whole yen look alike: without a currency nobody knows which they are."""
    text = lines(subscription("s1", "", item("i1", 2000)))
    path = "invoices/subscription/a.jsonl"
    _, bad = bench.read("invoices.subscription_items", path, text, STRIPE)
    assert "or the currency in currency is empty" in bad[0]["reason"]


def test_what_is_left_of_used_json_stays_in_the_extras(bench: Bench) -> None:
    """A custom attribute beside a used one must not be lost, nor a used one be kept twice."""
    text = lines(subscription("s1", "usd", item("i1", 5, note="x"), metadata={"crm": "a1"}))
    path = "invoices/subscription/a.jsonl"
    good, _ = bench.read("invoices.subscription_items", path, text, STRIPE)
    extras = json.loads(good[0]["_extras"])
    assert json.loads(extras["metadata"]) == {"crm": "a1"}
    assert json.loads(extras["items"]) == {}
    assert json.loads(extras["items.data[]"]) == {"note": "x", "price": {"recurring": {}}}


def test_nested_columns_of_a_csv_and_of_parquet_are_places_too(bench: Bench) -> None:
    """The same object comes as JSON text in a CSV and as a struct in Parquet."""
    profile = {
        "tables": {
            "crm.accounts": {
                "files": "crm/company/**",
                "columns": {
                    "account_id": "id",
                    "account_name": {"first_of": ["name", "properties.name"]},
                    "created_at": "properties.createdate",
                },
            }
        }
    }
    said = {"name": "Acme", "createdate": "2024-01-01T00:00:00Z"}
    quoted = json.dumps(said).replace('"', '""')
    text = f'id,properties\n1,"{quoted}"\n2,not json\n'
    good, bad = bench.read("crm.accounts", "crm/company/a.csv", text, profile)
    assert [(row["account_id"], row["account_name"]) for row in good] == [("1", "Acme")]
    assert [(row["line"], row["column_name"]) for row in bad] == [(3, "account_name")]
    target = bench.folder / "a.parquet"
    pl.DataFrame({"id": [1], "properties": [said]}).write_parquet(target)
    good, bad = bench.read("crm.accounts", "crm/company/a.parquet", target.read_bytes(), profile)
    assert (good[0]["account_id"], good[0]["account_name"]) == ("1", "Acme")
    assert bad == []


def test_rows_that_are_not_of_the_table_are_left_where_they_are(bench: Bench) -> None:
    """A vendor's log of all fields holds status changes among others; those are no rejects."""
    profile = {
        "tables": {
            "tickets.ticket_changes": {
                "files": "tickets/ticket_field_history/**",
                "only": {"field_name": ["status", "priority"]},
                "columns": {"changed_at": "updated", "field": "field_name", "new_value": "value"},
            }
        }
    }
    text = "ticket_id,field_name,updated,value\n"
    text += "1,status,2024-01-01T00:00:00Z,open\n1,tags,2024-01-01T00:00:00Z,x\n"
    text += "1,Priority,2024-01-02T00:00:00Z,high\n1,status,nonsense,open\n"
    good, bad = bench.read(
        "tickets.ticket_changes", "tickets/ticket_field_history/a.csv", text, profile
    )
    assert [row["new_value"] for row in good] == ["open"]
    assert {(row["line"], row["rule"]) for row in bad} == {(4, "allowed"), (5, "type")}


def test_a_lookup_gives_what_another_file_says_of_the_key(bench: Bench) -> None:
    """Prices and intervals live on the plan in some billing systems."""
    profile = {
        "lookups": {"plans": {"files": "invoices/plan/**", "key": "id"}},
        "tables": {
            "invoices.subscription_items": {
                "files": "invoices/subscription/**",
                "columns": {
                    "item_id": "id",
                    "subscription_id": "id",
                    "product": {"lookup": "plans", "by": "plan_id", "from": "name"},
                    "price": {
                        "lookup": "plans",
                        "by": "plan_id",
                        "from": "amount",
                        "minor_units": "currency",
                    },
                    "interval": {
                        "lookup": "plans",
                        "by": "plan_id",
                        "from": "interval_unit",
                        "map": {"months": "month"},
                    },
                    "valid_from": "started_at",
                },
            }
        },
    }
    bench.connection.execute(
        "create temp table plans as select 'p1' as lookup_key, 'p1' as v0, 'Gold' as v1, "
        "'months' as v2, '1000' as v3, 'usd' as v4"
    )
    plans = LookupTable(table="plans", names=("id", "name", "interval_unit", "amount", "currency"))
    text = "id,plan_id,quantity,started_at\ns1,p1,1,2024-01-01\ns2,p9,1,2024-01-01\n"
    good, bad = bench.read(
        "invoices.subscription_items",
        "invoices/subscription/a.csv",
        text,
        profile,
        {"plans": plans},
    )
    assert [(r["item_id"], r["product"], r["interval"], r["price"]) for r in good] == [
        ("s1", "Gold", "month", Decimal(10))
    ]
    assert [(row["line"], row["column_name"]) for row in bad] == [(3, "product")]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("epoch_seconds", "1733047200"),
        ("epoch_seconds", "1733047200.0"),
        ("epoch_milliseconds", "1733047200000"),
        ("epoch_microseconds", "1733047200000000"),
    ],
)
def test_an_epoch_is_read_in_its_unit(bench: Bench, said: str, word: str) -> None:
    """Milliseconds taken for seconds are dates in the year 56,000."""
    profile = {
        "extends": "canonical",
        "tables": {"events.events": {"columns": {"occurred_at": {"from": "at", "format": said}}}},
    }
    text = f"event_id,account_id,at,event_type\ne1,a1,{word},use\ne2,a1,9e99,use\n"
    good, bad = bench.read("events.events", "events/events/a.csv", text, profile)
    assert good[0]["occurred_at"] == datetime(2024, 12, 1, 10, tzinfo=UTC)
    assert [row["rule"] for row in bad] == ["type"]


def test_a_flag_marks_the_row_as_deleted(bench: Bench) -> None:
    """Vendors send deleted records on; taken for living ones they would count for ever."""
    profile = {
        "extends": "canonical",
        "tables": {"crm.accounts": {"deleted": "is_deleted"}},
    }
    text = "account_id,account_name,created_at,is_deleted\n"
    text += "a1,A,2024-01-01,false\na2,B,2024-01-01,TRUE\na3,C,2024-01-01,\n"
    good, _ = bench.read("crm.accounts", "crm/accounts/a.csv", text, profile)
    assert [row["_deleted"] for row in good] == [False, True, False]


def test_a_word_can_mark_the_row_as_deleted(bench: Bench) -> None:
    """A credit note that was voided would be taken off revenue for ever."""
    profile = {
        "extends": "canonical",
        "tables": {"invoices.credit_notes": {"deleted_words": {"status": ["void", "voided"]}}},
    }
    text = "credit_note_id,account_id,currency,amount,issued_at,status\n"
    text += "c1,a1,USD,1,2024-01-01,issued\nc2,a1,USD,1,2024-01-01,VOID\nc3,a1,USD,1,2024-01-01,\n"
    good, _ = bench.read("invoices.credit_notes", "invoices/credit_notes/a.csv", text, profile)
    assert [row["_deleted"] for row in good] == [False, True, False]


def test_typed_parquet_reads_as_its_text_would(bench: Bench) -> None:
    """The quick way past the text must not change a value, nor let infinity in."""
    frame = pl.DataFrame(
        {
            "event_id": ["e1", "e2", "e3"],
            "account_id": [1, 2, 3],
            "occurred_at": ["2024-12-01 10:00:00", "2024-12-02 00:00:00", None],
            "event_type": ["use"] * 3,
            "quantity": [3, -1, 1],
            "duration_seconds": [0.1, 1.0000005, 2.5],
            "is_unhandled": [True, None, False],
        }
    ).with_columns(pl.col("occurred_at").str.to_datetime())
    target = bench.folder / "a.parquet"
    frame.write_parquet(target)
    good, bad = bench.read("events.events", "events/events/a.parquet", target.read_bytes())
    assert [(r["account_id"], r["occurred_at"], r["is_unhandled"]) for r in good] == [
        ("1", datetime(2024, 12, 1, 10, tzinfo=UTC), True)
    ]
    assert good[0]["duration_seconds"] == Decimal("0.100000")
    assert [(row["line"], row["column_name"], row["rule"]) for row in bad] == [
        (2, "quantity", "minimum"),
        (3, "occurred_at", "required"),
    ]


def test_an_id_that_came_as_a_double_is_the_id_all_the_same(bench: Bench) -> None:
    """Where some rows have none, pandas writes 12 as 12.0, which joins no other table's 12."""
    frame = pl.DataFrame(
        {
            "event_id": [1.0, 2.5, 1e16],
            "account_id": [12.0, 7.0, 3.0],
            "user_id": [5.0, None, 9007199254740991.0],
            "occurred_at": ["2024-12-01"] * 3,
            "event_type": ["use"] * 3,
            "is_unhandled": [1.0, 0.0, None],
        }
    )
    target = bench.folder / "a.parquet"
    frame.write_parquet(target)
    good, bad = bench.read("events.events", "events/events/a.parquet", target.read_bytes())
    assert [(r["event_id"], r["account_id"], r["user_id"], r["is_unhandled"]) for r in good] == [
        ("1", "12", "5", True),
        ("2.5", "7", None, False),
        ("1e+16", "3", "9007199254740991", None),
    ]
    assert bad == []


def test_nan_is_an_empty_cell_and_no_failed_load(bench: Bench) -> None:
    """A frame's missing numbers: the whole run failed on one, and a missing id would be `nan`."""
    missing = float("nan")
    frame = pl.DataFrame(
        {
            "event_id": ["e1", "e2", "e3", "e4"],
            "account_id": [12.0, 12.0, missing, 12.0],
            "user_id": [5.0, missing, 6.0, 7.0],
            "occurred_at": ["2024-12-01"] * 4,
            "event_type": ["use"] * 4,
            "quantity": [2.0, missing, 1.0, float("inf")],
            "duration_seconds": [1.5, missing, 1.0, 1.0],
            "shoe": [42.5, missing, 1.0, 1.0],
        }
    )
    target = bench.folder / "a.parquet"
    frame.write_parquet(target)
    good, bad = bench.read("events.events", "events/events/a.parquet", target.read_bytes())
    assert [(r["user_id"], r["quantity"], r["duration_seconds"]) for r in good] == [
        ("5", 2, Decimal("1.5")),
        (None, None, None),
    ]
    assert [json.loads(r["_extras"])["shoe"] for r in good] == ["42.5", None]
    assert [(r["column_name"], r["rule"]) for r in bad] == [
        ("account_id", "required"),
        ("quantity", "type"),
    ]


def test_what_is_never_stored_reaches_neither_extras_nor_quarantine(bench: Bench) -> None:
    """A birthday that nobody needs must not lie in a JSON column or in a rejected row's text."""
    contract = load_contracts()["crm.contacts"]
    assert "birthday" in contract.never_stored
    text = "contact_id,account_id,full_name,Birthday,shoe,created_at\n"
    text += "c1,a1,Ann,1980-01-01,42,2024-01-01\nc2,,Bob,1981-02-02,43,2024-01-01\n"
    good, bad = bench.read("crm.contacts", "crm/contacts/a.csv", text)
    assert json.loads(good[0]["_extras"]) == {"shoe": "42"}
    assert bad[0]["raw_text"] == "c2,,Bob,,43,2024-01-01"
    nested = {"contact_id": "c1", "full_name": "Ann", "p": {"birthday": "1980-01-01", "shoe": 42}}
    good, bad = bench.read(
        "crm.contacts", "crm/contacts/a.jsonl", lines(nested | {"account_id": "a"}, nested)
    )
    assert json.loads(json.loads(good[0]["_extras"])["p"]) == {"shoe": 42}
    assert "1980" not in bad[0]["raw_text"]


def amounts(bench: Bench, text: str, how: dict[str, Any]) -> list[Any]:
    """What becomes of the amounts of payments."""
    tables = {"invoices.payments": {"columns": {"amount": how}}}
    profile = {"extends": "canonical", "tables": tables}
    good, _ = bench.read("invoices.payments", "invoices/payments/a.csv", text, profile)
    return [row["amount"] for row in good]


def test_a_word_turns_the_sign_of_an_amount(bench: Bench) -> None:
    """Some systems send refunds as positive amounts of another type: they would count as paid."""
    text = "payment_id,account_id,currency,amount,paid_at,type\n"
    text += "p1,a1,USD,10,2024-01-01,purchase\np2,a1,USD,4.5,2024-01-02,Refund\n"
    how = {"from": "amount", "negative": {"type": ["refund"]}}
    assert amounts(bench, text, how) == [Decimal(10), Decimal("-4.5")]


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"map": {"won": "true", "lost": "false"}, "otherwise": "false"}, [True, False]),
        ({"map": {"won": "true"}, "unlisted": "empty", "otherwise": "false"}, [True, False, False]),
        ({"map": {"won": "true", "*": "false"}}, [True, None, False]),
    ],
)
def test_a_map_says_what_empty_and_other_words_mean(
    bench: Bench, how: dict[str, Any], found: list[bool | None]
) -> None:
    """An unknown word is rejected, kept, emptied or caught by *: each only where that is said."""
    tables = {"crm.deals": {"columns": {"is_won": {"from": "outcome"} | how}}}
    profile = {"extends": "canonical", "tables": tables}
    text = "deal_id,account_id,stage,created_at,outcome\n"
    text += "".join(f"d{n},a1,s,2024-01-01,{word}\n" for n, word in enumerate(("won", "", "open")))
    good, bad = bench.read("crm.deals", "crm/deals/a.csv", text, profile)
    assert [row["is_won"] for row in good] == found
    assert len(bad) == 3 - len(found)


def test_names_are_joined_by_what_is_there(bench: Bench) -> None:
    """A person without a last name is no person with a blank at the end."""
    tables = {
        "crm.team_members": {"columns": {"full_name": {"from": ["f", "l"], "joined_by": " "}}}
    }
    profile = {"extends": "canonical", "tables": tables}
    text = "team_member_id,f,l\nt1,Ann,Lee\nt2,Bo,\nt3,,\n"
    good, bad = bench.read("crm.team_members", "crm/team_members/a.csv", text, profile)
    assert [row["full_name"] for row in good] == ["Ann Lee", "Bo"]
    assert [row["column_name"] for row in bad] == ["full_name"]
