"""`csw status`: how things stand, in an exit code and a screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import typer
from rich.markup import escape
from rich.table import Table

from assets.alerts import operations
from assets.alerts.check_history import CheckOutcome, CheckWords, read_words
from assets.alerts.ledger import LedgerError, create_ledger
from assets.alerts.operations import RunOutcome
from assets.alerts.to_see_to import find_dead_letters, find_held_rules
from assets.releases import folders
from orchestration.lateness import deadline_of, find_late_sources
from orchestration.settings import Settings
from orchestration.terminal import Home, console, settings_of

LOOK, BROKEN = 1, 2
_SHOWN = 20
_PARENTS = "has_its_parents"
_STYLES = {0: "green", LOOK: "yellow", BROKEN: "red"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the status: how bad it is (0, 1, 2), what it is about and how it stands."""

    level: int
    name: str
    said: str


def status(home: Home = None) -> None:
    """Exit code 0: all is well; 1: something to look at; 2: no release, a red run or a late one."""
    settings = settings_of(home=home)
    lines = read_status(settings, now=datetime.now(UTC))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for line in lines:
        mark = "✓" if line.level == 0 else "!" if line.level == LOOK else "✗"
        table.add_row(f"[{_STYLES[line.level]}]{mark}", f"[bold]{line.name}", escape(line.said))
    console.print(table)
    for said in read_reds(settings) if lines[0].name != "ledger" else ():
        console.print(f"\n{escape(said)}", soft_wrap=True)
    raise typer.Exit(max(line.level for line in lines))


def read_status(settings: Settings, *, now: datetime) -> list[Line]:
    """The lines of the status, as of an instant of the clock."""
    try:
        engine = create_ledger(settings.ledger)
    except LedgerError as error:
        return [Line(level=BROKEN, name="ledger", said=str(error))]
    runs = operations.last_runs(engine)
    deadline = deadline_of(engine, settings)
    with engine.connect() as ledger:
        held, dead = find_held_rules(ledger), find_dead_letters(ledger)
    engine.dispose()
    return [
        _of_the_run(runs),
        _of_the_release(settings, now, deadline),
        _counted("late sources", [each.sentence for each in find_late_sources(settings, now)]),
        _of_reds(runs),
        _of_quarantine(settings),
        _of_unlinked(runs),
        _counted("held rules", [str(row["rule"]) for row in held]),
        _counted("dead letters", sorted({f"{row['route']} by {row['channel']}" for row in dead})),
    ]


def read_reds(settings: Settings) -> list[str]:
    """What each red check of the last run says, whose it is and what to do; the newest first."""
    engine = create_ledger(settings.ledger)
    runs, words = operations.last_runs(engine, count=1), read_words(engine)
    engine.dispose()
    red = [check for run in runs for check in run.checks if not check.passed]
    order = sorted(red, key=lambda check: str(check.failing_since), reverse=True)
    return [_red(check, words.get((check.asset, check.check))) for check in order[:_SHOWN]]


def _red(check: CheckOutcome, words: CheckWords | None) -> str:
    """A red check in a few lines."""
    counted = ""
    if check.rows_failed is not None:
        of = f" of {check.rows_tested:,}" if check.rows_tested is not None else ""
        counted = f", {check.rows_failed:,}{of} rows"
    since = f", red since {check.failing_since:%Y-%m-%d %H:%M} UTC" if check.failing_since else ""
    green = f", last green {check.last_green_at:%Y-%m-%d %H:%M}" if check.last_green_at else ""
    said = [f"{check.name} ({check.severity}{counted}{since}{green})", f"  {check.summary}"]
    if words:
        said.append(f"  to do ({words.owner or 'nobody owns it'}): {words.what_to_do}")
    return "\n".join(said)


def _of_the_run(runs: Sequence[RunOutcome]) -> Line:
    if not runs:
        return Line(level=LOOK, name="last run", said="none is known")
    run = runs[0]
    said = f"{'green' if run.is_green else 'red'}, ended {run.ended_at:%Y-%m-%d %H:%M} UTC"
    if run.as_of:
        said += f", as of {run.as_of:%Y-%m-%d %H:%M}"
    if run.failures and not run.is_green:
        said += f": {run.failures[0]}"
    return Line(level=0 if run.is_green else BROKEN, name="last run", said=said)


def _of_the_release(settings: Settings, now: datetime, deadline: timedelta | None) -> Line:
    manifest = folders.read_manifest(settings.releases)
    if manifest is None:
        return Line(level=BROKEN, name="release", said="there is none")
    age = now - datetime.fromisoformat(manifest["as_of"])
    is_late = deadline is not None and age > deadline
    said = f"{manifest['id']}, {max(age, timedelta()) / timedelta(hours=1):,.0f} hours old"
    if deadline is None:
        said += ", no schedule and no deadline"
    elif is_late:
        said += f", at most {deadline / timedelta(hours=1):,.0f} are allowed"
    return Line(level=BROKEN if is_late else 0, name="release", said=said)


def _of_reds(runs: Sequence[RunOutcome]) -> Line:
    """Checks that are red in the last run and were not in the one before."""
    if not runs:
        return Line(level=0, name="new reds", said="none")
    before = {check.name for run in runs[1:2] for check in run.checks if not check.passed}
    red = [check.name for check in runs[0].checks if not check.passed]
    return _counted("new reds", [name for name in red if name not in before])


def _of_quarantine(settings: Settings) -> Line:
    manifest = folders.read_manifest(settings.releases) or {"quarantine": {}}
    counts = {name: rows for name, rows in manifest["quarantine"].items() if rows}
    total = sum(counts.values())
    said = f"{total:,} rows of {', '.join(sorted(counts))}" if total else "empty"
    return Line(level=LOOK if total else 0, name="quarantine", said=said)


def _of_unlinked(runs: Sequence[RunOutcome]) -> Line:
    checks = runs[0].checks if runs else ()
    red = [c for c in checks if c.check == _PARENTS and not c.passed]
    return _counted("unlinked ids", [f"{check.asset}: {check.summary}" for check in red])


def _counted(name: str, found: Sequence[str]) -> Line:
    if not found:
        return Line(level=0, name=name, said="none")
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return Line(level=LOOK, name=name, said=f"{len(found)}: {'; '.join(found[:3])}{more}")
