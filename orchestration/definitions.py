"""The one file that knows everything: what there is, where it is kept, when it runs."""

import gc
import warnings
from datetime import UTC, datetime

import dagster as dg

from assets.alerts.assets import (
    DELIVERY_KEY,
    EVALUATION_KEY,
    AlertOptions,
    build_alert_assets,
    build_ledger_asset,
    build_operations_asset,
)
from assets.clock import as_of_run
from assets.extracts.assets import ExtractOptions, build_cuts_asset, build_raw_assets
from assets.extracts.contracts import load_contracts
from assets.extracts.landing import Landing, open_landing, profile_for
from assets.extracts.profiles import Profile
from assets.health.assets import BACKTEST_KEY, build_backtest_asset
from assets.releases.assets import RELEASE_KEY, ReleaseOptions, build_release_asset
from assets.warehouse.assets import (
    CONFIGURATION_KEY,
    WarehouseOptions,
    build_configuration_asset,
    build_dbt_assets,
)
from assets.warehouse.configuration import fingerprint, seed_files
from checks.alerts import build_alert_checks
from checks.configuration import build_configuration_check
from checks.extracts import ExtractLimits, build_extract_checks
from checks.landing import build_landing_check
from orchestration.dbt import (
    build_target,
    code_version,
    dbt_resource,
    dbt_variables,
    prepare_project,
)
from orchestration.event_log import stored_together
from orchestration.jobs import build_jobs
from orchestration.operations import look_after
from orchestration.progress import progress_logger
from orchestration.receivers import receivers_of
from orchestration.resources import build_database
from orchestration.sensors import (
    build_landing_sensor,
    build_operations_sensor,
    build_release_sensor,
    build_schedule,
)
from orchestration.settings import ROOT, Settings, export_as_of


def build_definitions(settings: Settings) -> dg.Definitions:
    """All definitions of one warehouse."""
    # What definitions and a run's events are made of lives on: to look through all of it for
    # garbage as often as Python does by itself was a tenth of a run with nothing new.
    gc.set_threshold(200_000, 20, 100)
    # Backfill policies are beta and pinned by the lock; nobody needs to read so at every start.
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    project = prepare_project(settings)
    partitions = dg.DailyPartitionsDefinition(
        start_date=settings.first_day.isoformat(), timezone=settings.reporting_time_zone
    )

    def as_of(context: dg.AssetExecutionContext) -> datetime:
        return as_of_run(context.run_tags, lambda: context.partition_time_window.end, settings.zone)

    def now() -> datetime:
        return datetime.now(UTC)

    code = code_version()

    extracts = ExtractOptions(
        landing=settings.landing_place,
        home=settings.home,
        profile=settings.profile,
        reporting_time_zone=settings.reporting_time_zone,
        shrink_limit=settings.max_shrink_share,
        as_of=as_of,
        now=now,
    )
    warehouse = WarehouseOptions(
        seeds=settings.seeds,
        code_version=code,
        variables=lambda: dbt_variables(settings),
        personal_columns=frozenset(
            column.name
            for contract in load_contracts().values()
            for column in contract.columns
            if column.personal
        ),
        target=build_target(settings),
        as_of=as_of,
        export_as_of=export_as_of,
        stored_together=lambda context: stored_together(context.instance, context.run_id),
    )
    releases = ReleaseOptions(
        releases=settings.releases,
        zone=settings.zone,
        code_version=code,
        configuration_version=lambda: fingerprint(seed_files(settings.seeds)),
        as_of=as_of,
        now=now,
    )
    alerts = AlertOptions(
        releases=settings.releases,
        seeds=settings.seeds,
        ledger_url=settings.ledger,
        receivers=receivers_of(settings),
        as_of=as_of,
        now=now,
        look_after=lambda instance: look_after(settings, instance, now=now()),
    )
    limits = ExtractLimits(
        build=settings.build_database,
        max_reject_share=settings.max_reject_share,
        max_rejects=settings.max_rejects,
        memory_limit=settings.memory_limit,
        as_of=lambda context: as_of_run(
            context.run.tags, lambda: context.partition_time_window.end, settings.zone
        ),
        stored_together=lambda context: stored_together(context.instance, context.run.run_id),
    )

    def landing() -> tuple[Landing, Profile]:
        listed = open_landing(settings.landing_place, spool=settings.spool)
        return listed, profile_for(listed, settings.profile)

    dbt_build = build_dbt_assets(warehouse, project, partitions)
    marts = [key for key in dbt_build.keys if key.path[0] not in ("staging", "intermediate")]
    daily, alerting, operating = build_jobs(partitions)
    return dg.Definitions(
        assets=[
            build_configuration_asset(warehouse, partitions),
            *build_raw_assets(extracts, [CONFIGURATION_KEY], partitions),
            build_ledger_asset(alerts, [CONFIGURATION_KEY], partitions),
            dbt_build,
            build_backtest_asset(partitions),
            build_release_asset(releases, [*sorted(marts), BACKTEST_KEY], partitions),
            build_cuts_asset(extracts, settings.seeds, RELEASE_KEY, partitions),
            *build_alert_assets(alerts, RELEASE_KEY),
            build_operations_asset(alerts),
        ],
        asset_checks=[
            build_configuration_check(settings.seeds, ROOT / "models", CONFIGURATION_KEY),
            build_landing_check(landing, CONFIGURATION_KEY),
            build_extract_checks(limits),
            *build_alert_checks(settings.ledger, EVALUATION_KEY, DELIVERY_KEY),
        ],
        jobs=[daily, alerting, operating],
        schedules=[build_schedule(settings, daily)],
        sensors=[
            build_landing_sensor(settings, daily),
            build_release_sensor(settings, alerting),
            build_operations_sensor(settings, operating),
        ],
        resources={
            "build": build_database(settings),
            "dbt": dbt_resource(project),
        },
        executor=dg.in_process_executor,
        loggers={"progress": progress_logger, "console": dg.colored_console_logger},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the warehouse that the environment names."""
    return build_definitions(Settings().export())
