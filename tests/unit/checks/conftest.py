"""A build to judge."""

from collections.abc import Iterator

import duckdb
import pytest

from assets.extracts.tables import prepare
from tests.unit.checks.builds_by_hand import HandMade


@pytest.fixture
def hand_made() -> Iterator[HandMade]:
    """An empty build."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build; use build; set TimeZone = 'UTC'")
        prepare(connection)
        yield HandMade(connection)
