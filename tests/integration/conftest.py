"""The compiled project, shared by every test that runs the product's SQL on rows of its own."""

import pytest

from tests.integration.compiled_warehouse import Warehouse, compile_warehouse


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The project as dbt compiles it, once for all tests."""
    return compile_warehouse(tmp_path_factory.mktemp("compiled"))
