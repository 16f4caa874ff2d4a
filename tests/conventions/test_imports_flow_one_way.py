"""Which way Python may import, as the house is drawn."""

from pathlib import Path

import pytest

from tests.conventions.project_files import PACKAGES, ROOT, imports, modules, short

STAGES = ("extracts", "warehouse", "releases", "alerts")
SPEAKERS_TO_DAGSTER = ("dagster", "dagster_dbt", "dagster_duckdb")


def _is_of(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _importers(folder: str, forbidden: str) -> list[str]:
    return [
        short(path)
        for path in modules(folder)
        if any(_is_of(module, forbidden) for module, _ in imports(path))
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("assets", "checks"),
        ("assets", "orchestration"),
        ("checks", "orchestration"),
        *((package, "tests") for package in PACKAGES),
        *(
            (f"assets/{earlier}", f"assets.{later}")
            for place, earlier in enumerate(STAGES)
            for later in STAGES[place + 1 :]
        ),
    ],
)
def test_nothing_imports_what_stands_downstream(folder: str, forbidden: str) -> None:
    """Prevents a stage that can only be tested, or understood, with what is made from it."""
    assert _importers(folder, forbidden) == []


@pytest.mark.parametrize("package", SPEAKERS_TO_DAGSTER)
def test_inside_a_stage_only_assets_py_speaks_to_dagster(package: str) -> None:
    """Prevents logic that needs an orchestrator to be tested with three rows."""
    speakers = _importers("assets", package)
    assert [path for path in speakers if Path(path).name != "assets.py"] == []


def test_only_settings_read_the_environment() -> None:
    """Prevents a setting that no list of settings names."""
    readers = [
        short(path)
        for path in modules(*PACKAGES)
        if any(word in path.read_text("utf-8") for word in ("os.environ", "os.getenv"))
    ]
    assert set(readers) <= {"orchestration/settings.py"}


@pytest.mark.parametrize("package", ["great_expectations"])
def test_what_takes_seconds_to_import_is_imported_where_it_is_used(package: str) -> None:
    """Prevents definitions that take ten seconds to load."""
    early = [
        short(path)
        for path in modules(*PACKAGES)
        if any(_is_of(module, package) and at_load for module, at_load in imports(path))
    ]
    assert early == []


def test_the_recomputation_shares_no_code_with_the_product() -> None:
    """Prevents two numbers that agree because they are one mistake."""
    shared = [
        f"{short(path)}: {module}"
        for path in modules("tests/recompute")
        for module, _ in imports(path)
        if any(_is_of(module, package) for package in (*PACKAGES, "duckdb", "dbt"))
    ]
    assert shared == []


def test_every_top_folder_of_python_is_a_package_of_the_wheel() -> None:
    """Prevents a package that is in the checkout and not in what is installed."""
    assert all((ROOT / package / "__init__.py").is_file() for package in PACKAGES)
