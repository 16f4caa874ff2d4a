"""Bad rows are set aside with file, line, text, column and reason; good rows go in."""

from typing import Any

import pytest

from assets.extracts.contracts import load_contracts

NO_TIME = "is not a date or time; write it as 2024-12-31T23:59:59Z"
NO_TYPE = "is none of login, use, error, heartbeat, identify, custom"
EVENTS = "event_id,account_id,occurred_at,event_type,quantity,duration_seconds\n"


def load(bench: Any, body: str | bytes, name: str = "e.csv", header: str = EVENTS) -> Any:
    data = body.encode() if isinstance(body, str) else body
    bench.write(f"events/events/{name}", header.encode() + data)
    done = bench.load("events.events")
    assert done.refusals == ()
    assert done.rows_read == done.rows_loaded + done.rows_rejected + done.rows_duplicate
    return done


def quarantined(bench: Any) -> list[tuple[Any, ...]]:
    return bench.rows(
        "select row_number, line, column_name, rule, reason, raw_text from landing.quarantine "
        "order by row_number"
    )


def test_a_bad_date_is_set_aside_with_its_line(bench: Any) -> None:
    """A bad date loaded as NULL, or stopping the file."""
    done = load(
        bench, "e1,a1,2024-12-01,use,1,\ne2,a1,2024-13-45,use,1,\ne3,a1,2024-12-02,use,1,\n"
    )
    assert (done.rows_loaded, done.rows_rejected) == (2, 1)
    assert done.rejected_sample[0].sentence == (
        "events/events/e.csv, line 3: occurred_at '2024-13-45' is not a date or time; "
        "write it as 2024-12-31T23:59:59Z."
    )
    assert quarantined(bench)[0][5] == "e2,a1,2024-13-45,use,1,"
    assert bench.rows("select event_id, _row from events.events") == [("e1", 1), ("e3", 3)]


def test_a_bad_row_of_any_table_is_set_aside(bench: Any) -> None:
    """A column of a contract (an invoice's number) that is taken for one of the loader's own."""
    for table, contract in load_contracts().items():
        names = [column.name for column in contract.columns]
        header, row = ",".join(names), ",".join("x" for _ in names)
        bench.write(f"{table.replace('.', '/')}/f.csv", f"{header}\n{row}\n")
        done = bench.load(table)
        assert (done.refusals, done.rows_loaded, done.rows_rejected) == ((), 0, 1), table
    found = {(number, line, text.strip("x,")) for number, line, *_, text in quarantined(bench)}
    assert found == {(1, 2, "")}


def test_lines_are_physical_ones_after_values_of_several_lines(bench: Any) -> None:
    """A line number that a person cannot find in their editor."""
    done = load(
        bench,
        'e1,"a\r\n1",2024-12-01,use,1,\r\n\r\n"e\n2",a1,nonsense,use,1,\r\ne3,a1,2024-12-01,use,1,',
    )
    assert (done.rows_loaded, done.rows_rejected) == (2, 1)
    assert quarantined(bench) == [
        (2, 5, "occurred_at", "type",
         "occurred_at 'nonsense' is not a date or time; write it as 2024-12-31T23:59:59Z",
         '"e\n2",a1,nonsense,use,1,')
    ]  # fmt: skip
    assert bench.rows("select account_id, _row from events.events") == [("a\r\n1", 1), ("a1", 3)]


@pytest.mark.parametrize("name", ["e.csv", "e.csv.gz"])
def test_rows_of_another_shape_are_set_aside(bench: Any, name: str) -> None:
    """One short row refusing a file, or shifting every number after it."""
    done = load(
        bench,
        "e1,a1,2024-12-01,use,1,\n"
        "e2,a1\n"
        "e3,a1,2024-12-01,use,1,2,3,4\n"
        'e4,"a"1,2024-12-01,use,1,\n'
        "e5,a1,2024-12-01,use,12.7,\n"
        "e6,a1,2024-12-01,use,1,\n"
        'e7,"a1,2024-12-01,use,1,\n'
        "e8,a1,2024-12-01,use,1,\n",
        name,
    )
    assert (done.rows_read, done.rows_loaded, done.rows_rejected) == (8, 3, 5)
    assert [row[:5] for row in quarantined(bench)] == [
        (2, 3, None, "shape", "the row has 2 fields where the header has 6"),
        (3, 4, None, "shape", "the row has 8 fields where the header has 6"),
        (4, 5, None, "shape", "there is text after a closing quote"),
        (5, 6, "quantity", "type", "quantity '12.7' is not a whole number"),
        (7, 8, None, "shape", "a quote is opened and never closed"),
    ]
    assert [row[5] for row in quarantined(bench)][4] == 'e7,"a1,2024-12-01,use,1,'
    assert bench.rows("select event_id, _row from events.events") == [
        ("e1", 1),
        ("e6", 6),
        ("e8", 8),
    ]


def test_line_ends_may_be_mixed(bench: Any) -> None:
    """A file put together from two systems refused."""
    done = load(bench, "e1,a1,2024-12-01,use,1,\r\ne2,a1,2024-12-01,use,1,\n")
    assert (done.rows_loaded, done.rows_rejected) == (2, 0)


