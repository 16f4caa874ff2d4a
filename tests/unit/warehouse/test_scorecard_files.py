"""The layout of an account's page, and what is refused in it."""

from pathlib import Path

import pytest
import yaml

from assets.seed_files import read_rows
from assets.warehouse.scorecard_files import LAYOUT_FILE, ScorecardField, find_scorecard_problems

ROOT = Path(__file__).parents[3]
HEADER = "section,position,kind,name,label\n"
COLUMNS = {"mrr", "tier"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        pytest.param("money,1,metric,mrr,MRR\nhead,1,attribute,tier,Tier\n", [], id="sound"),
        pytest.param(
            "money,1,metric,mrrr,MRR\n",
            ["line 2, column name: account_scorecard has no metric 'mrrr'; allowed: mrr."],
            id="a name that there is not",
        ),
        pytest.param(
            "money,1,metric,tier,Tier\n",
            ["line 2, column name: account_scorecard has no metric 'tier'; allowed: mrr."],
            id="an attribute is no metric",
        ),
        pytest.param(
            "money,1,metric,mrr,MRR\nmoney,1,attribute,tier,Tier\n",
            ["line 3, column position: place 1 of section 'money' is that of line 2"],
            id="two fields on one place",
        ),
        pytest.param("money,0,metric,mrr,MRR\n", ["line 2, column position"], id="no place"),
        pytest.param("money,1,number,mrr,MRR\n", ["line 2, column kind"], id="no kind"),
    ],
)
def test_what_is_wrong_in_the_layout_is_said(tmp_path: Path, rows: str, told: list[str]) -> None:
    """Prevents a page with a field that is empty for ever, or two fields one over the other."""
    (tmp_path / LAYOUT_FILE).write_text(HEADER + rows)
    found = [str(problem) for problem in find_scorecard_problems(tmp_path, COLUMNS, {"mrr"})]
    assert len(found) == len(told)
    assert all(words in problem for words, problem in zip(told, found, strict=True))


def test_every_column_of_the_scorecard_has_its_place() -> None:
    """Prevents a column that no page ever shows, since nobody put it into the shipped layout."""
    mart = ROOT / "models" / "marts" / "accounts" / "account_scorecard.yml"
    columns = [c["name"] for c in yaml.safe_load(mart.read_text("utf-8"))["models"][0]["columns"]]
    fields = [found.row for found in read_rows(ROOT / "seeds" / LAYOUT_FILE, ScorecardField, [])]
    assert sorted(field.name for field in fields) == sorted(columns)
