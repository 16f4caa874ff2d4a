"""One step per source: what it makes, for whom, and what it says of each table."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster_duckdb import DuckDBResource

from assets.extracts.assets import ExtractOptions, build_raw_assets
from assets.extracts.contracts import load_contracts
from assets.extracts.tables import prepare

DAY = datetime(2025, 1, 1, tzinfo=UTC)
PARTITIONS = dg.DailyPartitionsDefinition(start_date="2024-12-01")


def options(bench: Any, home: Path) -> ExtractOptions:
    return ExtractOptions(
        landing=bench.landing,
        home=home,
        profile=None,
        reporting_time_zone="UTC",
        shrink_limit=0.5,
        as_of=lambda _: DAY,
        now=lambda: DAY,
    )


@pytest.fixture
def made(bench: Any, tmp_path: Path) -> list[dg.AssetsDefinition]:
    return build_raw_assets(options(bench, tmp_path), [], PARTITIONS)


def materialize(
    made: list[dg.AssetsDefinition], tmp_path: Path, *keys: str
) -> dict[str, dict[str, Any]]:
    """The metadata of each table that was made."""
    file = str(tmp_path / "build.duckdb")
    with duckdb.connect(file) as connection:
        prepare(connection)
    done = dg.materialize(
        made,
        selection=[dg.AssetKey(key.split("/")) for key in keys],
        partition_key="2024-12-31",
        resources={"build": DuckDBResource(database=file)},
        instance=dg.DagsterInstance.ephemeral(),
    )
    return {
        event.asset_key.to_user_string(): {
            name: value.value for name, value in event.materialization.metadata.items()
        }
        for event in done.get_asset_materialization_events()
        if event.asset_key is not None
    }


def test_there_is_a_step_per_source_and_an_asset_per_contract(
    made: list[dg.AssetsDefinition],
) -> None:
    """Seconds of every run spent on starting a step for each of the tables."""
    contracts = load_contracts()
    assert len(made) == len({contract.source for contract in contracts.values()})
    keys = {key.to_user_string() for definition in made for key in definition.keys}
    assert keys == {name.replace(".", "/") for name in contracts}


def test_only_the_tables_that_were_asked_for_are_loaded(
    bench: Any, events: Any, made: list[dg.AssetsDefinition], tmp_path: Path
) -> None:
    """A subset in the UI that loads everything, or metadata that the UI cannot draw."""
    bench.write("events/events/dt=2024-12-30/a.csv", events("e1", "e2"))
    bench.write("events/events/dt=2024-12-30/b.csv.gz", events("e2"))
    told = materialize(made, tmp_path, "events/events")
    assert list(told) == ["events/events"]
    said = told["events/events"]
    assert (said["dagster/row_count"], said["rows_duplicate"], said["files_new"]) == (2, 1, 2)
    assert said["file_formats"] == {"csv none": 1, "csv gzip": 1}
    assert said["watermark_at"] == datetime(2024, 12, 31, tzinfo=UTC).timestamp()


def test_a_landing_that_is_not_there_fails_with_its_sentence(
    bench: Any, made: list[dg.AssetsDefinition], tmp_path: Path
) -> None:
    """A run that goes on without its extracts, or ends in a traceback."""
    bench.landing.rmdir()
    with pytest.raises(dg.Failure, match="does not exist; create it, or name another one"):
        materialize(made, tmp_path, "events/events")
