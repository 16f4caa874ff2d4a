"""From landing to releases and alerts, through the real command: one warehouse and its days.

The runs are the expensive part: each fixture is one of them, and they follow one another.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import sqlalchemy as sa
import yaml

from assets.alerts.ledger import create_ledger
from assets.alerts.ledger_tables import metadata
from assets.alerts.scopes import scope_of_dimensions
from tests.integration.alert_ledger_server import is_installed, postgres_server
from tests.integration.main_job import (
    ONE,
    ROOT,
    SUBJECTS,
    FirstDay,
    Home,
    Ran,
    as_of,
    bytes_under,
    csw,
    land_through,
)

TWO = date(2025, 12, 25)
USAGE = 2
SHOWN = (
    "accounts.account_metrics_daily",
    "health.fct_account_health_daily",
    "health.fct_health_conditions_daily",
)

GOOD_TODAY = """
    select account_id from health.fct_account_health_daily
    where state = 'good' and day = (select max(day) from health.fct_account_health_daily)
"""


# Receivers that nobody answers for, so that every channel has something to say of its failure.
ELSEWHERE = {
    "CSW_RECEIVER_CRM_URL": "http://127.0.0.1:9/hooks/s3cret-of-the-webhook",
    "CSW_RECEIVER_CRM_SECRET": "s3cret-that-signs",
    "CSW_RECEIVER_TEAM_URL": "http://127.0.0.1:9/services/T0/B0/s3cret-of-slack",
    "CSW_SMTP_URL": "smtp://ada:s3cret-of-the-mail@127.0.0.1:9",
    "CSW_ALLOWED_HOSTS": "127.0.0.1",
}


# A rule on each module of the catalogue; every one that is used fires.
MODULE_RULE = (
    "module_was_used,{account} used {scope} on {value} days.,,info,days_used_30d,module:*,above,0"
    ",,,1,,1,0,0,keep,fire,baseline,1,ops,true,Say thank you.\n"
)
PLANNING_CONDITION = (
    "planning_is_used,ongoing,depth,bands,use_count_14d,module:Planning,higher,1000000,2000000,100"
    ",3,14,1,Planning was used {value} times\n"
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run of the warehouse, and what a reader who never left saw meanwhile."""

    home: Home
    ran: Ran
    before: Any = None


@pytest.fixture(scope="module")
def first(first_day: FirstDay) -> Step:
    """The first day: its history and one delivery after it."""
    return Step(home=first_day.home, ran=first_day.ran)


@pytest.fixture(scope="module")
def reader(first: Step) -> Iterator[duckdb.DuckDBPyConnection]:
    """Somebody who opened the first release by its constant path and keeps it open."""
    with first.home.open() as connection:
        yield connection


@pytest.fixture(scope="module")
def second(first: Step, reader: duckdb.DuckDBPyConnection) -> Step:
    """Four more days, with duplicates, late rows, strangers and bad rows among them."""
    home = first.home
    shown = {table: rows_of(home, table) for table in SHOWN}
    held = reader.execute("select release_id from meta.releases").fetchall()
    land_through(home.landing, TWO)
    return Step(home=home, ran=home.run(as_of(TWO)).green(), before=(shown, held))


@pytest.fixture(scope="module")
def again(second: Step) -> Step:
    """The same as-of once more, after another day has landed that the as-of knows nothing of."""
    home = second.home
    told = (home.path / "outbox" / "alerts.jsonl").read_bytes()
    land_through(home.landing, TWO + timedelta(days=1))
    ahead = home.landing / f"events/events/dt={TWO}/ahead.csv"
    ahead.write_text(
        "event_id,account_id,user_id,occurred_at,event_type,quantity\n"
        f"ahead-1,acc-0001,u-0001-001,{as_of(TWO)}T00:00:00Z,use,1000\n"
        f"ahead-2,acc-0001,u-nobody,{as_of(TWO)}T09:00:00Z,use,1000\n"
    )
    # What is known reads otherwise: from that instant on as it says, or as delivered after it.
    tomorrow = TWO + timedelta(days=1)
    tell_anew(home, "crm/goals", "title", TWO, updated_at=f"{as_of(TWO)}T00:00:00Z")
    tell_anew(home, "invoices/invoices", "number", tomorrow)
    return Step(home=home, ran=home.run(as_of(TWO)).green(), before=told)


@pytest.fixture(scope="module")
def older(again: Step) -> Step:
    """A run for the first as-of, after all that."""
    return Step(home=again.home, ran=again.home.run(as_of(ONE)).green())


