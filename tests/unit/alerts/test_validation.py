"""A rule that names what does not exist is refused in one sentence."""

from pathlib import Path

import pytest

from assets.alerts.rule_files import RuleFilesError, read_rules
from assets.alerts.validation import validate_rules

SEEDS = Path(__file__).parents[3] / "seeds"
METRICS = {
    "mrr",
    "registered_users_30d",
    "mau",
    "active_user_ratio",
    "active_days_30d",
    "use_count_30d",
    "use_count_prior_30d",
    "use_count_change_ratio",
    "modules_used_30d",
    "days_since_last_activity",
    "open_tickets",
}
ATTRIBUTES = {"tier", "region"}

RULES_HEADER = (
    "rule,sentence,family,severity,metric,operator,threshold,recover_at,for_days,"
    "cooldown_days,on_missing,on_activation,enabled,what_to_do"
)
RULE = "mrr_fell,MRR is {value}.,,warning,mrr,below,10,,1,0,keep,fire,true,Call them."


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A sound seeds folder: one rule, no filter, one route."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    write(folder, "rules", RULES_HEADER, RULE)
    write(folder, "rule_filters", "rule,attribute,operator,value")
    write(folder, "routes", "rule,position,channel,target,sends", "*,1,file,a.jsonl,opened")
    return folder


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / f"alert_{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def problems(seeds: Path) -> list[str]:
    return [str(found) for found in validate_rules(seeds, METRICS, ATTRIBUTES)]


def test_the_shipped_rules_are_sound() -> None:
    """The first thing that anybody runs is `make demo`, with these."""
    assert problems(SEEDS) == []
    rules = read_rules(SEEDS)
    assert len(rules.rules) == 9
    assert all(rule.what_to_do for rule in rules.rules)
    assert all(rules.routes_of(rule.rule) for rule in rules.rules)


def test_blank_cells_are_defaults(seeds: Path) -> None:
    """A person leaves out what they don't care about; a spreadsheet writes a mark first."""
    blank = "mrr_fell,MRR is {value}.,,warning,mrr,below,10,,,,,,,"
    (seeds / "alert_rules.csv").write_bytes(f"\ufeff{RULES_HEADER}\r\n{blank}\r\n\r\n".encode())
    (rule,) = read_rules(seeds).rules
    assert (rule.recovers_at, rule.for_days, rule.cooldown_days) == (10, 1, 0)
    assert (rule.on_missing, rule.on_activation, rule.enabled) == ("keep", "fire", True)
    assert rule.family_name == "mrr_fell"


@pytest.mark.parametrize(
    ("wrong", "right", "sentence"),
    [
        (
            ",warning,",
            ",urgent,",
            "column severity: 'urgent' is not right; allowed: 'info', 'warning' or 'critical'.",
        ),
        (
            ",below,",
            ",under,",
            "column operator: 'under' is not right; allowed: 'below' or 'above'.",
        ),
        (
            ",mrr,",
            ",mr,",
            "column metric: no metric is named 'mr' (did you mean 'mrr'?); allowed: "
            + ", ".join(sorted(METRICS | {"health_score"}))
            + ".",
        ),
        (
            ",10,,",
            ',"10,5",,',
            (
                "column threshold: '10,5' is not right; allowed: a number, with a point before the"
                " decimals."
            ),
        ),
        (
            ",10,,",
            ",10,9,",
            "column recover_at: 9 lies below the threshold; allowed: 10 or more, or nothing.",
        ),
        (
            ",10,,",
            ",,,",
            "column threshold: it is empty; allowed: a value; the cell must not be empty.",
        ),
        (
            "{value}",
            "{mrr}",
            (
                "column sentence: {mrr} is not a placeholder; allowed: {account}, {value},"
                " {threshold}, {recover_at}, {for_days}."
            ),
        ),
        (
            ",keep,",
            ",ignore,",
            "column on_missing: 'ignore' is not right; allowed: 'keep', 'resolve' or 'alert'.",
        ),
        (
            "Call them.",
            "Call them, now.",
            "15 cells under 14 columns; allowed: one cell per column, commas quoted.",
        ),
    ],
)
def test_a_wrong_cell_is_named_with_what_is_allowed(
    seeds: Path, wrong: str, right: str, sentence: str
) -> None:
    """A person who edits a CSV needs the line, the column and the allowed words, nothing else."""
    write(seeds, "rules", RULES_HEADER, RULE.replace(wrong, right))
    (found,) = problems(seeds)
    assert found.startswith("seeds/alert_rules.csv, line 2")
    assert found.removeprefix("seeds/alert_rules.csv, line 2").lstrip(",: ") == sentence


