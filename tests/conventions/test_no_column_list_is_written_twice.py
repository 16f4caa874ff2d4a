"""A contract's columns are listed in the contract; what needs the list is made from it.

What counts as a list: a sequence in Python or YAML (or the keys of a Python mapping) with FEW or
more of a contract's columns one after the other in the contract's order. Three things that look
like one are not: a profile says where columns come from (and is checked against the contracts when
it is read), a mart's YAML promises that mart's own columns, and a staging model selects, one by
one, what it renames. For the last a test of its own holds, since it may forget one.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from assets.extracts.contracts import FOLDER, Contract, load_contracts
from assets.extracts.made_files import STAGING, made_files
from tests.conventions.project_files import (
    DBT_PROJECT,
    MODELS,
    PACKAGES,
    ROOT,
    SEEDS,
    modules,
    short,
)

FEW = 5
# Rows of the sample, made up column by column: data, as much as a CSV file would be.
SAMPLE = re.compile(r"assets/extracts/sampling/")


def _staging_model(contract: Contract) -> Path:
    return STAGING / contract.source / f"stg_{contract.source}__{contract.table}.sql"


def _lists_columns(names: Sequence[object], contract: Contract) -> bool:
    columns = contract.column_names
    length = min(FEW, len(columns))
    runs = {columns[start : start + length] for start in range(len(columns) - length + 1)}
    return any(tuple(names[i : i + length]) in runs for i in range(len(names) - length + 1))


def _copied(names: Sequence[object]) -> list[str]:
    """The contracts of which this sequence lists columns; short ones too, if they are meant."""
    return [
        contract.name
        for contract in load_contracts().values()
        if len(contract.columns) >= FEW and _lists_columns(names, contract)
    ]


def _in_python(path: Path) -> Iterator[list[object]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield [e.value if isinstance(e, ast.Constant) else None for e in node.elts]
        elif isinstance(node, ast.Dict):
            yield [k.value if isinstance(k, ast.Constant) else None for k in node.keys]


def _in_yaml(said: Any) -> Iterator[list[object]]:
    if isinstance(said, dict):
        for value in said.values():
            yield from _in_yaml(value)
    elif isinstance(said, list):
        yield [each.get("name") if isinstance(each, dict) else each for each in said]
        for each in said:
            yield from _in_yaml(each)


def _yaml_files() -> list[Path]:
    folders = (ROOT / "assets", MODELS, SEEDS, DBT_PROJECT)
    found = {path for folder in folders for path in folder.rglob("*.yml")} - set(made_files())
    return sorted(
        p for p in found if not p.is_relative_to(FOLDER) and "/marts/" not in p.as_posix()
    )


def test_no_python_lists_the_columns_of_a_contract() -> None:
    """Prevents a second list of columns in the loader, a check or the command line that drifts."""
    copies = [
        f"{short(path)}: {', '.join(found)}"
        for path in modules(*PACKAGES)
        if not SAMPLE.match(short(path))
        for names in _in_python(path)
        if (found := _copied(names))
    ]
    assert copies == []


def test_no_yaml_lists_the_columns_of_a_contract() -> None:
    """Prevents a source file, a profile or a seed with a list of columns of its own."""
    copies = [
        f"{short(path)}: {', '.join(found)}"
        for path in _yaml_files()
        for names in _in_yaml(yaml.safe_load(path.read_text("utf-8")))
        if (found := _copied(names))
    ]
    assert copies == []


def test_the_criterion_finds_a_copy() -> None:
    """Prevents a guard that finds nothing because it looks wrongly."""
    contract = load_contracts()["crm.accounts"]
    assert _copied(["x", *contract.column_names[3:8]]) == ["crm.accounts"]
    assert _copied(sorted(contract.column_names)) == []
    assert list(_in_yaml({"columns": [{"name": "a"}, {"name": "b"}]})) == [["a", "b"]]


@pytest.mark.parametrize(
    "contract",
    [each for each in load_contracts().values() if _staging_model(each).is_file()],
    ids=lambda contract: contract.name,
)
def test_staging_passes_on_every_column_of_its_contract(contract: Contract) -> None:
    """Prevents a column that lands and that no model can ever read."""
    sql = _staging_model(contract).read_text("utf-8")
    missing = [name for name in contract.column_names if not re.search(rf"\b{name}\b", sql)]
    assert missing == []