@pytest.fixture(scope="module")
def ledger_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ledger on a PostgreSQL server with a password; in a file, where no server is installed."""
    if is_installed():
        with postgres_server() as url:
            yield url.replace("csw@", "csw:s3cret-of-the-ledger@")
    else:
        yield f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.db"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, ledger_elsewhere: str) -> Step:
    """A fresh warehouse that gets all days at once, with seeds and a ledger that lie elsewhere."""
    folder = tmp_path_factory.mktemp("elsewhere")
    home = Home(path=folder / "home", landing=folder / "landing")
    land_through(home.landing, TWO)
    seeds = folder / "my seeds"
    shutil.copytree(ROOT / "seeds", seeds)
    rules = seeds / "alert_rules.csv"
    written = rules.read_text("utf-8").replace("Look at which modules", "See which modules")
    rules.write_text(written + MODULE_RULE)
    with (seeds / "alert_routes.csv").open("a") as routes:
        routes.write("*,2,webhook,crm,,,opened\n*,3,slack,team,,,opened\n")
        routes.write("*,4,email,ada@example.com,,,opened\n")
    before = (bytes_under(seeds), bytes_under(ROOT / "seeds"))
    environment = {**ELSEWHERE, "CSW_LEDGER_URL": ledger_elsewhere, "CSW_SEEDS": str(seeds)}
    ran = home.run(as_of(TWO), **environment).green()
    return Step(home=home, ran=ran, before=(seeds, *before))


def tell_anew(home: Home, table: str, column: str, day: date, **others: str) -> None:
    """Lands the first delivery's rows once more on a day, with another word in a column."""
    first, *_ = sorted((home.landing / table).glob("dt=*/*.csv"))
    rows = pl.read_csv(first, infer_schema=False)
    words = [pl.lit(word).alias(name) for name, word in {column: "ahead", **others}.items()]
    ahead = home.landing / table / f"dt={day}" / "ahead.csv"
    ahead.parent.mkdir(parents=True, exist_ok=True)
    rows.with_columns(words).write_csv(ahead)