def test_a_byte_order_mark_is_no_part_of_the_first_column(bench: Any) -> None:
    """Excel's UTF-8 refused for a missing first column."""
    bench.write(
        "events/events/e.csv", b"\xef\xbb\xbf" + (EVENTS + "e1,a1,2024-12-01,use,x,\n").encode()
    )
    done = bench.load("events.events")
    assert (done.rows_read, done.rows_rejected) == (1, 1)
    assert quarantined(bench)[0][5] == "e1,a1,2024-12-01,use,x,"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",a1,2024-12-01,use,1,", "event_id is empty, and a row needs it"),
        ("e1,  ,2024-12-01,use,1,", "account_id is empty, and a row needs it"),
        ("e1,a1,infinity,use,1,", f"occurred_at 'infinity' {NO_TIME}"),
        ("e1,a1,epoch,use,1,", f"occurred_at 'epoch' {NO_TIME}"),
        ("e1,a1,0202-12-01,use,1,", "occurred_at '0202-12-01' is before 1900"),
        ("e1,a1,2024-12-01,dance,1,", f"event_type 'dance' {NO_TYPE}"),
        ("e1,a1,2024-12-01,use,-1,", "quantity '-1' is less than 0"),
        ("e1,a1,2024-12-01,use,1_000,", "quantity '1_000' is not a whole number"),
        ("e1,a1,2024-12-01,use,1e3,", "quantity '1e3' is not a whole number"),
        ("e1,a1,2024-12-01,use,1,inf", "duration_seconds 'inf' is not a number of seconds"),
        ("e1,a1,2024-12-01,use,1,-0.5", "duration_seconds '-0.5' is less than 0"),
    ],
)  # fmt: skip
def test_each_rule_says_what_it_found(bench: Any, row: str, reason: str) -> None:
    """A rule that passes what it should not, or a reason that nobody understands."""
    load(bench, row + "\n")
    assert [found[4] for found in quarantined(bench)] == [reason]


def test_values_are_read_as_people_write_them(bench: Any) -> None:
    """Good values set aside, or read as something else."""
    load(
        bench,
        "e1,a1,2024-12-01,use,9.0,1.5\n"
        "e2,a1,2024-12-01 10:00:00,use,,\n"
        "e3,a1,2024-12-01T10:00:00+02:00,use,7,0\n"
        "e4,a1,2024-12-01 10:00:00.000 -0330,use,7,0\n"
        "e5,a1,2024-12-01T10:00:00z,use,7,0\n",
    )
    assert bench.rows(
        "select occurred_at::varchar, quantity, duration_seconds::varchar from events.events"
    ) == [
        ("2024-12-01 00:00:00+00", 9, "1.500000"),
        ("2024-12-01 10:00:00+00", None, None),
        ("2024-12-01 08:00:00+00", 7, "0.000000"),
        ("2024-12-01 13:30:00+00", 7, "0.000000"),
        ("2024-12-01 10:00:00+00", 7, "0.000000"),
    ]


def test_parquet_columns_may_have_any_type(bench: Any) -> None:
    """A typed file read otherwise than the same values as text."""
    file = bench.write("events/events/e.parquet", b"")
    bench.connection.execute(
        f"""
        copy (
            select 'e1' as event_id, 7 as account_id, timestamptz '2024-12-01 10:00:00+02' as
            occurred_at, 'use' as event_type, 9.0::double as quantity, {{'a': 1}} as attributes,
            date '2024-12-02' as received_at, 3 as extra
            union all
            select 'e2', 8, timestamptz 'infinity', 'use', 12.7, null, null, null
        ) to '{file}'
        """
    )
    done = bench.load("events.events")
    assert (done.rows_loaded, done.rows_rejected) == (1, 1)
    assert bench.rows(
        "select account_id, occurred_at::varchar, quantity, attributes, received_at::varchar, "
        "_extras::varchar from events.events"
    ) == [("7", "2024-12-01 08:00:00+00", 9, '{"a":1}', "2024-12-02 00:00:00+00", '{"extra":"3"}')]
    found = bench.rows("select line, column_name, raw_text from landing.quarantine")
    assert found[0][:2] == (2, "occurred_at")
    assert '"event_id":"e2"' in found[0][2]


def test_columns_that_no_contract_names_are_kept(bench: Any) -> None:
    """A custom attribute lost."""
    bench.write(
        "crm/accounts/a.csv", "account_id,account_name,created_at,plan__c\na1,A,2024-01-01,x\n"
    )
    bench.load("crm.accounts")
    assert bench.rows("select _extras->>'plan__c' from crm.accounts") == [("x",)]


def test_an_odd_path_is_no_pattern(bench: Any, events: Any) -> None:
    """A bracket or a star in a file's name reading other files too."""
    bench.write("events/events/e[1].csv", events("e1"))
    bench.write("events/events/e1.csv", events("e2"))
    bench.write("events/events/it's; drop.csv", events("e3"))
    assert bench.load("events.events").rows_loaded == 3


def test_many_rejects_keep_their_lines(bench: Any) -> None:
    """Lines found a thousand at a time getting out of step."""
    body = "".join(
        f"e{n},a1,{'bad' if n % 3 == 0 else '2024-12-01'},use,1,\n" for n in range(1, 6001)
    )
    done = load(bench, body)
    assert (done.rows_loaded, done.rows_rejected) == (4000, 2000)
    assert bench.rows(
        "select count(*) from landing.quarantine "
        "where raw_text like 'e' || row_number || ',%' and line = row_number + 1"
    ) == [(2000,)]
