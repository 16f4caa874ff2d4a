"""The alerts as assets: the evaluation of every release, and the delivery of what it decided."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import dagster as dg
from dagster_duckdb import DuckDBResource

from assets.alerts.delivery import deliver
from assets.alerts.evaluation import evaluate
from assets.alerts.front_door import copy_ledger
from assets.alerts.ledger import create_ledger
from assets.alerts.open_alerts import open_alerts
from assets.alerts.rule_files import read_rules
from assets.alerts.telling import Receivers
from assets.alerts.transitions import Evaluation, Transition
from assets.ledger_copies import CHECK_RESULTS, COPIES, SCHEMA

EVALUATION_KEY = dg.AssetKey(["alerts", "evaluation"])
DELIVERY_KEY = dg.AssetKey(["alerts", "delivery"])
OPERATIONS_KEY = dg.AssetKey(["alerts", "operations"])
_OWNERS = ["cs-ops@example.com"]
_COLUMNS = ("day", "account", "scope", "rule", "severity", "transition", "why")


@dataclass(frozen=True, kw_only=True)
class AlertOptions:
    """Where the alerts' inputs and outputs are.

    Attributes:
        releases: Folder of releases.
        seeds: Folder of the rules.
        ledger_url: SQLAlchemy URL of the ledger.
        receivers: What is known of receivers outside the seeds.
        as_of: Reads a run's as-of from its context.
        now: The wall clock, for people and for what is due.
        look_after: Keeps what runs said and tells ops what began and ended; says how much.
    """

    releases: Path
    seeds: Path
    ledger_url: str
    receivers: Receivers
    as_of: Callable[[dg.AssetExecutionContext], datetime]
    now: Callable[[], datetime]
    look_after: Callable[[dg.DagsterInstance], int]


def build_ledger_asset(
    options: AlertOptions, deps: Sequence[dg.AssetKey], partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """The ledger as it stood at the run's as-of, for the marts about alerts."""
    keys = {table: dg.AssetKey([SCHEMA, table]) for table in (*COPIES, CHECK_RESULTS)}

    @dg.multi_asset(
        name="ledger",
        specs=[
            dg.AssetSpec(
                key=key,
                deps=list(deps),
                group_name="alerts",
                kinds={"sqlalchemy", "duckdb"},
                owners=_OWNERS,
                description=f"The ledger's {table}, as it stood at the as-of instant.",
            )
            for table, key in keys.items()
        ],
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def ledger(
        context: dg.AssetExecutionContext, build: DuckDBResource
    ) -> Iterator[dg.MaterializeResult]:
        engine = create_ledger(options.ledger_url)
        with build.get_connection() as connection:
            rows = copy_ledger(engine, connection, options.as_of(context))
        engine.dispose()
        for table, count in rows.items():
            yield dg.MaterializeResult(asset_key=keys[table], metadata={"dagster/row_count": count})

    return ledger


def build_alert_assets(options: AlertOptions, release: dg.AssetKey) -> list[dg.AssetsDefinition]:
    """The evaluation, which takes every release after the ledger's last one, and the delivery."""

    @dg.asset(
        key=EVALUATION_KEY,
        deps=[release],
        group_name="alerts",
        kinds={"sqlalchemy", "polars"},
        owners=_OWNERS,
        description="Every rule over every day that a new release brings: what opened, what was "
        "resolved, what was held back and why.",
    )
    def evaluation() -> dg.MaterializeResult:
        engine = create_ledger(options.ledger_url)
        done = evaluate(
            engine,
            options.releases,
            read_rules(options.seeds),
            recorded_at=options.now(),
        )
        still_open = len(open_alerts(engine))
        engine.dispose()
        return dg.MaterializeResult(metadata=_metadata(done, still_open))

    @dg.asset(
        key=DELIVERY_KEY,
        deps=[EVALUATION_KEY],
        group_name="alerts",
        kinds={"sqlalchemy", "file"},
        owners=_OWNERS,
        description="What was decided and not told yet, told once per idempotency key.",
    )
    def delivery() -> dg.MaterializeResult:
        engine = create_ledger(options.ledger_url)
        told = deliver(engine, options.receivers, now=options.now())
        engine.dispose()
        return dg.MaterializeResult(
            metadata={"sent": told.sent, "failed": told.failed, "dead_letters": told.dead}
        )

    return [evaluation, delivery]


def build_operations_asset(options: AlertOptions) -> dg.AssetsDefinition:
    """What an operator must hear of although no release says it."""

    @dg.asset(
        key=OPERATIONS_KEY,
        group_name="alerts",
        kinds={"sqlalchemy"},
        owners=_OWNERS,
        description="Red checks, failed or missing runs, late sources and dead letters, from the "
        "ledger and the clock: the ops route hears of each once, and of its end.",
    )
    def operations(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"told": options.look_after(context.instance)})

    return operations


def _metadata(done: list[Evaluation], still_open: int) -> dict[str, dg.MetadataValue]:
    transitions = [found for each in done for found in each.transitions]
    schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in _COLUMNS])
    return {
        "releases": dg.MetadataValue.json([each.release_id for each in done]),
        "days": dg.MetadataValue.int(sum(len(each.days) for each in done)),
        "opened": dg.MetadataValue.int(sum(each.opened for each in done)),
        "resolved": dg.MetadataValue.int(sum(each.resolved for each in done)),
        "suppressed": dg.MetadataValue.int(sum(each.suppressed for each in done)),
        "unjudged": dg.MetadataValue.int(sum(each.unjudged for each in done)),
        "open_now": dg.MetadataValue.int(still_open),
        "held": dg.MetadataValue.json(
            [
                f"{held.rule} on {held.day}: {held.would_fire:,} accounts, at most {held.most:,}"
                for each in done
                for held in each.held
            ]
        ),
        "notes": dg.MetadataValue.json([note for each in done for note in each.notes]),
        "transitions": dg.MetadataValue.table(
            records=[_record(found) for found in transitions[:200]], schema=schema
        ),
    }


def _record(found: Transition) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "day": found.day.isoformat(),
            "account": found.account_name or found.account_id,
            "scope": found.scope or "",
            "rule": found.rule,
            "severity": found.severity,
            "transition": found.transition,
            "why": found.reason,
        }
    )
