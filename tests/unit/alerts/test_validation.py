"""A rule that names what does not exist is refused in one sentence."""

from pathlib import Path

import pytest

from assets.alerts.rule_files import STEPS_FILE, RuleFilesError, read_rules
from assets.alerts.validation import validate_rules
from checks.seeds import find_problems

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
    "rule,sentence,family,severity,metric,scope,operator,threshold,set_values,change,window_days,"
    "recover_at,for_days,keep_firing_days,cooldown_days,on_missing,on_activation,"
    "on_configuration_change,max_share,owner,enabled,what_to_do"
)
RULE = "mrr_fell,MRR is {value}.,,warning,mrr,,below,10,,,1,,1,0,0,keep,fire,,,,true,Call them."
ROUTES_HEADER = "rule,position,channel,target,fallback,is_digest,sends"
WORKFLOWS_HEADER = "workflow,description,rule,trigger,enabled"
CONDITIONS_HEADER = "workflow,attribute,operator,value"
STEPS_HEADER = (
    "workflow,position,action,channel,target,fallback,offset_days,due_in_days,title,"
    "closes_with_alert"
)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A sound seeds folder: one rule, no filter, one route."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    write(folder, "rules", RULES_HEADER, RULE)
    write(folder, "rule_filters", "rule,attribute,operator,value")
    write(folder, "routes", ROUTES_HEADER, "*,1,file,a.jsonl,,,opened")
    (folder / "workflows.csv").write_text(WORKFLOWS_HEADER + "\n", encoding="utf-8")
    (folder / "workflow_conditions.csv").write_text(CONDITIONS_HEADER + "\n", encoding="utf-8")
    (folder / "workflow_actions.csv").write_text(STEPS_HEADER + "\n", encoding="utf-8")
    (folder / "expected_sources.csv").write_text("source,expected_by,on_days\n", encoding="utf-8")
    return folder


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / f"alert_{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def problems(seeds: Path) -> list[str]:
    return [str(found) for found in validate_rules(seeds, METRICS, ATTRIBUTES)]


def test_the_shipped_rules_are_sound() -> None:
    """The first thing that anybody runs is `make demo`, with these."""
    ours = {"alert_rules.csv", "alert_rule_filters.csv", "alert_routes.csv", "workflows.csv"}
    found = find_problems(SEEDS, SEEDS.parent / "models")
    assert [str(each) for each in found if Path(each.file).name in {*ours, STEPS_FILE}] == []
    rules = read_rules(SEEDS)
    assert {workflow.workflow for workflow in rules.workflows} >= {
        "onboarding_check_ins",
        "re_engagement",
        "renewal_preparation",
        "critical_health_escalation",
        "expansion_outreach",
    }
    assert all(rule.what_to_do for rule in rules.rules)
    assert all(rules.routes_of(rule.rule) for rule in rules.rules)


