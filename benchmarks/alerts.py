"""How long one day of many rules over many accounts takes: `python -m benchmarks.alerts`.

Target: 200 rules over 100,000 accounts in 10 seconds and 2 GB on 2 cores. On the first day a rule
reads the days before as well; on the next one the rules that ask for two days fire. Every 50th rule
is about three modules, an alert each.
"""

import argparse
import json
import resource
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import create_ledger
from assets.alerts.receivers import Route
from assets.alerts.rules import Rule, RuleSet

DAY = date(2025, 3, 1)
METRICS = 20
MODULES = ("Map", "Reports", "Admin")
SCOPED = {
    "sentence": "{account} used {scope} {value} times.",
    "metric": "use_count_7d",
    "scope": "|".join(f"module:{module}" for module in MODULES),
}
DAYS = (
    "select 'acc-' || account as account_id, cast($1 as date) - cast(n as int) as day, "
    "'customer' as account_status, {} from range($2) as a (account), range(2) as d (n)"
)
USES = (
    "select 'acc-' || account as account_id, cast($1 as date) - cast(n as int) as day, "
    "'use_count_7d' as metric, 'module:' || module as scope, "
    "cast(hash(account, n, module) % 10000 as double) / 100 as value "
    "from range($2) as a (account), range(2) as d (n), (select unnest($3) as module)"
)
ACCOUNTS = (
    "select 'acc-' || account as account_id, 'Account ' || account as account_name, "
    "false as is_test, 'tier ' || (account % 4) as tier from range($1) as a (account)"
)


def write_release(folder: Path, sequence: int, accounts: int) -> None:
    """A release with two or three days of random metrics, the same whenever it is made."""
    made = folder / f"r{sequence}"
    made.mkdir(parents=True)
    last = DAY + timedelta(days=sequence)
    metrics = ", ".join(
        f"cast(hash(account, n, {seed}) % 10000 as double) / 100 as metric_{seed}"
        for seed in range(METRICS)
    )
    with duckdb.connect(str(made / "csw.duckdb")) as connection:
        connection.execute("create schema accounts; create schema health; create schema meta")
        connection.execute(
            f"create table accounts.account_metrics_daily as {DAYS.format(metrics)}",
            [last, accounts],
        )
        connection.execute(f"create table accounts.dim_accounts as {ACCOUNTS}", [accounts])
        connection.execute(
            f"create table health.account_scoped_metrics_daily as {USES}",
            [last, accounts, list(MODULES)],
        )
    as_of = datetime.combine(last + timedelta(days=1), datetime.min.time(), UTC)
    content = {"id": made.name, "sequence": sequence, "as_of": as_of.isoformat()}
    (made / "manifest.json").write_text(json.dumps(content))


def rules(count: int) -> RuleSet:
    """Rules that each hold for one account in a thousand, some of them for a module of it."""
    made = [
        Rule.model_validate(
            {
                "rule": f"rule_{n:03}",
                "sentence": "{account} is at {value}, below {threshold}.",
                "severity": ("info", "warning", "critical")[n % 3],
                "metric": f"metric_{n % METRICS}",
                **(SCOPED if n % 50 == 49 else {}),
                "operator": "below",
                "threshold": 0.1,
                "recover_at": 1,
                "for_days": 1 + n % 2,
                "cooldown_days": 7,
            }
        )
        for n in range(count)
    ]
    route = Route(rule="*", position=1, channel="file", target="alerts.jsonl")
    return RuleSet(rules=tuple(made), routes=(route,))


def main() -> None:
    """Prints what both days took, and the most memory that the process ever had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--accounts", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        releases, ledger = Path(folder) / "releases", create_ledger(f"sqlite:///{folder}/l.sqlite")
        ruleset = rules(asked.rules)
        for sequence, name in ((1, "first day"), (2, "next day")):
            write_release(releases, sequence, asked.accounts)
            began = time.perf_counter()
            (done,) = evaluate(
                ledger, releases, ruleset, recorded_at=datetime(2025, 6, 1, tzinfo=UTC)
            )
            seconds = time.perf_counter() - began
            print(  # noqa: T201
                f"{name}: {asked.rules} rules x {asked.accounts:,} accounts in {seconds:.1f} s,"
                f" {done.opened:,} opened, {done.resolved:,} resolved"
            )
        ledger.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"peak memory {peak:.2f} GB (the writing of the releases included)")  # noqa: T201


if __name__ == "__main__":
    main()
