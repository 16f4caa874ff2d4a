"""Great Expectations judges what was delivered: accepted and rejected rows together.

Row rules live in the loader; here the batch as a whole is judged, against its contract and
against the loads before it. Nothing here knows Dagster, and Great Expectations, which takes
seconds to import, is imported where it is used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from assets.extracts.casting import TOO_OLD
from assets.extracts.contracts import Contract
from assets.sql_text import literal, quoted
from checks.chance import most_by_chance
from checks.delivered_before import Before, look_back

Severity = Literal["block", "warn", "info"]

NULL_SHARE_RISE = 0.2
ROW_COUNT_FACTOR = 5.0


class Limits(Protocol):
    """How many rows of a batch may be rejected: a share of them, and always this many."""

    @property
    def max_reject_share(self) -> float:
        """Share of the batch's rows, 0 to 1."""

    @property
    def max_rejects(self) -> int:
        """Rows that are always tolerated."""

    @property
    def memory_limit(self) -> str:
        """DuckDB's bound on memory."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one expectation says of a batch. `error` is set where it could not be judged at all."""

    expectation: str
    column: str | None
    severity: Severity
    success: bool
    failed_rows: int
    tested_rows: int
    sentence: str
    error: str | None = None

    @property
    def share(self) -> float:
        """Failed rows of tested rows, 0 to 1."""
        return self.failed_rows / self.tested_rows if self.tested_rows else 0.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All findings on a batch."""

    table: str
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What could not be judged: neither passed nor failed."""
        return tuple(finding for finding in self.findings if finding.error is not None)

    def failed(self, severity: Severity) -> tuple[Finding, ...]:
        """What failed with this severity."""
        return tuple(
            f for f in self.findings if f.error is None and not f.success and f.severity == severity
        )


@dataclass(frozen=True, kw_only=True)
class _Expected:
    """One expectation to be made: its class, its arguments, and our words for it."""

    kind: str
    arguments: dict[str, Any]
    column: str | None
    severity: Severity
    says: str


def judge_delivery(
    database: Path, *, contract: Contract, delivery_ids: Sequence[int], limits: Limits
) -> Verdict:
    """Judges deliveries of one table as one batch.

    Args:
        database: the build; nobody may have it open for writing.
        contract: the table.
        delivery_ids: the batch, as `TableLoad.new_delivery_ids` names it.
        limits: how many rejects are tolerated.
    """
    before = look_back(database, contract=contract, delivery_ids=delivery_ids)
    expected = list(_expected(contract, before, limits))
    query = _query(contract, before, delivery_ids)
    results = _validate(database, query, expected, memory_limit=limits.memory_limit)
    findings = tuple(
        _finding(contract, expected[number], before, result)
        for number, result in sorted(results.items())
    )
    return Verdict(table=contract.name, findings=findings)


# What is expected


def _expected(contract: Contract, before: Before, limits: Limits) -> Iterator[_Expected]:
    columns = [*contract.duckdb_columns(), *_derived(before)]
    yield _Expected(
        kind="ExpectTableRowCountToBeBetween",
        arguments={"min_value": 1},
        column=None,
        severity="warn",
        says="the batch has rows",
    )
    yield _Expected(
        kind="ExpectTableColumnsToMatchSet",
        arguments={"column_set": columns, "exact_match": True},
        column=None,
        severity="block",
        says="the raw table has the columns of its contract and no others",
    )
    yield from _few_rejects(before, limits)
    yield from _like_before(before)


def _few_rejects(before: Before, limits: Limits) -> Iterator[_Expected]:
    """Few rows are rejected: of all, and for each column that some were rejected for."""
    tolerated = max(limits.max_reject_share, limits.max_rejects / max(before.batch_rows, 1))
    said = f"at most {limits.max_reject_share:.2%} or {limits.max_rejects} of the rows are rejected"
    broke = [(derived, name, f"{said} for {name or 'shape'}") for derived, name in _broke(before)]
    for derived, column, says in [("_broke_any", None, said), *broke]:
        yield _Expected(
            kind="ExpectColumnValuesToBeNull",
            arguments={"column": derived, "mostly": max(0.0, 1 - tolerated)},
            column=column,
            severity="block",
            says=says,
        )


def _like_before(before: Before) -> Iterator[_Expected]:
    if before.usual_rows is not None:
        least, most = before.usual_rows / ROW_COUNT_FACTOR, before.usual_rows * ROW_COUNT_FACTOR
        yield _Expected(
            kind="ExpectTableRowCountToBeBetween",
            arguments={"min_value": int(least), "max_value": int(most)},
            column=None,
            severity="warn",
            says=f"the batch has about as many rows as the last loads (median {before.usual_rows})",
        )
    for name, empty in before.empty.items():
        share = empty / before.last_rows
        yield _Expected(
            kind="ExpectColumnValuesToBeNull",
            arguments={"column": f"_empty_{name}", "mostly": _mostly_filled(before, empty)},
            column=name,
            severity="warn",
            says=f"{name} is empty about as often as in the batch before ({share:.0%})",
        )
    for name, words in before.words.items():
        yield _Expected(
            kind="ExpectColumnValuesToBeInSet",
            arguments={"column": name, "value_set": list(words)},
            column=name,
            severity="info",
            says=f"{name} has only values that were seen before",
        )