def test_blank_cells_are_defaults(seeds: Path) -> None:
    """A person leaves out what they don't care about; a spreadsheet writes a mark first."""
    blank = "mrr_fell,MRR is {value}.,,warning,mrr,,below,10" + "," * 14
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
            (
                "column operator: 'under' is not right; allowed: 'below', 'above', 'in', 'not_in',"
                " 'changed' or 'reached'."
            ),
        ),
        (
            ",mrr,,",
            ",mr,,",
            "column metric: no metric is named 'mr' (did you mean 'mrr'?); allowed: "
            + ", ".join(sorted(METRICS | {"health_score"}))
            + ".",
        ),
        (
            ",10,,,1,",
            ',"10,5",,,1,',
            (
                "column threshold: '10,5' is not right; allowed: a number, with a point before the"
                " decimals."
            ),
        ),
        (
            ",10,,,1,,",
            ",10,,,1,9,",
            "column recover_at: 9 lies below the threshold; allowed: 10 or more, or nothing.",
        ),
        (
            ",10,,,1,",
            ",,,,1,",
            "column threshold: it is empty; allowed: a value; the cell must not be empty.",
        ),
        (
            "{value}",
            "{mrr}",
            (
                "column sentence: {mrr} is not a placeholder; allowed: {account}, {scope},"
                " {value}, {threshold}, {recover_at}, {for_days}, {window_days}."
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
            "23 cells under 22 columns; allowed: one cell per column, commas quoted.",
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


SCOPED = RULE.replace("MRR is {value}.", "Use of {scope}: {value}.").replace("mrr,,", "{},{},")


@pytest.mark.parametrize(
    ("metric", "scope", "sentence"),
    [
        ("use_count_14d", "modul:Map", "column scope: 'modul:Map' is not right; allowed: module:"),
        ("use_count_14d", "module:Map|feature:", "column scope: 'feature:' is not right"),
        ("use_count_14d", "event:*", "column scope: 'event:*' is not right"),
        ("use_count_14d", "", "column scope: it is empty, and the sentence says {scope}"),
        (
            "mrr",
            "module:Map",
            (
                "column metric: 'mrr' has no value of one module; allowed: use_count_<n>d or"
                " days_used_<n>d, such as use_count_14d."
            ),
        ),
        ("use_count_d", "module:*", "column metric: 'use_count_d' has no value of one module"),
    ],
)
def test_a_scope_is_one_that_a_metric_has(
    seeds: Path, metric: str, scope: str, sentence: str
) -> None:
    """A rule on a module that nobody counts by would be judged for nobody."""
    write(seeds, "rules", RULES_HEADER, SCOPED.format(metric, scope, scope="{scope}", value=""))
    (found,) = problems(seeds)
    assert found.startswith(f"seeds/alert_rules.csv, line 2, {sentence}")


def test_a_word_has_no_scope(seeds: Path) -> None:
    """The tier of a module."""
    word = RULE.replace("mrr,,below,10,,", "tier,module:Map,in,,gold,")
    write(seeds, "rules", RULES_HEADER, word)
    assert problems(seeds) == [
        (
            "seeds/alert_rules.csv, line 2, column scope: 'module:Map' says nothing beside 'in';"
            " allowed: nothing."
        )
    ]


@pytest.mark.parametrize("word", ["tier", "is_expansion_flagged"])
def test_only_a_word_with_a_past_can_change(seeds: Path, word: str) -> None:
    """Of an account's tier only today's is known: the rule would never fire, and nobody knew."""
    changed = RULE.replace("mrr,,below,10,", "{},,changed,,")
    write(seeds, "rules", RULES_HEADER, changed.format(word, value=""))
    (found,) = problems(seeds)
    assert f"what '{word}' was on the days before is not known; allowed: account_status," in found
    write(seeds, "rules", RULES_HEADER, changed.format("renewal_risk_band", value=""))
    assert problems(seeds) == []


@pytest.mark.parametrize("scope", ["module:Map|module:Reports", "module:*"])
def test_alerts_of_several_scopes_can_be_told_apart(seeds: Path, scope: str) -> None:
    """Three mails about one account that read the same."""
    same = SCOPED.format("use_count_7d", scope, scope="it", value="")
    write(seeds, "rules", RULES_HEADER, same)
    assert "makes alerts of one account that read the same" in problems(seeds)[0]


def test_every_module_is_every_one_of_the_catalogue(seeds: Path) -> None:
    """A module that the catalogue gained would be left out until somebody edits the rule."""
    row = SCOPED.format("use_count_7d", "module:*|feature:boards", scope="{scope}", value="")
    write(seeds, "rules", RULES_HEADER, row)
    (seeds / "module_catalogue.csv").write_text(
        "package,module,feature,is_core\np,Reports,r,true\np,Map,m,true\np,Map,n,false\n"
    )
    (rule,) = read_rules(seeds).rules
    assert rule.scopes == ("module:Map", "module:Reports", "feature:boards")
    assert rule.dimensions[1] == '{"module":"Reports"}'
    assert problems(seeds) == []


def test_a_filter_must_name_a_rule_and_an_attribute(seeds: Path) -> None:
    """A filter lost by a typo would send a rule to everybody."""
    filters = [
        "mrr_fel,tier,is,gold", "mrr_fell,teir,is,gold", "mrr_fell,tier,like,g%",
        "mrr_fell,custom.Success plan,is,on hold", "mrr_fell,custom.,is,x",
    ]  # fmt: skip
    write(seeds, "rule_filters", "rule,attribute,operator,value", *filters)
    assert problems(seeds) == [
        (
            "seeds/alert_rule_filters.csv, line 2, column rule: no rule is named 'mrr_fel';"
            " allowed: mrr_fell."
        ),
        (
            "seeds/alert_rule_filters.csv, line 3, column attribute: no attribute is named 'teir'"
            " (did you mean 'tier'?); allowed: account_status, region, tier, custom.NAME."
        ),
        (
            "seeds/alert_rule_filters.csv, line 4, column operator: 'like' is not right;"
            " allowed: 'is', 'is_not', 'in' or 'not_in'."
        ),
        (
            "seeds/alert_rule_filters.csv, line 6, column attribute: no attribute is named"
            " 'custom.'; allowed: account_status, region, tier, custom.NAME."
        ),
    ]
    with pytest.raises(RuleFilesError, match="no rule is named 'mrr_fel'"):
        read_rules(seeds)


@pytest.mark.parametrize("target", ["../../etc/x.jsonl", "/tmp/x.jsonl", "a/b.csv", "x.txt"])  # noqa: S108
def test_a_route_stays_in_the_outbox(seeds: Path, target: str) -> None:
    """A seed must not be able to write anywhere else on the disk."""
    write(seeds, "routes", ROUTES_HEADER, f"*,1,file,{target},,,opened")
    (found,) = problems(seeds)
    assert "a plain file name" in found


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        ("in,,,,1,", "set_values", "'in' has no values to compare with"),
        ("in,10,true,,1,", "threshold", "10 says nothing beside 'in'"),
        ("below,10,true,,1,", "set_values", "'true' says nothing beside 'below'"),
        ("changed,,a|b,,1,", "set_values", "'a|b' says nothing beside 'changed'"),
        ("reached,10,,amount,1,", "change", "'amount' says nothing beside 'reached'"),
        ("below,10,,twice,1,", "change", "allowed: 'amount' or 'percent'"),
        ("below,10,,,0,", "window_days", "'0' is not right"),
    ],
)
def test_a_trigger_says_what_it_needs_and_nothing_else(
    seeds: Path, row: str, column: str, sentence: str
) -> None:
    """A cell that is read by nobody, or one that is missing, is a rule that nobody meant."""
    write(seeds, "rules", RULES_HEADER, RULE.replace("below,10,,,1,", row))
    found = [each for each in problems(seeds) if f"column {column}:" in each]
    assert len(found) == 1
    assert sentence in found[0]


