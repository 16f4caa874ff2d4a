"""dbt's own view of the project: it parses without a warning, and every unit test passes."""

import sys
from pathlib import Path

import duckdb
import pytest

from assets.extracts.tables import prepare
from assets.releases.history import prepare_history
from tests.integration.compiled_warehouse import run_dbt

DRIVER = str(Path(__file__).with_name("dbt_unit_tests.py"))
WARNINGS_ARE_ERRORS = ["--warn-error"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a build in which every raw table stands, empty."""
    made = tmp_path_factory.mktemp("dbt")
    with duckdb.connect(str(made / "build.duckdb")) as connection:
        prepare(connection)
        prepare_history(connection)
    return made


def test_the_project_parses_without_a_warning(folder: Path) -> None:
    """Prevents a property that names nothing, which dbt reports and ignores."""
    run_dbt(folder, [*WARNINGS_ARE_ERRORS, "parse", "--no-partial-parse"])


def test_every_dbt_unit_test_passes(folder: Path) -> None:
    """Prevents a model that breaks one of the golden cases worked out by hand in its YAML.

    Unit tests take the types of their rows from the relations, so all are made first, empty.
    """
    no_tests = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    run_dbt(folder, ["build", "--empty", *no_tests])
    run_dbt(folder, ["test", "--select", "test_type:unit"], program=[sys.executable, DRIVER])
