"""`csw alerts`: what is open, what is done about it, and what rules would have done."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.markup import escape
from rich.table import Table

from assets.alerts import audit
from assets.alerts.activation import activation_days
from assets.alerts.ledger import LedgerError, create_ledger
from assets.alerts.ledger_tables import actions, alert_events
from assets.alerts.linting import lint
from assets.alerts.open_alerts import OpenAlert, open_alerts
from assets.alerts.people import Act, ActionRefusedError, Asked, find_alert, take_action
from assets.alerts.replay import Replay, ReplayError, last_day, performance, replay
from assets.alerts.rule_files import RuleFilesError, read_rules
from assets.alerts.rules import RuleSet
from assets.alerts.scopes import scope_of_dimensions
from assets.alerts.workflow_tables import alert_tasks
from orchestration.settings import Settings
from orchestration.terminal import (
    EXIT_CODE_RED,
    EXIT_CODE_USAGE,
    Home,
    console,
    settings_of,
    stop,
)

alerts_app = typer.Typer(
    help="What is open, what is done about it, and what rules would have done.",
    no_args_is_help=True,
)

AlertId = Annotated[str, typer.Argument(help="The alert's id, or its beginning.", metavar="ALERT")]
By = Annotated[str, typer.Option(help="Who does it; it stands in the audit log.")]
Why = Annotated[str, typer.Option(help="Why; it stands in the audit log.")]
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]

_STYLES = {"critical": "red", "warning": "yellow", "info": "blue"}


@alerts_app.command("list")
def list_alerts(
    home: Home = None,
    rule: Annotated[str | None, typer.Option(help="Of one rule.")] = None,
    account: Annotated[str | None, typer.Option(help="Of one account.")] = None,
) -> None:
    """The alerts that are not resolved: severest first, then the oldest."""
    with _ledger(settings_of(home=home)) as engine:
        found = [
            alert
            for alert in open_alerts(engine)
            if rule in (None, alert.rule) and account in (None, alert.account_id)
        ]
    table = Table("alert", "severity", "status", "since", "account", "what", box=None)
    for alert in found:
        table.add_row(*_cells(alert))
    console.print(table if found else "[green]No alert is open.")


@alerts_app.command()
def show(alert: AlertId, home: Home = None) -> None:
    """One alert with all that became of it, what was told and what is to be done."""
    with _ledger(settings_of(home=home)) as engine, engine.connect() as ledger:
        try:
            found = find_alert(ledger, alert)
        except ActionRefusedError as error:
            stop(str(error), EXIT_CODE_USAGE)
        of_alert = {
            table.name: [
                dict(row)
                for row in ledger.execute(
                    sa.select(table).where(table.c.alert_id == found["alert_id"]).order_by(order)
                ).mappings()
            ]
            for table, order in (
                (alert_events, alert_events.c.ordinal),
                (actions, actions.c.number),
                (alert_tasks, alert_tasks.c.created_on),
            )
        }
    _print_alert(found, of_alert)


@alerts_app.command()
def ack(alert: AlertId, by: By, why: Why, home: Home = None) -> None:
    """Say that somebody has it; it is resolved when its account recovers."""
    _act(home, Asked(act="acknowledged", alert_id=alert, who=by, why=why, at=_now()))


@alerts_app.command()
def snooze(alert: AlertId, until: Day, by: By, why: Why, home: Home = None) -> None:
    """Put it off until a data day, on which it is told again if it is still open."""
    asked = Asked(act="snoozed", alert_id=alert, who=by, why=why, until=until.date(), at=_now())
    _act(home, asked)


@alerts_app.command()
def resolve(alert: AlertId, by: By, why: Why, home: Home = None) -> None:
    """End it; its rule stays silent about the account until that has recovered once."""
    _act(home, Asked(act="resolved", alert_id=alert, who=by, why=why, at=_now()))


@alerts_app.command()
def verify(home: Home = None) -> None:
    """Follow the audit log's chain of hashes: nobody has changed a row."""
    with _ledger(settings_of(home=home)) as engine, engine.connect() as ledger:
        count, broken = audit.verify(ledger)
    if broken is not None:
        stop(f"The audit log is broken at row {broken}: it, or one before it, was changed.", 1)
    console.print(f"[green]✓[/] {count:,} rows, each with the hash of the one before")


@alerts_app.command("replay")
def replay_rule(
    rule: Annotated[str, typer.Option(help="The rule.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"])],
    what_if: Annotated[
        Path | None, typer.Option(help="An edited alert_rules.csv to compare with.")
    ] = None,
    home: Home = None,
) -> None:
    """What a rule would have fired over past days, how long and how rightly; nothing is sent."""
    settings = settings_of(home=home)
    days = (first.date(), last.date())
    with _refusals():
        rules = read_rules(settings.seeds)
        _print_replay("as it stands", _replayed(settings, rules, rule, days), rule)
        if what_if:
            edited = read_rules(settings.seeds, what_if)
            _print_replay(str(what_if), _replayed(settings, edited, rule, days), rule)