def test_a_word_s_rule_names_a_word_and_a_number_s_a_metric(seeds: Path) -> None:
    """`tier below 10` and `mrr in gold` would be judged for nobody."""
    word = RULE.replace("mrr,,below,10,,,1,", "mrr,,in,,gold,,1,")
    number = RULE.replace("mrr,,below", "tier,,below").replace("mrr_fell", "other")
    write(seeds, "rules", RULES_HEADER, word, number)
    assert "no word is named 'mrr'" in problems(seeds)[0]
    assert "no metric is named 'tier'" in problems(seeds)[1]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("*,1,email,csm,,,opened", "'csm' may be nobody, and nobody would be told"),
        ("*,1,email,csm,email:csm,,opened", "'email:csm' may be nobody, too"),
        ("*,1,email,csm,cs@x.test,,opened", "allowed: channel:target"),
        ("*,1,email,nobody,,,opened", "allowed: an e-mail address, or csm"),
        ("*,1,webhook,https://x.test,,,opened", "whose address is in CSW_RECEIVER_<NAME>_URL"),
        ("*,1,slack,manager,file:a.csv,,opened", "and no role's (csm, account_executive, manager)"),
        ("*,1,sms,x,,,opened", "allowed: 'file', 'webhook', 'slack' or 'email'"),
        ("*,1,file,a.jsonl,,perhaps,opened", "allowed: true or false"),
        ("ops_of_nobody,1,file,a.jsonl,,,opened", "no rule is named 'ops_of_nobody'"),
    ],
)
def test_a_route_that_leads_nowhere_is_refused(seeds: Path, row: str, sentence: str) -> None:
    """It would be found out on the day of the first alert."""
    write(seeds, "routes", ROUTES_HEADER, "mrr_fell,1,file,b.jsonl,,,opened", row)
    assert any(sentence in each for each in problems(seeds))


