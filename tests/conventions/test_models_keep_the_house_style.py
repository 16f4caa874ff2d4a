"""What every model, seed and dbt test must have, read from the files themselves."""

import csv
import re
from pathlib import Path

import pytest

from assets.extracts.contracts import load_contracts
from tests.conventions.project_files import (
    DBT_PROJECT,
    SEEDS,
    data_tests,
    dbt_test_files,
    is_personal,
    model_files,
    model_properties,
    properties,
    seed_properties,
    short,
    sql_files,
    unit_tests,
)

CLOCKS = re.compile(
    r"\b(current_date|current_timestamp|localtimestamp|get_current_timestamp|now\s*\(|today\s*\("
    r"|transaction_timestamp|run_started_at|modules\.datetime)",
    re.IGNORECASE,
)
NAMES = {
    "staging": re.compile(r"^stg_[a-z]+__[a-z_]+$"),
    "intermediate": re.compile(r"^int_[a-z_]+$"),
    "marts": re.compile(
        r"^(dim|fct|account|alert|deal|expansion|health|metric|module|mrr|portfolio|receivables"
        r"|renewal|revenue|support|time|usage|user)"
        r"_[a-z_]+$"
    ),
}
# dbt knows its graph on a real run only; tests/integration/test_metric_registry.py stands for it.
NOT_FOR_UNIT_TESTS = {"metric_registry"}

every_model = pytest.mark.parametrize("sql", model_files(), ids=short)
every_mart = pytest.mark.parametrize("sql", model_files("marts"), ids=short)
every_seed = pytest.mark.parametrize("seed", sorted(SEEDS.glob("*.csv")), ids=short)


@every_model
def test_a_model_is_two_files_that_say_its_grain_first(sql: Path) -> None:
    """Prevents a table of which nobody can say what one row is."""
    assert sql.read_text("utf-8").startswith("-- One row per "), short(sql)
    assert model_properties(sql)["description"].startswith("One row per "), short(sql)


@every_model
def test_a_model_is_named_for_its_layer(sql: Path) -> None:
    """Prevents a model that is looked for in the wrong folder."""
    layer = next(name for name in NAMES if f"models/{name}/" in sql.as_posix())
    assert NAMES[layer].match(sql.stem), short(sql)


def test_no_properties_are_about_a_model_that_is_gone() -> None:
    """Prevents a description that outlives its model."""
    orphans = [
        short(path)
        for path in (SEEDS.parent / "models").rglob("*.yml")
        if not path.name.startswith("_") and not path.with_suffix(".sql").is_file()
    ]
    assert orphans == []


@every_mart
def test_every_column_of_a_mart_is_described_and_typed(sql: Path) -> None:
    """Prevents a column that a reader must guess, and a contract without a type."""
    columns = model_properties(sql)["columns"]
    names = [column["name"] for column in columns]
    assert len(set(names)) == len(names)
    for column in columns:
        assert column.get("description", "").strip(), f"{short(sql)}: {column['name']}"
        assert column.get("data_type"), f"{short(sql)}: {column['name']}"


def test_contracts_of_marts_are_enforced() -> None:
    """Prevents a mart whose types change without anybody having said so."""
    marts = properties(DBT_PROJECT / "dbt_project.yml")["models"]["customer_success"]["marts"]
    assert marts["+contract"] == {"enforced": True}
    own = re.compile(r"config\([^)]*contract")
    switched_off = [short(s) for s in model_files("marts") if own.search(s.read_text("utf-8"))]
    assert switched_off == []


@every_mart
def test_a_mart_has_a_key_and_finite_numbers(sql: Path) -> None:
    """Prevents a grain that is only claimed, and a division by zero that is not null."""
    model = model_properties(sql)
    assert "is_unique" in data_tests(model), f"{short(sql)} has no grain test"
    if any(column["data_type"] == "double" for column in model["columns"]):
        assert "every_number_is_finite" in data_tests(model), short(sql)