def test_a_filter_must_name_a_rule_and_an_attribute(seeds: Path) -> None:
    """A filter lost by a typo would send a rule to everybody."""
    filters = ["mrr_fel,tier,is,gold", "mrr_fell,teir,is,gold", "mrr_fell,tier,like,g%"]
    write(seeds, "rule_filters", "rule,attribute,operator,value", *filters)
    assert problems(seeds) == [
        (
            "seeds/alert_rule_filters.csv, line 2, column rule: no rule is named 'mrr_fel';"
            " allowed: mrr_fell."
        ),
        (
            "seeds/alert_rule_filters.csv, line 3, column attribute: no attribute is named 'teir'"
            " (did you mean 'tier'?); allowed: account_status, region, tier."
        ),
        (
            "seeds/alert_rule_filters.csv, line 4, column operator: 'like' is not right;"
            " allowed: 'is', 'is_not', 'in' or 'not_in'."
        ),
    ]
    with pytest.raises(RuleFilesError, match="no rule is named 'mrr_fel'"):
        read_rules(seeds)


@pytest.mark.parametrize("target", ["../../etc/x.jsonl", "/tmp/x.jsonl", "a/b.jsonl", "x.csv"])  # noqa: S108
def test_a_route_stays_in_the_outbox(seeds: Path, target: str) -> None:
    """A seed must not be able to write anywhere else on the disk."""
    header = "rule,position,channel,target,sends"
    write(seeds, "routes", header, f"*,1,file,{target},opened")
    (found,) = problems(seeds)
    assert "a plain file name" in found


def test_a_rule_without_a_route_is_refused(seeds: Path) -> None:
    """Nobody would ever hear of it."""
    write(seeds, "routes", "rule,position,channel,target,sends")
    assert problems(seeds) == [
        (
            "seeds/alert_rules.csv, line 2, column rule: 'mrr_fell' has no route, so nobody would"
            " be told; allowed: a row in alert_routes.csv for the rule or for '*'."
        )
    ]


def test_what_is_repeated_is_refused_on_each_line(seeds: Path) -> None:
    """Two rows of one rule would fight over one memory."""
    write(seeds, "rules", RULES_HEADER, RULE, RULE)
    found = problems(seeds)
    assert [sentence.partition(":")[0] for sentence in found] == [
        "seeds/alert_rules.csv, line 2, column rule",
        "seeds/alert_rules.csv, line 3, column rule",
    ]


def test_a_file_that_is_missing_or_garbled_is_one_sentence(seeds: Path) -> None:
    """The run must end in a sentence, not in a stack trace."""
    (seeds / "alert_rule_filters.csv").unlink()
    (seeds / "alert_rules.csv").write_bytes(RULES_HEADER.encode() + b"\nmrr_f\xe4ll,\n")
    write(seeds, "routes", "rule,position,channel,file,sends")
    assert problems(seeds) == [
        "seeds/alert_rules.csv, line 1: the text is not UTF-8; allowed: a file saved as UTF-8.",
        (
            "seeds/alert_rule_filters.csv, line 1: the file is missing; allowed:"
            " rule,attribute,operator,value."
        ),
        (
            "seeds/alert_routes.csv, line 1: the header is not right (file, target); allowed:"
            " rule,position,channel,target,sends."
        ),
    ]


def test_the_version_changes_with_the_rule_and_with_nothing_else(seeds: Path) -> None:
    """An alert must say which wording of its rule fired."""
    first = read_rules(seeds).rules[0].version
    write(seeds, "routes", "rule,position,channel,target,sends", "*,1,file,b.jsonl,resolved")
    assert read_rules(seeds).rules[0].version == first
    write(seeds, "rule_filters", "rule,attribute,operator,value", "mrr_fell,tier,in,gold|silver")
    (rule,) = read_rules(seeds).rules
    assert rule.version != first
    assert rule.filters[0].values == ("gold", "silver")
