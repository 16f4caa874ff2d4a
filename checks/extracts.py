"""What must be true of what landed, before a model reads it: one set of checks per raw table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from assets.extracts.contracts import Contract, load_contracts
from checks.delivered_now import Delivered, read_delivered
from checks.drift import judge_drift
from checks.findings import Cell, Said
from checks.freshness import judge_freshness
from checks.parents import find_waiting_rows

if TYPE_CHECKING:
    from checks.delivered import Finding, Verdict

_KEEPS = "keeps_its_contract"
_ADDS_UP = "accounts_for_every_row"
_WITHIN = "rejects_few_rows"
_READABLE = "has_readable_files"
_HAS_LANDED = "has_landed"
_PARENTS = "has_its_parents"
_FRESH = "is_fresh"
_ALIKE = "looks_like_before"
_INDISPENSABLE = "crm.accounts"
_BLOCK = dg.AssetCheckSeverity.ERROR
_WARN = dg.AssetCheckSeverity.WARN

_WHAT = {
    _KEEPS: "Great Expectations over what was delivered since the last release, accepted and "
    "rejected rows together, from the contract. To do: look at the findings, mend the extract, "
    "land it again.",
    _ADDS_UP: "Rows read = loaded + rejected + duplicates, for every file (invariant 22). A "
    "failure is a fault of the loader: report the file shown.",
    _WITHIN: "Not more rows rejected since the last release than the limits allow. To do: look at "
    "the reasons in landing.quarantine, mend the extract or the profile, land it again.",
    _READABLE: "No file was refused as a whole. To do: each sentence names file and remedy.",
    _PARENTS: "The account, user, subscription and so on of every row has landed, or is linked or "
    "merged. To do: land the parents shown, or a row of crm.account_links that says which account "
    "an id is.",
    _FRESH: "The table reaches as far as its contract, or its own rhythm, lets one expect. To do: "
    "look at the job that delivers it.",
    _ALIKE: "Columns, types and dates of what was delivered are like those of the run before, and "
    "a full extract ended few keys. To do: nothing, if the extract was changed on purpose; else "
    "mend it and land it again.",
    _HAS_LANDED: "Something of this table has landed. To do: nothing, if the source is not used.",
}

# Dagster knows no severity below a warning; the ledger does.
_INFO: dict[str, dg.MetadataValue] = {"severity": dg.MetadataValue.text("info")}
_WARNINGS = {_READABLE, _PARENTS, _FRESH, _ALIKE}


@dataclass(frozen=True, kw_only=True)
class ExtractLimits:
    """How much may be rejected before a release is stopped, and as of when tables are looked at.

    Attributes:
        build: The build database's file, which Great Expectations opens by itself.
        max_reject_share: Share of a table's rows in one run.
        max_rejects: Rows that are always tolerated.
        memory_limit: DuckDB's bound on memory.
        as_of: Reads a run's as-of from its context.
        stored_together: Stores what is told meanwhile in one commit.
    """

    build: Path
    max_reject_share: float
    max_rejects: int
    memory_limit: str
    as_of: Callable[[dg.AssetCheckExecutionContext], datetime]
    stored_together: Callable[[dg.AssetCheckExecutionContext], AbstractContextManager[None]]


def build_extract_checks(limits: ExtractLimits) -> dg.AssetChecksDefinition:
    """All checks on raw tables, in one step, so that Great Expectations is imported once."""
    contracts = list(load_contracts().values())

    @dg.multi_asset_check(
        name="judge_deliveries",
        pool="build",
        specs=[spec for contract in contracts for spec in _specs(contract)],
    )
    def judge_deliveries(
        context: dg.AssetCheckExecutionContext, build: DuckDBResource
    ) -> Iterator[dg.AssetCheckResult]:
        with build.get_connection() as connection:
            connection.execute("set TimeZone = 'UTC'")
            as_of = limits.as_of(context)
            delivered = [read_delivered(connection, each) for each in contracts]
            looked_at = [_look(connection, batch, as_of) for batch in delivered]
        results: list[dg.AssetCheckResult] = []
        for batch, found in zip(delivered, looked_at, strict=True):
            results += _judge(batch, limits)
            results += [_from_said(batch, name, said) for name, said in found.items()]
        with limits.stored_together(context):
            yield from results

    return judge_deliveries


def _specs(contract: Contract) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            name=name,
            asset=dg.AssetKey([contract.source, contract.table]),
            blocking=name not in _WARNINGS,
            description=what,
        )
        for name, what in _WHAT.items()
    ]


def _look(
    connection: duckdb.DuckDBPyConnection, batch: Delivered, as_of: datetime
) -> dict[str, Said]:
    """What can only be said with the build open, which Great Expectations opens by itself."""
    return {
        _PARENTS: find_waiting_rows(connection, batch.contract),
        _FRESH: judge_freshness(connection, batch.contract, as_of),
        _ALIKE: judge_drift(connection, batch.contract, batch.delivery_ids),
    }


def _from_said(batch: Delivered, name: str, said: Said) -> dg.AssetCheckResult:
    metadata = {key: dg.MetadataValue.text(str(value)) for key, value in said.facts.items()}
    return _result(
        batch,
        name,
        passed=said.passed,
        severity=_WARN,
        said=said.sentence,
        metadata=metadata
        | _counted(said.rows_failed, said.rows_tested)
        | ({"failing_rows": _table(said.rows)} if said.rows else {}),
    )


def _judge(batch: Delivered, limits: ExtractLimits) -> Iterator[dg.AssetCheckResult]:
    share = batch.rejected / batch.read if batch.read else 0.0
    too_many = share > limits.max_reject_share and batch.rejected > limits.max_rejects
    yield _result(
        batch,
        _ADDS_UP,
        passed=not batch.unaccounted,
        said=f"{len(batch.unaccounted)} files do not add up: {', '.join(batch.unaccounted[:5])}"
        if batch.unaccounted
        else "every file's rows are loaded, rejected or duplicates",
    )
    yield _result(
        batch,
        _WITHIN,
        passed=batch.rejected == 0 or not too_many,
        severity=_BLOCK,
        said=f"{batch.rejected} of {batch.read} rows rejected ({share:.2%}); blocks over "
        f"{limits.max_reject_share:.0%} and more than {limits.max_rejects} rows",
        metadata=_counted(batch.rejected, batch.read)
        | ({"failing_rows": _table(batch.rejects)} if batch.rejects else {}),
    )
    yield _result(
        batch,
        _READABLE,
        passed=not batch.refusals,
        severity=_WARN,
        said="\n".join(batch.refusals) or "every file could be read",
    )
    yield _judge_landed(batch)
    yield _judge_contract(batch, limits)


def _judge_landed(batch: Delivered) -> dg.AssetCheckResult:
    """Nothing can be built without accounts; any other table may never land."""
    said = "landed" if batch.has_landed else "not loaded: nothing of this table has landed"
    if batch.contract.name == _INDISPENSABLE and not batch.has_landed:
        said = "not loaded: land files in crm/accounts/, since nothing can be built without them"
        if batch.refusals:
            said = f"not loaded, and nothing can be built without it: {batch.refusals[0]}"
    return _result(
        batch,
        _HAS_LANDED,
        passed=batch.has_landed or batch.contract.name != _INDISPENSABLE,
        said=said,
        metadata={} if batch.contract.name == _INDISPENSABLE else _INFO,
    )


def _judge_contract(batch: Delivered, limits: ExtractLimits) -> dg.AssetCheckResult:
    if not batch.delivery_ids:
        return _result(batch, _KEEPS, passed=True, said="nothing new to judge")
    # Great Expectations takes seconds to import: only where something is to be judged.
    from checks.delivered import judge_delivery

    verdict = judge_delivery(
        limits.build,
        contract=batch.contract,
        delivery_ids=batch.delivery_ids,
        limits=limits,
    )
    return _from_verdict(batch, verdict)


def _from_verdict(batch: Delivered, verdict: "Verdict") -> dg.AssetCheckResult:
    stopping = [*verdict.errors, *verdict.failed("block")]
    noted = [*stopping, *verdict.failed("warn"), *verdict.failed("info")]
    said = "; ".join(finding.error or finding.sentence for finding in noted)
    return _result(
        batch,
        _KEEPS,
        passed=not stopping and not verdict.failed("warn"),
        severity=_BLOCK if stopping else _WARN,
        said=said or f"{len(verdict.findings)} expectations met",
        metadata=_counted(
            max((finding.failed_rows for finding in noted), default=0),
            max((finding.tested_rows for finding in verdict.findings), default=0),
        )
        | (_INFO if noted and not stopping and not verdict.failed("warn") else {})
        | ({"failing_rows": _table([_row(finding) for finding in noted])} if noted else {})
        | {
            "expectations": dg.MetadataValue.int(len(verdict.findings)),
            "findings": _table([_row(finding) for finding in verdict.findings]),
        },
    )


def _row(finding: "Finding") -> dict[str, Cell]:
    return {
        "expectation": finding.expectation,
        "column": finding.column,
        "severity": finding.severity,
        "met": finding.success,
        "failed_rows": finding.failed_rows,
        "tested_rows": finding.tested_rows,
        "says": finding.error or finding.sentence,
    }


def _result(
    batch: Delivered,
    name: str,
    *,
    passed: bool,
    said: str,
    severity: dg.AssetCheckSeverity = _BLOCK,
    metadata: dict[str, dg.MetadataValue] | None = None,
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey([batch.contract.source, batch.contract.table]),
        check_name=name,
        passed=passed,
        severity=severity,
        description=said,
        metadata=metadata or {},
    )


def _counted(failed: int | None, tested: int | None) -> dict[str, dg.MetadataValue]:
    """What the ledger keeps of a result beside its sentence (orchestration/operations.py)."""
    told = {"rows_failed": failed, "rows_tested": tested}
    return {name: dg.MetadataValue.int(n) for name, n in told.items() if n is not None}


def _table(records: Sequence[Mapping[str, Cell]]) -> dg.MetadataValue:
    names = list(records[0]) if records else []
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(record)) for record in records],
        schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in names]),
    )
