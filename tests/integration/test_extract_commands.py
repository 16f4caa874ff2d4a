"""`csw contracts`, `csw profile` and `csw land`, as a data engineer types them."""

from pathlib import Path

import pytest
import yaml

from tests.integration.main_job import bytes_under, csw

ACCOUNTS = "account_id,account_name,created_at\na1,Acme,2024-01-01\n"
HEADER = "ticket_id,account_id,created_at,flag\n"
TICKETS = HEADER + "".join(f"t{n},a1,2024-12-{n % 28 + 1:02},maybe\n" for n in range(150))
USAGE, RED = 2, 1


def profile(*words: str) -> str:
    """A landing's profile under which only these words are flags."""
    how = {"from": "flag", "map": dict.fromkeys(words, "true")}
    tables = {"tickets.tickets": {"columns": {"is_escalated": how}}}
    return yaml.safe_dump({"extends": "canonical", "tables": tables})


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """An account, and 150 tickets with a word that the profile does not know."""
    folder = tmp_path / "landing"
    files = {
        "crm/accounts/a.csv": ACCOUNTS,
        "tickets/tickets/a.csv": TICKETS,
        "tickets/ticktes/b.csv": TICKETS,
        "profile.yml": profile("yes"),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_contracts_are_shown_and_an_unknown_one_is_answered_with_the_names(tmp_path: Path) -> None:
    """A data engineer who has to read YAML to learn a column's name."""
    shown = csw("contracts", "show", "invoices.fx_rates").green().out
    assert "reporting currency" in " ".join(shown.split())
    assert "crm.health_overrides" in csw("contracts", "show").green().out
    wrong = csw("contracts", "show", "invoices.fx")
    assert wrong.code == USAGE
    assert wrong.err.startswith("invoices.fx is no contract table; there are crm.account_links, ")
    assert not list(tmp_path.iterdir())


def test_a_suggested_profile_reads_its_file(tmp_path: Path) -> None:
    """A proposal that does not load is worse than none."""
    folder = tmp_path / "landing"
    folder.mkdir()
    file = folder / "customers.csv"
    file.write_text("Account Id;Company Name;Signup Date\n1;Acme;31/01/2024\n2;Beta;13/02/2024\n")
    said = csw("profile", "suggest", str(file), "--table", "crm.accounts").green().out
    (folder / "profile.yml").write_text(said)
    checked = csw("land", "check", str(folder)).green().out
    assert "crm.accounts" in checked
    assert "rejected" in checked
    assert csw("profile", "suggest", str(tmp_path / "nothing.csv")).code == USAGE


def test_a_landing_is_checked_without_a_trace(landing: Path, tmp_path: Path) -> None:
    """To learn that 150 rows will be rejected one must not have to load them."""
    before = bytes_under(tmp_path)
    checked = csw("land", "check", str(landing), environment={"CSW_HOME": str(tmp_path / "home")})
    assert checked.code == RED
    assert "150 rows, such as tickets/tickets/a.csv, line 2: is_escalated 'maybe'" in checked.out
    assert "not read tickets/ticktes/b.csv" in checked.out
    assert "too many rejects" in checked.out
    assert bytes_under(tmp_path) == before


@pytest.mark.parametrize("typed", [("land", "reload", "--rejected"), ("quarantine", "retry")])
def test_there_is_nothing_to_reload_before_a_run(
    landing: Path, tmp_path: Path, typed: tuple[str, ...]
) -> None:
    """A traceback, or an empty home made on the way."""
    home = tmp_path / "home"
    early = csw(*typed, "--home", str(home), "--landing", str(landing))
    assert (early.code, early.err.count("\n")) == (USAGE, 1)
