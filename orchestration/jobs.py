"""The two jobs: the daily one from landing to release, and the alerts that follow a release."""

from typing import Any

import dagster as dg

from assets.alerts.assets import DELIVERY_KEY, EVALUATION_KEY

AssetJob = Any  # what define_asset_job returns; Dagster does not export its type
ALERTS = dg.AssetSelection.assets(EVALUATION_KEY, DELIVERY_KEY)


def build_jobs(
    partitions: dg.PartitionsDefinition,
) -> tuple[AssetJob, AssetJob]:
    """The daily job, one run for a day or a range of days, and the alerts job."""
    daily = dg.define_asset_job(
        "daily",
        selection=dg.AssetSelection.all() - ALERTS,
        partitions_def=partitions,
        executor_def=dg.in_process_executor,  # one file, one writer
        description="Landing to release: load, build, check, publish.",
    )
    alerts = dg.define_asset_job(
        "alerts",
        selection=ALERTS,
        executor_def=dg.in_process_executor,
        description="Evaluate the rules over every new release and deliver what they decided.",
    )
    return daily, alerts
