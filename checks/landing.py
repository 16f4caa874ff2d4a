"""What lies in the landing and is read by nobody, so that a folder's typo is no silent zero."""

from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath

import dagster as dg

from assets.extracts.contracts import load_contracts
from assets.extracts.errors import ExtractError
from assets.extracts.landing import Landing, unclaimed
from assets.extracts.profiles import Profile
from checks.findings import Said

SHOWN = 20


def claimed_patterns(profile: Profile) -> tuple[str, ...]:
    """The patterns of all files that a profile reads: of tables, and of what they look up."""
    plans = [profile.table(contract) for contract in load_contracts().values()]
    tables = [pattern for plan in plans if plan is not None for pattern in plan.files]
    lookups = [pattern for lookup in profile.lookups.values() for pattern in lookup.files]
    return (*tables, *lookups)


def find_unclaimed(landing: Landing, profile: Profile) -> Said:
    """The folders of a landing with files that no table and no lookup of a profile reads."""
    paths = unclaimed(landing, claimed_patterns(profile))
    folders = Counter(_folder(path) for path in paths)
    if not folders:
        return Said(passed=True, sentence="every file belongs to a table")
    most = folders.most_common()
    such = ", ".join(f"{folder}/ ({files})" for folder, files in most[:3])
    return Said(
        passed=False,
        sentence=f"{len(paths)} files in {len(folders)} folders belong to no table of profile "
        f"{profile.name}: {such}; move them, or name them in the profile",
        rows=[{"folder": folder, "files": files} for folder, files in most[:SHOWN]],
    )


def _folder(path: str) -> str:
    """The folder of a file without its dt= part."""
    parts = [part for part in PurePosixPath(path).parts[:-1] if not part.startswith("dt=")]
    return "/".join(parts) or "."


def build_landing_check(
    landing: Callable[[], tuple[Landing, Profile]], configuration: dg.AssetKey
) -> dg.AssetChecksDefinition:
    """Warn of files that nobody reads.

    Args:
        landing: Opens and lists the landing, with the profile that reads it.
        configuration: The asset that the check stands on.
    """

    @dg.asset_check(
        asset=configuration,
        name="claims_every_file",
        description="Every file in the landing belongs to a table of the profile. To do: move the "
        "files shown, or name their folder in the profile; nothing, if they are none of ours.",
    )
    def claims_every_file() -> dg.AssetCheckResult:
        try:
            said = find_unclaimed(*landing())
        except ExtractError as error:
            # Whether the landing can be read at all is said by the step that loads it.
            said = Said(passed=False, sentence=str(error))
        return dg.AssetCheckResult(
            passed=said.passed,
            severity=dg.AssetCheckSeverity.WARN,
            description=said.sentence,
            metadata={"folders": dg.MetadataValue.json([dict(row) for row in said.rows])},
        )

    return claims_every_file
