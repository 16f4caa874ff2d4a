"""The jobs: the daily one to a release, the alerts that follow it, and who looks after both."""

from typing import Any

import dagster as dg

from assets.alerts.assets import DELIVERY_KEY, EVALUATION_KEY, OPERATIONS_KEY

AssetJob = Any  # what define_asset_job returns; Dagster does not export its type
ALERTS = dg.AssetSelection.assets(EVALUATION_KEY, DELIVERY_KEY)
OPERATIONS = dg.AssetSelection.assets(OPERATIONS_KEY)
# Both take seconds. One whose process was killed would go on for ever in Dagster's eyes, and its
# sensor would wait for it; one that holds the build is found by its lock (operations.py).
_AT_MOST = {"dagster/max_runtime": "1800"}


def build_jobs(
    partitions: dg.PartitionsDefinition,
) -> tuple[AssetJob, AssetJob, AssetJob]:
    """The daily job, one run for a day or a range of days; the alerts and the operations job."""
    daily = dg.define_asset_job(
        "daily",
        selection=dg.AssetSelection.all() - ALERTS - OPERATIONS,
        partitions_def=partitions,
        executor_def=dg.in_process_executor,  # one file, one writer
        description="Landing to release: load, build, check, publish.",
    )
    alerts = dg.define_asset_job(
        "alerts",
        selection=ALERTS,
        executor_def=dg.in_process_executor,
        tags=_AT_MOST,
        description="Evaluate the rules over every new release and deliver what they decided.",
    )
    operations = dg.define_asset_job(
        "operations",
        selection=OPERATIONS,
        executor_def=dg.in_process_executor,
        tags=_AT_MOST,
        description="Tell ops of red checks, failed or missing runs and late sources.",
    )
    return daily, alerts, operations