def _mostly_filled(before: Before, empty: int) -> float:
    """The share of rows that must have a value: few rows move far by chance, many never do."""
    rows = max(before.batch_rows, 1)
    by_chance = most_by_chance(rows, before=empty, rows_before=before.last_rows)
    rise = max(empty / before.last_rows + NULL_SHARE_RISE, (by_chance + 0.5) / rows)
    return max(0.0, 1 - rise)


# The batch


def _broke(before: Before) -> list[tuple[str, str | None]]:
    """A column that the query adds for each that rows were rejected for, and that column."""
    return [("_broke_shape" if name is None else f"_broke_{name}", name) for name in before.broken]


def _derived(before: Before) -> list[str]:
    """The columns that the query adds: what rows were rejected for, and what they left empty."""
    empty = [f"_empty_{name}" for name in before.empty]
    return ["_broke_any", *(derived for derived, _ in _broke(before)), *empty]


def _query(contract: Contract, before: Before, delivery_ids: Sequence[int]) -> str:
    """The batch's rows: those in the raw table, and those in quarantine with nothing but why.

    A row that is only older than what is kept tells nothing of the extract.
    """
    numbers = ", ".join(str(int(number)) for number in delivery_ids) or "null"
    alive = " and not _is_deleted" if contract.is_entity else ""
    empty = "".join(
        f", case when {quoted(name)} is null then true end as {quoted('_empty_' + name)}"
        for name in before.empty
    )
    broke = "".join(
        f", case when coalesce(column_name, '') = {literal(name or '')} then true end "
        f"as {quoted(derived)}"
        for derived, name in _broke(before)
    )
    return f"""
        select *{empty} from {quoted(contract.source)}.{quoted(contract.table)}
        where _delivery_id in ({numbers}){alive}
        union all by name
        select delivery_id as _delivery_id, true as _broke_any{broke}
        from landing.quarantine where delivery_id in ({numbers}) and rule <> '{TOO_OLD}'
    """  # noqa: S608


def _validate(
    database: Path, query: str, expected: Sequence[_Expected], *, memory_limit: str
) -> dict[int, Any]:
    """Great Expectations' result for each expectation, by its place in the list."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from sqlalchemy.pool import StaticPool

    from checks.buffered_duckdb import register

    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            analytics_enabled=False,
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    # One connection for all expectations: opening the file costs more than most of them.
    source = context.data_sources.add_sql(  # type: ignore[call-arg]
        name="build",
        connection_string=f"{register()}:///{database.as_posix()}",
        kwargs={
            "poolclass": StaticPool,
            "connect_args": {"read_only": True, "config": {"memory_limit": memory_limit}},
        },
    )
    try:
        asset = source.add_query_asset(name="batch", query=query)
        batch = asset.add_batch_definition_whole_table("batch").get_batch()
        made = [
            getattr(gx.expectations, each.kind)(**each.arguments, meta={"number": number})
            for number, each in enumerate(expected)
        ]
        suite = gx.ExpectationSuite(name="delivered", expectations=made)
        results = batch.validate(suite, result_format={"result_format": "BASIC"}).results
        return {_number(result): result for result in results}
    finally:
        # Left open, its connection is reported as leaked when the process ends, and keeps the file
        # locked against the next step's process.
        engine = source.get_execution_engine()
        engine.close()
        for pool in {engine.engine, source.get_engine()}:
            pool.dispose()


def _number(result: Any) -> int:
    """The place in our list of the expectation that a result belongs to."""
    return int(result.expectation_config.meta["number"])


# What it says


def _finding(contract: Contract, expected: _Expected, before: Before, result: Any) -> Finding:
    said = result.result
    error = _error(result.exception_info)
    tested = int(said.get("element_count") or before.batch_rows)
    failed = int(said.get("unexpected_count") or 0)
    return Finding(
        expectation=str(result.expectation_config.type),
        column=expected.column,
        severity=expected.severity,
        success=bool(result.success) and error is None,
        failed_rows=failed,
        tested_rows=tested,
        sentence=_sentence(contract, expected, result, error),
        error=error,
    )


def _error(info: dict[str, Any]) -> str | None:
    """What an expectation raised: its message, wherever Great Expectations put it."""
    every = [info] if "raised_exception" in info else list(info.values())
    messages = [str(one.get("exception_message")) for one in every if one.get("raised_exception")]
    return "; ".join(messages) or None


def _sentence(contract: Contract, expected: _Expected, result: Any, error: str | None) -> str:
    if error is not None:
        return f"{contract.name}: could not judge whether {expected.says}: {error}"
    said = result.result
    found = f"found {said.get('observed_value')}"
    if "element_count" in said:
        found = f"{said.get('unexpected_count') or 0} of {said['element_count']} rows"
    if expected.kind == "ExpectColumnValuesToBeInSet" and not result.success:
        new = sorted({str(value) for value in said.get("partial_unexpected_list", [])})
        found += f" have a new value, such as {', '.join(new[:5])}"
    return f"{contract.name}: {expected.says}: {'yes' if result.success else 'no'} ({found})."
