"""The repository as files: models, their properties, seeds, Python modules and what they import."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
SEEDS = ROOT / "seeds"
DBT_PROJECT = ROOT / "dbt_project"
PACKAGES = ("assets", "checks", "orchestration")


def short(path: Path) -> str:
    """The path as the repository says it."""
    return path.relative_to(ROOT).as_posix()


def model_files(layer: str = "") -> list[Path]:
    """Every model's SQL, of one layer or of all."""
    return sorted((MODELS / layer).rglob("*.sql"))


def sql_files() -> list[Path]:
    """Every file with SQL that dbt runs."""
    return [*model_files(), *sorted(DBT_PROJECT.rglob("macros/*.sql")), *dbt_test_files()]


def dbt_test_files() -> list[Path]:
    """dbt's own tests, singular and generic."""
    return sorted((DBT_PROJECT / "tests").rglob("*.sql"))


@cache
def properties(path: Path) -> dict[str, Any]:
    """A YAML file of properties."""
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def model_properties(sql: Path) -> dict[str, Any]:
    """What the YAML beside a model's SQL says of it."""
    (model,) = properties(sql.with_suffix(".yml"))["models"]
    assert model["name"] == sql.stem, f"{short(sql)}: its YAML is about {model['name']}"
    return dict(model)


def unit_tests(sql: Path) -> list[dict[str, Any]]:
    """The unit tests beside a model's SQL."""
    return list(properties(sql.with_suffix(".yml")).get("unit_tests", []))


def seed_properties() -> dict[str, dict[str, Any]]:
    """What is said of each seed, by name."""
    return {seed["name"]: seed for path in sorted(SEEDS.glob("*.yml")) for seed in _seeds_of(path)}


def _seeds_of(path: Path) -> list[dict[str, Any]]:
    return list(properties(path).get("seeds", []))


def is_personal(column: dict[str, Any]) -> bool:
    """Whether a column's properties tag it as personal data."""
    config: dict[str, Any] = column.get("config", {})
    return bool(config.get("meta", {}).get("personal"))


def data_tests(model: dict[str, Any]) -> set[str]:
    """Names of the tests on a model as a whole."""
    named = [test if isinstance(test, str) else next(iter(test)) for test in model["data_tests"]]
    return set(named)


def modules(*folders: str) -> list[Path]:
    """Every Python file below these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """What a Python file imports, by full module name, and whether it does so as it loads."""
    tree = ast.parse(path.read_text("utf-8"))
    at_load = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, id(node) in at_load
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module, id(node) in at_load
