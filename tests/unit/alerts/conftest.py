"""A ledger, a folder for releases, and a way to name rules in a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from assets.alerts.ledger import create_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = create_ledger(f"sqlite:///{tmp_path / 'ledger' / 'ledger.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    folder = tmp_path / "releases"
    folder.mkdir()
    return folder
