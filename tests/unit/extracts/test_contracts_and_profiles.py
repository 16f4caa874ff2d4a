"""Contracts and profiles are data: right ones do what they say, wrong ones say what is wrong."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from assets.extracts.contracts import load_contracts, read_contract
from assets.extracts.dictionary import HEADERS, contract_rows, dictionary_rows
from assets.extracts.errors import ConfigurationError
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing
from assets.extracts.loader import load_table
from assets.extracts.profiles import FOLDER, load_profile

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data" / "ravenstack"
SPEC = ROOT.parent / "shared" / "spec" / "11-columns.md"
# Two fields of a ticket may change at one instant: without the field the second would be lost.
KEYED_BY_MORE = {"tickets.ticket_changes": {"field"}}
# "More columns may be added, none renamed."
ADDED = {
    "invoices.subscriptions": {"is_today_only"},
    "invoices.subscription_items": {"is_today_only"},
    "invoices.discounts": {"is_today_only"},
}
CANONICAL = "name: x\ndescription: X.\nextends: canonical\n"


def said_of(tmp_path: Path, text: str) -> str:
    (tmp_path / "profile.yml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_profile(tmp_path / "profile.yml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.skipif(not SPEC.is_file(), reason="the specification is not beside the project")
def test_contracts_have_the_canonical_columns_in_order() -> None:
    """A column renamed, forgotten or moved against the interface that extracts are written to."""
    source, found = "", {}
    for line in SPEC.read_text(encoding="utf-8").splitlines():
        if line.startswith("**"):
            source = line.strip("*")
        if line.startswith("- `"):
            table, _, columns = line.removeprefix("- `").partition("`: ")
            depth, kept = 0, ""
            for sign in columns:
                depth += (sign == "(") - (sign == ")")
                kept += sign if depth == 0 and sign != ")" else ""
            words = [word.split()[0] for word in kept.split(", ")]
            found[f"{source}.{table}"] = words
    for name, contract in load_contracts().items():
        names = tuple(word.rstrip("*!") for word in found[name])
        needed = {word.rstrip("*!") for word in found[name] if word[-1] in "*!"}
        own = [column for column in contract.column_names if column not in ADDED.get(name, set())]
        assert tuple(own) == names, name
        assert {column.name for column in contract.columns if column.required} == needed, name
        key = {word[:-1] for word in found[name] if word[-1] == "*"} | KEYED_BY_MORE.get(
            name, set()
        )
        assert set(contract.key) == key, name
    assert set(found) == set(load_contracts())


def test_every_instant_of_a_contract_says_what_it_is() -> None:
    """A date ahead of the as-of that a mart counts, since nobody said that it is a happening."""
    silent = [
        f"{contract.name}.{column.name}"
        for contract in load_contracts().values()
        for column in contract.columns
        if column.type in {"timestamp", "date"}
        and column.instant is None
        and column.name not in {contract.dated_by, "updated_at"}
    ]
    assert silent == []


def test_references_of_contracts_name_columns_that_exist() -> None:
    """A parent that no row can ever find."""
    contracts = load_contracts()
    for contract in contracts.values():
        for column in contract.columns:
            if column.references is not None:
                table, _, parent = column.references.rpartition(".")
                assert parent in contracts[table].key, f"{contract.name}.{column.name}"
                assert contracts[table].column(parent).type == column.type


def test_a_birthday_is_never_stored() -> None:
    """Data of people that nobody needs (spec 30, data minimisation)."""
    for name in ("crm.contacts", "crm.leads"):
        assert "birthday" in load_contracts()[name].never_stored


def test_the_dictionary_says_what_a_contract_says() -> None:
    """A page on which a limit or a word is missing."""
    rows = {row[0]: row for row in dictionary_rows(load_contracts()["crm.nps_responses"])}
    assert dict(zip(HEADERS, rows["score"], strict=True)) == {
        "column": "score",
        "type": "bigint",
        "required": "yes",
        "key": "",
        "allowed": "at least 0; at most 10",
        "references": "",
        "personal": "",
        "meaning": "How likely they are to recommend us, from 0 to 10.",
    }
    assert [row[0] for row in contract_rows()] == list(load_contracts())


def test_a_wrong_contract_names_file_and_key(tmp_path: Path) -> None:
    """A typo in a contract read as nothing at all."""
    text = (
        "source: a\ntable: b\ndescription: One row per b.\nmode: upsert\nkey: [b_id]\ncolumns:\n"
        "  - {name: b_id, type: text, requird: true, description: The id.}\n"
    )
    (tmp_path / "b.yml").write_text(text)
    with pytest.raises(
        ConfigurationError, match=r"b.yml: columns.0.requird: no such key; did you mean required"
    ):
        read_contract(tmp_path / "b.yml")


def test_a_contract_may_not_key_by_an_optional_column(tmp_path: Path) -> None:
    """A key that may be empty."""
    text = (
        "source: a\ntable: b\ndescription: One row per b.\nmode: upsert\nkey: [b_id]\ncolumns:\n"
        "  - {name: b_id, type: text, description: The id.}\n"
    )
    (tmp_path / "b.yml").write_text(text)
    with pytest.raises(ConfigurationError, match="key column b_id is not a required column"):
        read_contract(tmp_path / "b.yml")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yml")), ids=lambda file: file.stem)
def test_shipped_profiles_are_valid(file: Path) -> None:
    """A shipped profile that fails on its first use."""
    assert load_profile(file.stem).name == file.stem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "tabels: {}\n",
            (
                "profile.yml: tabels: no such key; did you mean tables? Allowed are delimiter, "
                "description, extends, files, lookups, minor_unit_digits, name, null_values, "
                "tables, time_zone."
            ),
        ),
        pytest.param(
            "tables: {crm.acounts: {}}\n",
            ("profile.yml: tables.crm.acounts is no contract table; there are crm.account_links, "),
        ),
        pytest.param(
            "tables: {crm.accounts: {colums: {}}}\n",
            (
                "profile.yml: tables.crm.accounts.colums: no such key; did you mean columns? "
                "Allowed are also, columns, deleted, deleted_words, delimiter, files, mode, "
                "null_values, only, rows, rows_otherwise, time_zone."
            ),
        ),
        pytest.param(
            "tables: {crm.accounts: {columns: {teir: plan}}}\n",
            ("profile.yml: tables.crm.accounts.columns.teir is no column; there are account_id, "),
        ),
        pytest.param(
            "tables: {crm.accounts: {columns: {tier: {form: plan}}}}\n",
            (
                "profile.yml: tables.crm.accounts.columns.tier.form: no such key; did you mean "
                "format? Allowed are by, constant, first_of, format, from, joined_by, lookup, map, "
                "minor_units, negative, otherwise, row_hash, scale, unlisted."
            ),
        ),
        pytest.param(
            "tables: {crm.accounts: {columns: {tier: {from: a, constant: b}}}}\n",
            (
                "profile.yml: tables.crm.accounts.columns.tier: say exactly one of from, "
                "first_of, constant and row_hash."
            ),
        ),
        pytest.param(
            "tables: {crm.accounts: {columns: {created_at: {from: a, format: '%Q'}}}}\n",
            (
                "profile.yml: tables.crm.accounts.columns.created_at.format: %Q is no directive"
                " of a time format."
            ),
        ),
        pytest.param(
            "tables: {events.events: {mode: full}}\n",
            ("profile.yml: tables.events.events.mode is full; this table may be append."),
        ),
        pytest.param(
            "tables: {events.events: {columns: {event_type: {from: a, map: {click: usage}}}}}\n",
            ("profile.yml: tables.events.events.columns.event_type says usage; allowed is login,"),
        ),
        pytest.param(
            "tables: {events.events: {files: 'x/{name}/**'}}\n",
            (
                "profile.yml: tables.events.events.files: x/{name}/** may have {source} and {table}"
                " in braces."
            ),
        ),
        pytest.param(
            "time_zone: Mars/Olympus\n",
            ("profile.yml: time_zone: Mars/Olympus is no IANA time zone such as Europe/Berlin."),
        ),
        pytest.param(
            "tables: [\n",
            ("profile.yml: is not valid YAML ("),
        ),
        pytest.param(
            "extends: nobody\n",
            ("There is no profile nobody; name a .yml file or one of canonical, "),
        ),
    ],
)
def test_a_wrong_profile_names_file_and_key_and_what_is_allowed(
    tmp_path: Path, text: str, said: str
) -> None:
    """A typo in a profile that loads a column empty."""
    prefix = CANONICAL if "extends" not in text else "name: x\ndescription: X.\n"
    assert said_of(tmp_path, prefix + text).startswith(said)


def test_a_profile_maps_names_words_times_and_units(bench: Any) -> None:
    """A vendor's extract that needs code."""
    bench.write(
        "profile.yml",
        CANONICAL
        + """
time_zone: Europe/Berlin
null_values: ["?", "n/a"]
delimiter: ";"
tables:
  invoices.subscription_items:
    columns:
      item_id: {from: [sub, pos]}
      subscription_id: sub
      price: {from: cents, scale: 0.01}
      quantity: {constant: 2}
      interval: {from: cycle, map: {M: month, Y: year}}
      valid_from: {from: begins, format: ["%d.%m.%Y", "%d.%m.%Y %H:%M"]}
      valid_to: null
""",
    )
    bench.write(
        "invoices/subscription_items/i.csv",
        "sub;pos;product;cents;cycle;begins;valid_to\n"
        "s1;1;Pro;1999;m;01.07.2024;x\ns1;2;?;1;M;01.07.2024;\ns1;3;Pro;5;W;01.07.2024;\n"
        "s1;4;Pro;5;Y;01.07.2024 10:00;\n",
    )
    load = bench.load("invoices.subscription_items")
    assert [row.reason for row in load.rejected_sample] == [
        "product is empty, and a row needs it",
        "interval 'W' is not in the value map of profile x (M, Y)",
    ]
    assert bench.rows(
        "select item_id, price, quantity, interval, valid_from::varchar, valid_to, "
        "_extras::varchar from invoices.subscription_items"
    ) == [
        ("s1|1", Decimal("19.99"), 2, "month", "2024-06-30 22:00:00+00", None, '{"valid_to":"x"}'),
        ("s1|4", Decimal("0.05"), 2, "year", "2024-07-01 10:00:00+00", None, '{"valid_to":null}'),
    ]


