"""dbt's source files and the data dictionary are made from the contracts, never by hand."""

from pathlib import Path

import pytest

from assets.extracts.made_files import made_files
from tests.conventions.project_files import short


@pytest.mark.parametrize("file", made_files(), ids=short)
def test_files_are_made_from_contracts(file: Path) -> None:
    """A second, hand-written copy of a column list that drifts from the first."""
    assert file.read_text(encoding="utf-8") == made_files()[file], (
        "run python -m assets.extracts.made_files"
    )
