"""A run with nothing new, taken apart: seconds of each part of `csw run`.

    python -m benchmarks.usage.nothing_new LANDING HOME AS_OF

runs once more what was run before, and says how long each kind of step took.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

BEGUN = time.perf_counter()
BEGUN_AT = time.time()


def main(landing: Path, home: Path, as_of: str) -> None:
    """Runs and says the seconds of each part; what is no step is Dagster's own."""
    import dagster as dg  # noqa: TID251 - its event log knows how long a step took
    from rich.console import Console

    from assets.clock import parse_as_of
    from orchestration.running import run_daily
    from orchestration.settings import Settings

    settings = Settings(home=home, landing=landing).export()
    imported = time.perf_counter()
    outcome = run_daily(settings, parse_as_of(as_of, settings.zone), Console(quiet=True))
    if outcome.failures:
        sys.exit("; ".join(outcome.failures))
    done = time.perf_counter()
    parts: defaultdict[str, float] = defaultdict(float)
    parts["start of Python, imports"] = imported - BEGUN
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs(limit=2):
            for step in instance.get_run_step_stats(run.run_id):
                parts[_part(step.step_key)] += (step.end_time or 0) - (step.start_time or 0)
    steps = sum(parts.values()) - parts["start of Python, imports"]
    parts["Dagster: definitions, events, between steps"] = done - imported - steps
    own = _dbt_nodes(home)
    parts["dbt: start, parse, between nodes"] = parts.pop("dbt", 0.0) - sum(own.values())
    for kind, seconds in own.items():
        parts[f"dbt: {kind}s"] = seconds
    print(json.dumps({name: round(parts[name], 3) for name in sorted(parts)}))  # noqa: T201


def _part(step: str) -> str:
    """Which part of a run a step belongs to."""
    parts = {
        "load_": "loading",
        "judge_deliveries": "checks (Great Expectations)",
        "reference__": "seeds",
        "dbt_build": "dbt",
        "release": "release",
        "alerts": "alerts",
    }
    return next((part for word, part in parts.items() if word in step), f"step {step}")


def _dbt_nodes(home: Path) -> dict[str, float]:
    """Seconds that dbt's nodes took, by their kind; none where all stand and dbt has no part."""
    newest = max(home.glob("dbt/**/run_results.json"), key=lambda path: path.stat().st_mtime)
    if newest.stat().st_mtime < BEGUN_AT:
        return {}
    return _by_kind(json.loads(newest.read_text("utf-8"))["results"])


def _by_kind(results: Iterable[dict[str, object]]) -> dict[str, float]:
    kinds: defaultdict[str, float] = defaultdict(float)
    for one in results:
        kinds[str(one["unique_id"]).split(".")[0]] += float(str(one["execution_time"]))
    return dict(kinds)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
