"""The first check of every run: the seeds name only what exists."""

from pathlib import Path

import dagster as dg

from checks.seeds import find_problems


def build_configuration_check(
    seeds: Path, models: Path, configuration: dg.AssetKey
) -> dg.AssetChecksDefinition:
    """Refuse a run whose seeds name what does not exist, before anything is loaded."""

    @dg.asset_check(
        asset=configuration,
        name="names_only_what_exists",
        blocking=True,
        description="Rules, filters, routes, profiles and conditions name metrics, attributes and "
        "operators that exist. To do: each sentence says file, line, column and what is allowed.",
    )
    def names_only_what_exists() -> dg.AssetCheckResult:
        problems = find_problems(seeds, models)
        return dg.AssetCheckResult(
            passed=not problems,
            description=" ".join(str(problem) for problem in problems) or "the seeds are sound",
            metadata={"problems": dg.MetadataValue.json([str(found) for found in problems])},
        )

    return names_only_what_exists