def rows_of_ledger(url: str) -> dict[str, list[Any]]:
    """All that a ledger holds, by table."""
    engine = create_ledger(url)
    with engine.connect() as ledger:
        tables = {
            table.name: list(ledger.execute(sa.select(table)).mappings())
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return tables


def rows_of(home: Home, table: str, release: str = "current", where: str = "true") -> list[Any]:
    return home.rows(f"select * from {table} where {where} order by all", release)  # noqa: S608


# What tells of alerts tells what earlier releases set off.
OF_ALERTS = {
    "accounts.account_scorecard", "accounts.account_timeline", "accounts.fct_tasks",
    "accounts.portfolio_weekly", "health.account_kpis", "health.expansion_opportunities",
}  # fmt: skip

# And what it has of modules follows from the rules that ask for them.
OF_RULES = "health.account_scoped_metrics_daily"


def shown(hashes: dict[str, str]) -> dict[str, str]:
    """What a release shows of its sources alone, without what became of alerts."""
    return {
        name: found
        for name, found in hashes.items()
        if name not in {*OF_ALERTS, OF_RULES} and not name.startswith("alerts.")
    }


# The release


def test_a_release_has_the_schemas_of_its_subjects(first: Step) -> None:
    """A reader's query that fails because a subject without marts has no schema."""
    found = first.home.rows("select schema_name from duckdb_schemas() where not internal")
    assert {"main", *SUBJECTS, "meta"} >= {name for (name,) in found} >= {*SUBJECTS, "meta"}


def test_every_table_and_column_of_a_release_has_a_comment(first: Step) -> None:
    """Comments lost on the way: `create table as` drops them."""
    tables = "select table_name from duckdb_tables() where coalesce(comment, '') = ''"
    columns = (
        "select table_name || '.' || column_name from duckdb_columns() "
        "where not internal and coalesce(comment, '') = ''"
    )
    assert first.home.rows(tables) == []
    assert first.home.rows(columns) == []


def test_a_manifest_says_what_a_release_is(first: Step) -> None:
    """A release that nobody can tell the age, the content or the checks of."""
    manifest = first.home.manifest()
    assert manifest["id"] == f"000001-{as_of(ONE)}"
    assert manifest["as_of"] == f"{as_of(ONE)}T00:00:00+00:00"
    assert manifest["watermarks"] == dict.fromkeys(
        ("crm", "events", "invoices", "tickets"), ONE.isoformat()
    )
    assert manifest["quarantine"] == {"tickets.tickets": 2}
    counted = {
        name: first.home.rows(f"select count(*) from {name}")[0][0]  # noqa: S608
        for name in manifest["tables"]
    }
    assert {name: facts["rows"] for name, facts in manifest["tables"].items()} == counted
    assert all(re.fullmatch("[0-9a-f]{16}", f["content_hash"]) for f in manifest["tables"].values())
    assert {check["severity"] for check in manifest["checks"]} <= {"block", "warn"}
    assert all(check["passed"] for check in manifest["checks"] if check["severity"] == "block")


def test_a_manifest_names_checks_of_every_stage(first: Step) -> None:
    """An audit that forgot a stage: seeds, what landed, what was made of it."""
    judged = {check["asset"].split("/")[0] for check in first.home.manifest()["checks"]}
    assert judged >= {"reference", "crm", "events", "invoices", "tickets", "accounts"}
    listed = first.home.rows("select count(*) from meta.checks")
    assert listed == [(len(first.home.manifest()["checks"]),)]


def test_a_release_is_written_for_older_readers(first: Step) -> None:
    """A BI tool whose DuckDB driver is a year old and opens nothing."""
    header = (first.home.releases / "current" / "csw.duckdb").read_bytes()[8:20]
    assert header[:4] == b"DUCK"
    assert int.from_bytes(header[4:], "little") == 64  # the storage of DuckDB 1.0


def test_quarantined_rows_are_in_the_release_with_file_line_column_and_reason(first: Step) -> None:
    """Rows that vanish: an analyst must find each of them again in its file."""
    rows = first.home.rows(
        "select path, line, column_name, reason, raw_text from meta.quarantine order by all"
    )
    assert [row[0] for row in rows] == [
        f"tickets/tickets/dt={day}/tickets.csv" for day in ("2025-12-20", ONE)
    ]
    for path, line, column, reason, raw_text in rows:
        text = (first.home.landing / path).read_text("utf-8").splitlines()
        assert text[line - 1] == raw_text
        assert column == "created_at"
        assert reason == (
            "created_at '31/02/2026' is not a date or time; write it as 2024-12-31T23:59:59Z"
        )


def test_a_green_run_says_what_it_made_and_prints_no_warning(first: Step) -> None:
    """A first impression of warnings about our own tools, or of nothing at all."""
    assert f"release 000001-{as_of(ONE)}" in first.ran.out
    assert "Who needs attention" in first.ran.out
    assert "MRR by month" in first.ran.out
    assert first.ran.err == ""


# The days after it


def test_the_second_run_loads_only_what_is_new(second: Step) -> None:
    """A run that reads everything again: slow, and each row might count twice."""
    facts = "select path, content_hash, rows_read, run_id, loaded_at from meta.deliveries"
    one, two = (set(second.home.rows(facts, name)) for name in second.home.names())
    assert one < two
    assert {re.findall(r"dt=([0-9-]+)", path)[0] for path, *_ in two - one} == {
        (ONE + timedelta(days=n)).isoformat() for n in range(1, 5)
    }
    assert "rows from 4 new files" in second.ran.out


def test_days_that_were_shown_stay_as_they_were(second: Step) -> None:
    """A chart that rewrites last week: late rows correct other marts, never what was shown."""
    shown, _ = second.before
    for table in SHOWN:
        assert rows_of(second.home, table, where=f"day <= date '{ONE}'") == shown[table]
        assert rows_of(second.home, table, where=f"day = date '{TWO}'")


def test_a_reader_keeps_its_release_while_the_next_is_published(
    second: Step, reader: duckdb.DuckDBPyConnection
) -> None:
    """A dashboard that breaks, or changes in the middle of a query, whenever a run ends."""
    _, held = second.before
    assert reader.execute("select release_id from meta.releases").fetchall() == held
    assert reader.execute("select max(day) from accounts.account_metrics_daily").fetchone() == (
        ONE,
    )
    assert second.home.manifest()["id"] == f"000002-{as_of(TWO)}"


def test_the_same_as_of_gives_the_same_hashes_whatever_landed_after_it(again: Step) -> None:
    """Invariants 13 and 14: a clock, an order of rows, or tomorrow's rows in a mart."""
    releases = again.home.names()
    assert len(releases) == 3
    assert again.home.hashes(releases[2]) == again.home.hashes(releases[1])
    landed = "select count(*) from meta.deliveries where path like '%ahead.csv'"
    assert again.home.rows(landed) == [(3,)]


def test_evaluating_a_day_again_tells_nobody_anything(again: Step) -> None:
    """The same alert in somebody's inbox after each rerun."""
    assert (again.home.path / "outbox" / "alerts.jsonl").read_bytes() == again.before


def test_every_alert_is_told_once(again: Step) -> None:
    """An idempotency key that stands on two lines, or an alert of a rule that is not there."""
    keys = [line["idempotency_key"] for line in again.home.told()]
    assert keys
    assert len(keys) == len(set(keys))


def test_a_back_fill_in_one_run_shows_what_the_days_showed(second: Step, elsewhere: Step) -> None:
    """History that depends on when somebody pressed the button."""
    table = "accounts.account_metrics_daily"
    assert rows_of(elsewhere.home, table) == rows_of(second.home, table, second.home.names()[1])
    # Not the alerts: they tell what releases set off, and elsewhere there was one less.
    assert shown(elsewhere.home.hashes()) == shown(second.home.hashes(second.home.names()[1]))


def test_an_older_as_of_publishes_and_does_not_become_current(older: Step) -> None:
    """Dashboards that fall back to last week because somebody looked at last week."""
    releases = older.home.names()
    assert releases[3] == f"000004-{as_of(ONE)}"
    assert older.home.manifest()["id"] == releases[2]
    days = older.home.rows("select max(day) from accounts.account_metrics_daily", releases[3])
    assert days == [(ONE,)]
    for table in SHOWN:
        assert rows_of(older.home, table, releases[3]) == rows_of(older.home, table, releases[0])


# Seeds elsewhere


def test_seeds_elsewhere_are_used_and_nothing_is_written_to_them(elsewhere: Step) -> None:
    """A run that writes into a folder which a person edits, or reads ours instead of it."""
    seeds, theirs, ours = elsewhere.before
    assert bytes_under(seeds) == theirs
    assert bytes_under(ROOT / "seeds") == ours
    changed = elsewhere.home.rows(
        "select count(*) from meta.configuration where value like 'See which modules%'"
    )
    assert changed == [(1,)]


def test_no_secret_stands_anywhere_in_a_home(elsewhere: Step, ledger_elsewhere: str) -> None:
    """A webhook's address or a password in a log, the ledger, a release or Dagster's storage."""
    tables = rows_of_ledger(ledger_elsewhere)
    tried = {row["channel"] for row in tables["actions"] if row["attempts"]}
    assert tried == {"file", "webhook", "slack", "email"}
    files = bytes_under(elsewhere.home.path)
    assert [name for name, content in files.items() if b"s3cret" in content] == []
    assert "s3cret" not in elsewhere.ran.said + str(tables)


def test_a_rule_on_modules_fires_for_each_that_is_used(
    elsewhere: Step, ledger_elsewhere: str
) -> None:
    """Pairs that only an alert rule names, which no model measures or no evaluation reads."""
    used = elsewhere.home.rows(
        "select scoped.account_id, scoped.scope, scoped.value "
        "from health.account_scoped_metrics_daily as scoped "
        "inner join accounts.account_metrics_daily as days using (account_id, day) "
        "where scoped.metric = 'days_used_30d' and scoped.value > 0 "
        "and day = (select max(day) from accounts.account_metrics_daily) "
        "and days.account_status in ('customer', 'past_due')"
    )
    found = [
        (row["account_id"], scope_of_dimensions(row["dimensions"]), row["value"])
        for row in rows_of_ledger(ledger_elsewhere)["alerts"]
        if row["rule"] == "module_was_used"
    ]
    assert len({scope for _, scope, _ in used}) > 1
    assert sorted(found) == sorted(used)


def test_an_unreachable_ledger_is_named_without_its_password(tmp_path: Path) -> None:
    """A PostgreSQL address with its password in a stack trace."""
    url = "postgresql://ada:s3cret@127.0.0.1:9/csw"
    ran = csw("status", "--home", str(tmp_path), environment={"CSW_LEDGER_URL": url})
    assert ran.code == 2
    assert "The ledger (postgresql) can't be opened" in ran.out
    assert "s3cret" not in ran.said + "".join(map(str, bytes_under(tmp_path).values()))


def test_the_recorded_configuration_is_all_that_other_words_change(
    second: Step, elsewhere: Step
) -> None:
    """A changed text of a rule that a release does not admit to."""
    ours = second.home.manifest(second.home.names()[1])
    theirs = elsewhere.home.manifest()
    assert ours["configuration_hash"] != theirs["configuration_hash"]


def test_the_summary_shows_the_current_release(older: Step) -> None:
    """A summary of the newest folder in place of the release that readers see."""
    shown = csw("summary", "--home", str(older.home.path)).green()
    assert f"Release 000003-{as_of(TWO)}" in shown.out


# A bad delivery


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """Two bad deliveries, run twice: one is delivered right, the other read by another profile."""

    home: Home
    before: dict[str, Any]
    reds: tuple[Ran, Ran]
    after_reds: dict[str, Any]
    reloads: tuple[Ran, Ran]
    green: Ran


@pytest.fixture(scope="module")
def blocked(older: Step) -> Blocked:
    home, day = older.home, TWO + timedelta(days=2)
    before = home.manifest()
    file = home.landing / f"tickets/tickets/dt={day}/tickets.csv"
    file.parent.mkdir()
    file.write_text(tickets(home, day, bad=180))
    write_misread_licenses(home, day)
    reds = (home.run(as_of(day)), home.run(as_of(day)))
    after = home.manifest()
    profile = home.landing / "profile.yml"
    said = yaml.safe_load(profile.read_text("utf-8"))
    flag = {"from": "is_trial", "map": {"maybe": "true", "true": "true", "false": "false"}}
    said["tables"]["crm.licenses"] = {"columns": {"is_trial": flag}}
    profile.write_text(yaml.safe_dump(said))
    place = ("--home", str(home.path), "--landing", str(home.landing))
    reloads = (csw("land", "reload", *place), csw("quarantine", "retry", *place))
    file.write_text(tickets(home, day, bad=0))
    return Blocked(
        home=home,
        before=before,
        reds=reds,
        after_reds=after,
        reloads=reloads,
        green=home.run(as_of(day)),
    )


def write_misread_licenses(home: Home, day: date) -> None:
    """Lands 150 licences with a word that is no flag where one is expected."""
    file = home.landing / f"crm/licenses/dt={day}/licenses.csv"
    file.parent.mkdir(exist_ok=True)
    rows = [f"more-{n},acc-0001,insights,1,{day},maybe" for n in range(150)]
    file.write_text(
        "\n".join(["license_id,account_id,package,seats_purchased,started_at,is_trial", *rows])
    )


def tickets(home: Home, day: date, *, bad: int) -> str:
    """The day before's tickets and 300 more, some of which nobody can date."""
    before = home.landing / f"tickets/tickets/dt={day - timedelta(days=1)}/tickets.csv"
    text = before.read_text("utf-8")
    header = text.splitlines()[0].split(",")
    rows = []
    for number in range(300):
        told = {"ticket_id": f"more-{number}", "account_id": "acc-0001", "status": "open"}
        told["created_at"] = "never" if number < bad else f"{day}T08:00:00Z"
        rows.append(",".join(told.get(name, "") for name in header))
    return text + "\n".join(rows) + "\n"


def test_a_red_check_leaves_the_last_release_in_place(blocked: Blocked) -> None:
    """Half a day's tickets published as if the others had never been."""
    assert blocked.after_reds == blocked.before
    assert [red.code for red in blocked.reds] == [1, 1]


def test_a_red_run_says_what_failed_and_what_stays(blocked: Blocked) -> None:
    """A stack trace, or a bare `failed`, where a person needs the table and the number."""
    red = blocked.reds[0]
    assert "✗ check rejects_few_rows on tickets/tickets: 181 of " in red.out
    assert f"No release: release {blocked.before['id']} stays current. The log is " in red.err
    assert "Traceback" not in red.said


def test_a_batch_that_blocked_blocks_until_it_is_mended(blocked: Blocked) -> None:
    """Bad rows let through by running again: the second run finds nothing new to judge."""
    assert "✗ check rejects_few_rows on tickets/tickets: 181 of " in blocked.reds[1].out


def test_a_release_tells_of_the_red_runs_before_it(blocked: Blocked) -> None:
    """A release knows only its own green checks; what was red before it is forgotten."""
    blocked.green.green()
    rows = blocked.home.rows(
        "select is_passed, rows_failed, json_array_length(failing_rows), owner, "
        "failing_since = min(ended_at) over (), last_green_at < failing_since "
        "from meta.check_results where check_key = 'tickets/tickets/rejects_few_rows' "
        "and not is_passed"
    )
    assert rows == [(False, 181, 20, "data-engineering@example.com", True, True)] * 2


def test_a_mended_delivery_is_released(blocked: Blocked) -> None:
    """A warehouse that stays shut because of a file that nobody has any more."""
    blocked.green.green()
    assert blocked.home.manifest()["id"].startswith("000005-")


def test_a_batch_that_was_misread_is_healed_by_its_profile_and_a_reload(blocked: Blocked) -> None:
    """Rows that only the profile misread must not need a new delivery under another name."""
    assert all("rejected for is_trial: no (150 of " in red.out for red in blocked.reds)
    blunt, reloaded = blocked.reloads
    assert blunt.code == USAGE
    said = " ".join(reloaded.green().out.split())
    assert "0 rows loaded and 150 rejected before, 150 and 0 now" in said
    blocked.green.green()
    loaded = (
        "select rows_loaded from meta.deliveries "
        "where table_name = 'licenses' order by delivery_id desc limit 1"
    )
    assert blocked.home.rows(loaded) == [(150,)]


@dataclass(frozen=True, kw_only=True)
class Sparing:
    """A correction at an as-of that was released, built sparingly and then from nothing."""

    home: Home
    sparing: Ran
    whole: Ran


@pytest.fixture(scope="module")
def sparing(blocked: Blocked) -> Sparing:
    home, day = blocked.home, TWO + timedelta(days=2)
    blocked.green.green()
    tell_anew(home, "crm/goals", "title", day, title="mended", updated_at=f"{day}T12:00:00Z")
    sparing = home.run(as_of(day)).green()
    with duckdb.connect(str(home.path / "build.duckdb")) as build:
        build.execute("delete from builds.nodes")
    return Sparing(home=home, sparing=sparing, whole=home.run(as_of(day)).green())


def test_what_stands_is_what_would_be_built(sparing: Sparing) -> None:
    """A mart that is not made anew though something that it reads has changed."""
    *_, before, spared, whole = (sparing.home.hashes(name) for name in sparing.home.names())
    assert spared == whole
    changed = {name for name in spared if spared[name] != before[name]}
    assert "accounts.fct_goals" in changed
    assert {"revenue.fct_mrr_movements", "usage.fct_account_activity_daily"} <= set(
        spared
    ) - changed


def test_a_run_says_how_much_stands(sparing: Sparing) -> None:
    """A step that is over in a second, and nobody knows whether it did anything."""
    stands = re.findall(r"([0-9]+) models and seeds and ([0-9]+) tests stand", sparing.sparing.out)
    assert stands
    assert all(int(count) > 0 for count in stands[0])
    assert " stand" not in sparing.whole.out
    manifest = sparing.home.manifest(sparing.home.names()[-2])
    assert len(manifest["checks"]) == len(sparing.home.manifest()["checks"])


def test_a_preview_says_whom_edited_seeds_would_move(elsewhere: Step, tmp_path: Path) -> None:
    """An edit of the health seeds that is tried out on customers, or whose preview is published.

    Or a preview that takes what no shown condition read, the use of one module, for missing: who
    has a good score can be poor by the new edges only if the new condition counts.
    """
    home, (seeds, *_) = elsewhere.home, elsewhere.before
    profiles, conditions = seeds / "health_profiles.csv", seeds / "health_conditions.csv"
    as_it_was = {file: file.read_text("utf-8") for file in (profiles, conditions)}
    good = len(home.rows(GOOD_TODAY))
    released, written = home.names(), bytes_under(home.releases)
    assert good > 0
    try:
        profiles.write_text(as_it_was[profiles].replace("score,75,50", "score,100,60"))
        conditions.write_text(as_it_was[conditions] + PLANNING_CONDITION)
        ran = csw(
            "health", "preview", "--home", str(home.path), "--into", str(tmp_path / "days.csv"),
            environment={"CSW_SEEDS": str(seeds)},
        )  # fmt: skip
    finally:
        for file, text in as_it_was.items():
            file.write_text(text)
    days = pl.read_csv(tmp_path / "days.csv").filter(pl.col("day") == f"{TWO}")
    assert days.filter(pl.col("state_shown") == "good").height == good
    assert days.filter(pl.col("state_now") == "good").height < good
    assert days.filter(pl.col("state_shown") == "good", pl.col("state_now") == "poor").height > 0
    line = next(line for line in ran.green().out.splitlines() if line.split()[:1] == ["good"])
    assert int(line.split()[1]) == good
    assert int(line.split()[2]) < good
    assert " accounts move" in ran.out
    assert " alerts more, " in ran.out
    assert (home.names(), bytes_under(home.releases)) == (released, written)
    assert not list((home.path / "preview").glob("*.duckdb"))
