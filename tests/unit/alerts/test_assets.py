"""What the Dagster UI shows of an evaluation, and of what a person must see to."""

from datetime import timedelta
from pathlib import Path

import dagster as dg

from assets.alerts.assets import DELIVERY_KEY, EVALUATION_KEY, AlertOptions, build_alert_assets
from assets.alerts.delivery import TRIES
from assets.alerts.filters import RuleFilter, WorkflowCondition
from assets.alerts.receivers import Route
from assets.alerts.rules import Rule
from assets.alerts.telling import Receivers
from assets.alerts.workflow_rules import Workflow, WorkflowStep
from assets.seed_files import SeedRow, columns_of
from assets.warehouse.usage_files import CatalogueFeature
from checks.alerts import build_alert_checks
from tests.unit.alerts.releases_by_hand import RECORDED_AT, Day, Use, march, publish

RULES = (
    "module_went_unused,{account} left {scope}.,,info,use_count_7d,module:Map|module:Reports,below,"
    "5,,,1,,1,0,7,keep,fire,,1,,true,Ask.\n"
    "health_fell,It fell.,,warning,health_score,,below,50,,,1,,1,0,0,keep,fire,,0.01,,true,Ask.\n"
)
ROUTES = "*,1,email,csm,slack:team,,\n"
SEEDS: dict[str, tuple[type[SeedRow], str]] = {
    "alert_rules": (Rule, RULES),
    "alert_rule_filters": (RuleFilter, ""),
    "alert_routes": (Route, ROUTES),
    "workflows": (Workflow, ""),
    "workflow_conditions": (WorkflowCondition, ""),
    "workflow_actions": (WorkflowStep, ""),
    "module_catalogue": (CatalogueFeature, ""),
}


def options(folder: Path, *, days_later: int = 0) -> AlertOptions:
    """A house with two rules, whose mails and Slack messages nobody takes."""
    seeds = folder / "seeds"
    seeds.mkdir(exist_ok=True)
    for name, (row, text) in SEEDS.items():
        header = ",".join(columns_of(row))
        (seeds / f"{name}.csv").write_text(f"{header}\n{text}", encoding="utf-8")
    return AlertOptions(
        releases=folder / "releases",
        seeds=seeds,
        ledger_url=f"sqlite:///{folder}/ledger.sqlite",
        receivers=Receivers(outbox=folder / "outbox"),
        as_of=lambda _: RECORDED_AT,
        now=lambda: RECORDED_AT + timedelta(days=days_later),
        look_after=lambda _: 0,
    )


def publish_three_days(folder: Path) -> None:
    """Account a leaves Map, comes back for a day and leaves it again; 40 others fall at once."""
    uses = [Use(account="a", day=march(n), scope=s, count=c) for n in (1, 2, 3)
            for s, c in (("module:Map", (4, 9, 4)[n - 1]), ("module:Reports", 9))]  # fmt: skip
    for n in (1, 2, 3):
        days = [Day(account="a", day=march(n), health=80)]
        days += [Day(account=f"b{m:02}", day=march(n), health=20 if n > 2 else 80)
                 for m in range(40)]  # fmt: skip
        publish(folder / "releases", n, march(n), days, uses=uses)


def rows(found: dg.MetadataValue) -> list[dict[str, object]]:
    assert isinstance(found, dg.TableMetadataValue)
    return [dict(record.data) for record in found.records]


def test_an_evaluation_shows_what_opened_was_resolved_and_was_held_back_and_why(
    tmp_path: Path,
) -> None:
    """A number of alerts, and nobody can see which, for whom, about what, or what was not told."""
    publish_three_days(tmp_path)
    evaluation, _ = build_alert_assets(options(tmp_path), dg.AssetKey("release"))
    shown = evaluation().metadata
    counts = {name: shown[name].value for name in ("opened", "resolved", "suppressed", "open_now")}
    assert counts == {"opened": 1, "resolved": 1, "suppressed": 1, "open_now": 0}
    table = rows(shown["transitions"])
    assert [(row["transition"], row["account"], row["scope"]) for row in table] == [
        ("opened", "Account a", "module:Map"),
        ("resolved", "Account a", "module:Map"),
        ("suppressed", "Account a", "module:Map"),
    ]
    assert table[0]["why"] == "use_count_7d of module Map is 4, below 5"
    assert "can fire again from 2025-03-08 on" in str(table[2]["why"])
    assert shown["held"].value == ["health_fell on 2025-03-03: 40 accounts, at most 10"]


def test_what_a_person_must_see_to_is_a_failing_check_with_a_table(tmp_path: Path) -> None:
    """A rule that was held, a message that was given up: green, and found out by accident."""
    publish_three_days(tmp_path)
    for day in range(TRIES):
        for made in build_alert_assets(options(tmp_path, days_later=day), dg.AssetKey("release")):
            made()
    url = options(tmp_path).ledger_url
    results = {
        next(iter(check.check_keys)).name: check()
        for check in build_alert_checks(url, EVALUATION_KEY, DELIVERY_KEY)
    }
    assert {name: found.passed for name, found in results.items()} == {
        "leaves_no_dead_letter": False,
        "holds_no_rule": False,
        "finds_every_owner": True,
    }
    (held,) = rows(results["holds_no_rule"].metadata["failing_rows"])
    assert (held["rule"], held["would_fire"], held["most"]) == ("health_fell", "40", "10")
    letters = rows(results["leaves_no_dead_letter"].metadata["failing_rows"])
    assert {letter["last_error"] for letter in letters} == {
        "the mail server: CSW_SMTP_URL is not set",
        "team: CSW_RECEIVER_TEAM_URL is not set",
    }
    assert len(letters) == results["leaves_no_dead_letter"].metadata["rows_failed"].value