@pytest.mark.parametrize(
    ("workflow", "step", "sentence"),
    [
        ("w,d,mrr_fel,opened,", "w,1,notify,email,a@b.test,,,,t,", "no rule is named 'mrr_fel'"),
        ("w,d,mrr_fell,closed,", "", "allowed: 'opened' or 'resolved'"),
        ("w,d,mrr_fell,opened,", "v,1,notify,email,a@b.test,,,,t,", "no workflow is named 'v'"),
        ("w,d,mrr_fell,opened,", "", "'w' has no step"),
        ("w,d,mrr_fell,opened,", "w,1,call,email,a@b.test,,,,t,", "'call' is not right"),
        ("w,d,mrr_fell,opened,", "w,1,notify,email,csm,,,,t,", "'csm' may be nobody"),
        ("w,d,mrr_fell,opened,", "w,1,notify,email,a@b.test,,-1,,t,", "'-1' is not right"),
        ("w,d,mrr_fell,opened,", "w,1,webhook,file,a.csv,,,,t,", "'file' is no webhook"),
        ("w,d,mrr_fell,opened,", "w,1,assign_task,file,a.csv,,,,t,", "is not for 'assign_task'"),
        ("w,d,mrr_fell,opened,", "w,1,escalate,email,csm,,,,t,", "allowed: manager."),
        (
            "w,d,mrr_fell,opened,",
            "w,1,notify,email,a@b.test,,,,{acount},",
            "{acount} is not a placeholder; allowed: {account}, {scope}.",
        ),
        (
            "w,d,mrr_fell,opened,",
            "w,1,notify,email,a@b.test,,,,{scope},",
            "'mrr_fell' has no scope that {scope} could say",
        ),
    ],
)
def test_a_workflow_names_only_what_exists(
    seeds: Path, workflow: str, step: str, sentence: str
) -> None:
    """A step lost by a typo is a customer whom nobody calls."""
    (seeds / "workflows.csv").write_text(f"{WORKFLOWS_HEADER}\n{workflow}\n", encoding="utf-8")
    (seeds / STEPS_FILE).write_text(f"{STEPS_HEADER}\n{step}\n", encoding="utf-8")
    assert any(sentence in each for each in problems(seeds)), problems(seeds)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("w,tier,,x", "seeds/workflow_conditions.csv, line 2, column operator:"),
        ("w,tear,is,x", "column attribute: no attribute is named 'tear' (did you mean 'tier'?)"),
        ("v,tier,is,x", "column workflow: no workflow is named 'v'"),
    ],
)
def test_a_workflow_s_condition_names_what_exists(seeds: Path, row: str, sentence: str) -> None:
    """A condition lost by a typo makes a workflow of a few customers one of all."""
    (seeds / "workflows.csv").write_text(f"{WORKFLOWS_HEADER}\nw,d,mrr_fell,opened,\n", "utf-8")
    (seeds / STEPS_FILE).write_text(f"{STEPS_HEADER}\nw,1,notify,email,a@b.test,,,,t,\n", "utf-8")
    (seeds / "workflow_conditions.csv").write_text(f"{CONDITIONS_HEADER}\n{row}\n", "utf-8")
    assert any(sentence in each for each in problems(seeds)), problems(seeds)


def test_a_rule_without_a_route_is_refused(seeds: Path) -> None:
    """Nobody would ever hear of it."""
    write(seeds, "routes", ROUTES_HEADER)
    assert problems(seeds) == [
        (
            "seeds/alert_rules.csv, line 2, column rule: 'mrr_fell' has no route, so nobody would"
            " be told; allowed: a row in alert_routes.csv for the rule or for '*'."
        )
    ]


def test_what_is_repeated_is_refused(seeds: Path) -> None:
    """Two rows of one rule would fight over one memory."""
    write(seeds, "rules", RULES_HEADER, RULE, RULE)
    found = problems(seeds)
    assert [sentence.partition(":")[0] for sentence in found] == [
        "seeds/alert_rules.csv, line 3, column rule",
    ]


def test_a_file_that_is_missing_or_garbled_is_one_sentence(seeds: Path) -> None:
    """The run must end in a sentence, not in a stack trace."""
    (seeds / "alert_rule_filters.csv").unlink()
    (seeds / "alert_rules.csv").write_bytes(RULES_HEADER.encode() + b"\nmrr_f\xe4ll,\n")
    write(seeds, "routes", "rule,position,channel,file,fallback,is_digest,sends")
    assert problems(seeds) == [
        "seeds/alert_rules.csv, line 1: the text is not UTF-8; allowed: a file saved as UTF-8.",
        (
            "seeds/alert_rule_filters.csv, line 1: the file is missing; allowed:"
            " rule,attribute,operator,value."
        ),
        (
            "seeds/alert_routes.csv, line 1: the header is not right (file, target); allowed:"
            " rule,position,channel,target,fallback,is_digest,sends."
        ),
    ]


def test_the_version_changes_with_the_rule_and_with_nothing_else(seeds: Path) -> None:
    """An alert must say which wording of its rule fired."""
    first = read_rules(seeds).rules[0].version
    write(seeds, "routes", ROUTES_HEADER, "*,1,file,b.jsonl,,,resolved")
    assert read_rules(seeds).rules[0].version == first
    write(seeds, "rule_filters", "rule,attribute,operator,value", "mrr_fell,tier,in,gold|silver")
    (rule,) = read_rules(seeds).rules
    assert rule.version != first
    assert rule.filters[0].values == ("gold", "silver")