@pytest.mark.parametrize("sql", [*model_files("intermediate"), *model_files("marts")], ids=short)
def test_every_model_with_logic_is_unit_tested(sql: Path) -> None:
    """Prevents SQL whose only proof is that it runs."""
    if sql.stem in NOT_FOR_UNIT_TESTS:
        return
    tests = unit_tests(sql)
    assert tests, f"{short(sql)} has no unit test"
    for test in tests:
        assert test["model"] == sql.stem
        assert test["name"].startswith(f"{sql.stem}__"), test["name"]


@pytest.mark.parametrize("sql", sql_files(), ids=short)
def test_nothing_asks_the_clock(sql: Path) -> None:
    """Prevents a number that is another one tomorrow, for the same inputs and as-of."""
    code = re.sub(r"--.*|\{#.*?#\}", "", sql.read_text("utf-8"))
    assert not CLOCKS.search(code), short(sql)


@pytest.mark.parametrize("sql", sql_files(), ids=short)
def test_only_staging_reads_what_landed(sql: Path) -> None:
    """Prevents a mart that skips the renaming, the versions and the as-of of staging.

    The books of the rollups are written in hooks, and read in staging like all else.
    """
    reads = re.search(r"\bsource\s*\(\s*['\"](?!rollups)", sql.read_text("utf-8"))
    assert not reads or "models/staging/" in sql.as_posix(), short(sql)


@every_model
def test_a_model_reads_others_by_ref_only(sql: Path) -> None:
    """Prevents a dependency that the graph does not know, and that runs in the wrong order."""
    code = re.sub(r"--.*", "", sql.read_text("utf-8"))
    schemas = "crm|events|invoices|tickets|landing|history|reference|staging|intermediate|meta"
    assert not re.search(rf"\b(from|join)\s+({schemas})\.", code), short(sql)


@every_seed
def test_every_column_of_a_seed_is_described_and_typed(seed: Path) -> None:
    """Prevents a cell that a person edits without being told what it does."""
    with seed.open(encoding="utf-8", newline="") as lines:
        header = next(csv.reader(lines))
    said = seed_properties()[seed.stem]
    assert said["description"].lstrip().startswith("One row per "), seed.name
    assert [column["name"] for column in said["columns"]] == header
    assert list(said["config"]["column_types"]) == header
    assert all(column["description"].strip() for column in said["columns"])


def test_every_described_seed_exists() -> None:
    """Prevents a description that outlives its seed."""
    assert set(seed_properties()) == {path.stem for path in SEEDS.glob("*.csv")}


def test_every_dbt_test_is_described() -> None:
    """Prevents a red check of which nobody knows what it means for the release."""
    listed = properties(DBT_PROJECT / "tests" / "_tests.yml")["data_tests"]
    described = {test["name"] for test in listed if test.get("description")}
    singular = {path.stem for path in dbt_test_files() if path.parent.name != "generic"}
    assert singular == described
    assert all(name.startswith("assert_") for name in singular)


def test_every_dbt_test_is_told_of_a_model_that_it_depends_on() -> None:
    """Prevents a check whose result nobody hears of, warn or not: Dagster drops it."""
    for test in properties(DBT_PROJECT / "tests" / "_tests.yml")["data_tests"]:
        text = (DBT_PROJECT / "tests" / f"{test['name']}.sql").read_text("utf-8")
        read = set(re.findall(r"ref\('(\w+)'\)", text))
        dagster = test.get("config", {}).get("meta", {}).get("dagster")
        if dagster:
            assert dagster["ref"]["name"] in read, test["name"]
        else:
            assert len(read) == 1, test["name"]


@every_mart
def test_personal_columns_stay_tagged_in_marts(sql: Path) -> None:
    """Prevents personal data that loses its tag, and with it every rule about it, on the way."""
    personal = {
        column.name
        for contract in load_contracts().values()
        for column in contract.columns
        if column.personal
    }
    untagged = [
        column["name"]
        for column in model_properties(sql)["columns"]
        if column["name"] in personal and not is_personal(column)
    ]
    assert untagged == [], short(sql)