@alerts_app.command("lint")
def lint_rules(
    days: Annotated[int, typer.Option(help="Over how many days.", min=1)] = 90,
    home: Home = None,
) -> None:
    """Rules that fire for everybody, for nobody, or on and off; exit code 1 if there are any."""
    settings = settings_of(home=home)
    ends = last_day(settings.releases)
    if ends is None:
        stop("There is no release to look at; run csw run first.", EXIT_CODE_USAGE)
    with _refusals():
        rules = read_rules(settings.seeds)
        replayed = replay(settings.releases, rules, ends - timedelta(days=days - 1), ends)
    found = lint(list(rules.enabled), replayed)
    for each in found:
        console.print(f"[yellow]![/] [bold]{each.rule}[/] {escape(each.sentence)}", soft_wrap=True)
    if found:
        raise typer.Exit(EXIT_CODE_RED)
    console.print(f"[green]✓[/] {len(rules.enabled)} rules over {days} days")


def _replayed(settings: Settings, rules: RuleSet, name: str, days: tuple[date, date]) -> Replay:
    """A rule with the others of its family, without which it would fire for more."""
    wanted = next((rule for rule in rules.rules if rule.rule == name), None)
    if wanted is None:
        names = ", ".join(rule.rule for rule in rules.rules)
        stop(f"No rule is named {name}; there are {names}.", EXIT_CODE_USAGE)
    # One that is switched off is asked about before it is switched on.
    asked = [wanted.model_copy(update={"enabled": True})]
    others = (rule for rule in rules.enabled if rule.rule != name)
    asked += [rule for rule in others if rule.family_name == wanted.family_name]
    family = tuple(sorted(asked, key=lambda rule: rule.rule))
    with _ledger(settings) as engine, engine.connect() as ledger:
        begun = activation_days(ledger)
    return replay(settings.releases, RuleSet(rules=family, routes=()), *days, begun)


def _print_replay(title: str, replayed: Replay, rule: str) -> None:
    found = replayed.of(rule)
    summed = performance(found, replayed.last)
    table = Table("account", "opened", "resolved", "how", "churned", "what", box=None)
    for alert in found:
        table.add_row(
            escape(alert.account_id),
            str(alert.opened_on),
            str(alert.resolved_on or ""),
            alert.resolved_how or "open",
            str(alert.lost_on or ""),
            escape(alert.sentence),
        )
    console.print(f"[bold]{rule}[/] {title}, {replayed.first} to {replayed.last}")
    console.print(table)
    mean = f"{summed.mean_days_open:.1f}" if summed.mean_days_open is not None else "no"
    precision = f"{summed.precision:.0%}" if summed.precision is not None else "not known yet"
    console.print(
        f"{summed.alerts} alerts for {summed.accounts} of {replayed.customers} customers, "
        f"{summed.still_open} still open, {mean} days open on average; precision {precision} "
        f"({summed.lost} of {summed.outcomes} churned within 90 days)"
    )
    for held in replayed.held:
        console.print(f"[yellow]held[/] on {held.day}: {held.would_fire} accounts")


def _act(home: Path | None, asked: Asked) -> None:
    act: Act = asked.act
    settings = settings_of(home=home)
    with _refusals():
        rules = read_rules(settings.seeds).rules if act == "resolved" else ()
    with _ledger(settings) as engine:
        try:
            alert_id = take_action(engine, asked, [rule.rule for rule in rules if rule.is_once])
        except ActionRefusedError as error:
            stop(str(error), EXIT_CODE_USAGE)
    console.print(f"[green]✓[/] {alert_id[:8]} {act} by {escape(asked.who)}")


def _cells(alert: OpenAlert) -> tuple[str, ...]:
    style = _STYLES.get(alert.severity, "")
    return (
        alert.alert_id[:8],
        f"[{style}]{alert.severity}[/]",
        alert.status,
        alert.opened_on.isoformat(),
        escape(alert.account_id),
        escape(alert.sentence),
    )


def _print_alert(found: dict[str, Any], of_alert: dict[str, list[dict[str, Any]]]) -> None:
    console.print(f"[bold]{escape(found['sentence'])}[/]")
    facts = ("alert_id", "rule", "rule_version", "severity", "status", "account_id", "metric")
    found = {**found, "scope": scope_of_dimensions(found["dimensions"])}
    for name in (*facts, "scope", "value", "value_text", "threshold", "last_value", "held_since"):
        if found[name] is not None:
            console.print(f"  {name}: {escape(str(found[name]))}")
    events = Table("day", "what", "by", "why", box=None, title="History", title_justify="left")
    for event in of_alert["alert_events"]:
        detail = event["detail"]
        by = detail.get("actor", "evaluation")
        events.add_row(
            str(event["on_day"]), event["transition"], escape(by), escape(detail["reason"])
        )
    console.print(events)
    told = Table("route", "channel", "state", "tries", "error", box=None, title="Told")
    for action in of_alert["actions"]:
        told.add_row(
            action["route"],
            action["channel"],
            action["state"],
            str(action["attempts"]),
            escape(action["last_error"] or ""),
        )
    console.print(told)
    for task in of_alert["alert_tasks"]:
        state = task["closed_how"] or f"due {task['due_on']}"
        console.print(f"  task: {escape(task['title'])} ({task['assignee_id']}, {state})")


@contextmanager
def _ledger(settings: Settings) -> Iterator[sa.Engine]:
    try:
        engine = create_ledger(settings.ledger)
    except LedgerError as error:
        stop(str(error), EXIT_CODE_RED)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (ReplayError, RuleFilesError) as error:
        stop(str(error), EXIT_CODE_USAGE)


def _now() -> datetime:
    return datetime.now(UTC)
