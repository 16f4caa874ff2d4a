"""Rows that say themselves that their key is gone."""

from typing import Any

from assets.extracts.profiles import Profile, load_profile

HEADER = "account_id,account_name,created_at,updated_at,is_deleted\n"


def profile_in(bench: Any, more: str = "") -> Profile:
    file = bench.landing / "profile.yml"
    said = f"{{deleted: is_deleted{more}}}"
    file.write_text(f"extends: canonical\ntables: {{crm.accounts: {said}}}\n")
    return load_profile(file)


def versions(bench: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = bench.rows(
        "select account_id, _is_deleted, _version_at::date::varchar, _row > 0 from crm.accounts "
        "order by 1, _version_at nulls first, _load_order, _row"
    )
    return found


def test_a_deleted_row_is_a_tombstone_with_an_instant_and_is_counted(bench: Any) -> None:
    """Without an instant it would sort before the living row, which would live for ever."""
    profile = profile_in(bench)
    text = HEADER + "a1,A,2024-01-01,2024-03-01,false\na1,A,2024-01-01,2024-04-01,true\n"
    text += "a2,B,2024-01-01,,true\n"
    bench.write("crm/accounts/dt=2024-05-01/a.csv", text)
    load = bench.load("crm.accounts", profile=profile)
    assert (load.rows_read, load.rows_loaded) == (3, 3)
    assert versions(bench) == [
        ("a1", False, "2024-03-01", True),
        ("a1", True, "2024-04-01", True),
        ("a2", True, "2024-05-02", True),
    ]


def test_a_full_extract_keeps_what_was_delivered_as_deleted(bench: Any) -> None:
    """What the loader concludes is made anew on each load; what a file said is not."""
    profile = profile_in(bench, ", mode: full")
    both = HEADER + "a1,A,2024-01-01,,false\na2,B,2024-01-01,,true\na3,C,2024-01-01,,false\n"
    bench.write("crm/accounts/dt=2024-05-01/a.csv", both)
    bench.load("crm.accounts", profile=profile)
    bench.write("crm/accounts/dt=2024-05-02/a.csv", both.replace("a3,C,2024-01-01,,false\n", ""))
    load = bench.load("crm.accounts", profile=profile)
    assert (load.rows_read, load.rows_loaded) == (2, 2)
    assert versions(bench) == [
        ("a1", False, "2024-05-02", True),
        ("a1", False, "2024-05-03", True),
        ("a2", True, "2024-05-02", True),
        ("a2", True, "2024-05-03", True),
        ("a3", False, "2024-05-02", True),
        ("a3", True, "2024-05-03", False),
    ]
