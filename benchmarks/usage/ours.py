"""Our side: files through the loader, then one `dbt build` of the usage models.

    python -m benchmarks.usage.ours LANDING HOME AS_OF

loads what landed and was not loaded yet.
"""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from assets.extracts.contracts import load_contracts
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import open_landing, profile_for
from assets.extracts.loader import load_table, prepare
from assets.releases.history import prepare_history
from benchmarks.usage.compare import MEASURES
from benchmarks.usage.runs import MEMORY_LIMIT, ROOT, THREADS, Step, run_module

PROJECT = ROOT / "dbt_project"
ROLLUPS = ("+int_event_days", *(f"+int_{table}" for table in MEASURES))
MARTS = ("+config.schema:usage", "+int_usage_rolled_up")


def load(landing: Path, home: Path, as_of: datetime) -> None:
    """Loads every table of a landing into a home's build."""
    home.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": THREADS,
        "temp_directory": str(home / "spill"),
    }
    listed = open_landing(landing)
    with duckdb.connect(str(home / "build.duckdb"), config=config) as connection:
        prepare(connection)
        prepare_history(connection)
        for contract in load_contracts().values():
            load_table(
                connection,
                contract=contract,
                profile=profile_for(listed, None),
                landing=listed,
                as_of=as_of,
                known=KnownLog.beside(listed, otherwise=home),
                run_id="benchmark",
                loaded_at=as_of,
            )


def show(home: Path, as_of: datetime) -> None:
    """What matters here of a release: days that it shows are not measured again."""
    with duckdb.connect(str(home / "build.duckdb")) as connection:
        shown = "history.account_metrics_daily"
        connection.execute(f"alter table {shown} add column if not exists account_status varchar")
        connection.execute(
            f"insert into {shown} (account_id, day, account_status) values ('', ?, 'customer')",  # noqa: S608
            [as_of.date() - timedelta(days=1)],
        )


def build(
    home: Path,
    as_of: datetime,
    *,
    models: tuple[str, ...] = MARTS,
    without: tuple[str, ...] = (),
) -> Step:
    """Runs `dbt build` of these models, without tests; its seconds include dbt's start."""
    excluded = ("--exclude", *without) if without else ()
    return _dbt(
        home, as_of, "build", "--select", *models, *excluded,
        "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test",
    )  # fmt: skip


def parse(home: Path, as_of: datetime) -> None:
    """Makes dbt's manifest, which a run finds made already."""
    _dbt(home, as_of, "parse")


def _dbt(home: Path, as_of: datetime, *arguments: str) -> Step:
    return run_module(
        "orchestration.dbt_process", "--no-use-colors", *arguments,
        "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
        environment={
            "CSW_AS_OF": as_of.isoformat(),
            "CSW_BUILD_DATABASE": str(home / "build.duckdb"),
            "CSW_SPILL_FOLDER": str(home / "spill"),
            "CSW_MEMORY_LIMIT": MEMORY_LIMIT,
            "CSW_THREADS": str(THREADS),
            "DBT_TARGET_PATH": str(home / "target"),
            "DBT_LOG_PATH": str(home / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        },
    )  # fmt: skip


def model_seconds(home: Path) -> dict[str, float]:
    """Seconds of each model of the last build."""
    results = json.loads((home / "target" / "run_results.json").read_text("utf-8"))["results"]
    return {one["unique_id"].split(".")[2]: float(one["execution_time"]) for one in results}


if __name__ == "__main__":
    load(Path(sys.argv[1]), Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
