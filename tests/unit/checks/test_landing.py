"""Files that nobody reads are told by folder."""

from pathlib import Path

from assets.extracts.landing import open_landing
from assets.extracts.profiles import load_profile
from checks.findings import Said
from checks.landing import find_unclaimed


def found(landing: Path, *paths: str) -> Said:
    for path in paths:
        (landing / path).parent.mkdir(parents=True, exist_ok=True)
        (landing / path).write_text("a\n1\n")
    return find_unclaimed(open_landing(landing), load_profile("canonical"))


def test_files_that_belong_to_no_table_are_told_by_folder(tmp_path: Path) -> None:
    """A year of tickets in a folder named `ticket`: zeros in every mart, and no word about it."""
    said = found(
        tmp_path,
        "tickets/ticket/dt=2025-01-01/t.csv",
        "tickets/ticket/dt=2025-01-02/t.csv",
        "crm/accounts/a.csv",
        "notes.txt",
    )
    assert not said.passed
    assert said.sentence == (
        "3 files in 2 folders belong to no table of profile canonical: tickets/ticket/ (2), ./ (1);"
        " move them, or name them in the profile"
    )


def test_files_of_tables_and_the_profile_itself_are_claimed(tmp_path: Path) -> None:
    """A warning about every landing that has a profile of its own."""
    assert found(
        tmp_path,
        "profile.yml",
        "crm/accounts/dt=2025-01-01/a.csv.gz",
        "invoices/fx_rates/rates.parquet",
    ).passed