def test_a_row_hash_tells_equal_rows_of_a_file_apart(bench: Any) -> None:
    """Equal rows of a source without ids taken for one, or for new ones in every copy."""
    bench.write(
        "profile.yml",
        CANONICAL + "tables:\n  events.events:\n    columns: {event_id: {row_hash: true}}\n",
    )
    text = (
        "account_id,occurred_at,event_type\na,2024-12-01,use\na,2024-12-01,use\nb,2024-12-01,use\n"
    )
    bench.write("events/events/a.csv", text)
    bench.write("events/events/b.csv", text)
    load = bench.load("events.events")
    assert (load.rows_loaded, load.rows_duplicate) == (3, 3)


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not beside the project")
def test_ravenstack_loads_whole(bench: Any) -> None:
    """The shipped profile losing rows of the real files, or misreading a column."""
    connection = bench.connection
    as_of = datetime(2025, 1, 1, tzinfo=UTC)
    loads = {
        name: load_table(
            connection,
            contract=contract,
            profile=load_profile("ravenstack"),
            landing=open_landing(DATA / "original"),
            as_of=as_of,
            known=KnownLog(),
            run_id="run",
            loaded_at=as_of,
        )
        for name, contract in load_contracts().items()
    }
    assert {name: load.rows_loaded for name, load in loads.items() if load.is_landed} == {
        "crm.accounts": 500,
        "crm.account_links": 5000,
        "events.events": 25000,
        "invoices.subscriptions": 5000,
        "invoices.subscription_items": 5000,
        "tickets.tickets": 2000,
    }
    assert sum(load.rows_rejected + load.rows_duplicate for load in loads.values()) == 0
    assert connection.execute(
        "select sum(quantity)::bigint, sum(duration_seconds)::bigint, count(distinct feature) "
        "from events.events"
    ).fetchall() == [(250_525, 76_055_072, 40)]
    assert connection.execute(
        "select sum(price)::bigint from invoices.subscription_items"
    ).fetchone() == (11_338_747,)
    assert connection.execute(
        "select tier, count(*) from crm.accounts group by 1 order by 1"
    ).fetchall() == [("Basic", 168), ("Enterprise", 154), ("Pro", 178)]
    assert connection.execute(
        "select count(*), count(*) filter (where closed_at is null) from tickets.tickets"
    ).fetchall() == [(2000, 0)]
    assert connection.execute(
        "select count(*) from crm.accounts where status = 'churned'"
    ).fetchone() == (110,)
