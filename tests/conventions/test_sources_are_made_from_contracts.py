"""dbt's source files are made from the contracts, never by hand."""

from pathlib import Path

import pytest

from assets.extracts.dbt_sources import STAGING, source_files


@pytest.mark.parametrize(
    "file", source_files(), ids=lambda file: file.relative_to(STAGING).as_posix()
)
def test_sources_are_made_from_contracts(file: Path) -> None:
    """A second, hand-written copy of a column list that drifts from the first."""
    assert file.read_text(encoding="utf-8") == source_files()[file], (
        "run python -m assets.extracts.dbt_sources"
    )
