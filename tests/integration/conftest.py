"""The compiled and the parsed project, shared by every test that needs one."""

import fcntl
from pathlib import Path

import pytest

from tests.integration import main_job
from tests.integration.compiled_warehouse import Warehouse, compile_warehouse, read_warehouse

# The longest, so that nobody is alone with one at the end. While one worker makes the first day,
# the other does what needs nothing of it; then it finds the day, and the parsed project, made.
FIRST = ("test_main_job", "test_dbt_unit_tests", "test_killed_runs")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first; all others keep their order."""
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(FIRST)))


@pytest.fixture(scope="session")
def of_all_workers(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """A folder of this call of pytest, whatever worker asks for it."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base


@pytest.fixture(scope="session")
def warehouse(of_all_workers: Path) -> Warehouse:
    """The project as dbt compiles it, once for all tests."""
    folder = of_all_workers / "compiled"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".done").exists():
            compile_warehouse(folder)
            (folder / ".done").touch()
    return read_warehouse(folder)


@pytest.fixture(scope="session", autouse=True)
def _parsed(of_all_workers: Path) -> None:
    """Where the first home to be built leaves what dbt made of our files, for the others."""
    main_job.parsed_in(of_all_workers / "parsed")


@pytest.fixture(scope="session")
def first_day(of_all_workers: Path) -> main_job.FirstDay:
    """The first day of a warehouse, run once for all tests."""
    return main_job.first_day(of_all_workers / "first_day")
