"""What is read how, and the one SQL statement that types and judges the rows of a file."""

from dataclasses import dataclass

from assets.extracts import casting
from assets.extracts.casting import literal, quoted
from assets.extracts.contracts import Contract
from assets.extracts.inspection import Inspection
from assets.extracts.landing import LandedFile
from assets.extracts.profiles import ColumnMap, ReadPlan

HASHED = "__row_hash"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read how: the file, its columns by position, the contract and the profile."""

    file: LandedFile
    inspection: Inspection
    contract: Contract
    plan: ReadPlan
    names: tuple[str, ...]
    table: str

    def text_of(self, how: ColumnMap | None) -> str:
        """The SQL of a contract column's text as it stands in the file; NULL if it is empty."""
        if how is None:
            return "cast(null as varchar)"
        if how.constant is not None:
            return literal(how.constant)
        if how.row_hash:
            return quoted(HASHED)
        parts = [self._cell(name) for name in how.source or ()]
        if len(parts) == 1:
            return parts[0]
        joined = ", ".join(f"coalesce({part}, '')" for part in parts)
        return f"nullif(concat_ws('|', {joined}), {literal('|' * (len(parts) - 1))})"

    def _cell(self, name: str) -> str:
        if name not in self.names:
            return "cast(null as varchar)"
        cell = f"c{self.names.index(name)}"
        empty = ", ".join(literal(word) for word in ("", *self.plan.null_values))
        return f"case when trim({cell}) not in ({empty}) then {cell} end"

    @property
    def used(self) -> set[str]:
        """The file's columns that some contract column is made from."""
        ways = (self.plan.column(column.name) for column in self.contract.columns)
        return {name for how in ways if how is not None for name in how.source or ()}


def statement(reading: Reading, source: str, *, raw: str = "null") -> str:
    """Reads `source` (columns _number, c0, c1, …) into typed columns.

    `_broken` is the number of the first rule that a row breaks.
    """
    contract, plan = reading.contract, reading.plan
    ways = {column.name: plan.column(column.name) for column in contract.columns}
    texts = [f"{reading.text_of(how)} as {quoted('t_' + name)}" for name, how in ways.items()]
    maps = [
        f"{casting.mapped(how, quoted('t_' + name))} as {quoted('m_' + name)}"
        for name, how in ways.items()
    ]
    values = [
        f"{casting.typed(c, ways[c.name], plan, quoted('m_' + c.name))} as {quoted(c.name)}"
        for c in contract.columns
    ]
    columns = ", ".join(quoted(name) for name in contract.column_names)
    return f"""
        create or replace temp table {quoted(reading.table)} as
        with source as ({_with_hash(reading, source)}),
        texts as (select *, {", ".join(texts)} from source),
        mapped as (select *, {", ".join(maps)} from texts),
        typed as (select *, {", ".join(values)} from mapped),
        judged as (select *, {_broken(reading)} as _broken from typed)
        select
            {columns}, {_extras(reading)} as _extras, _number as _row, _broken,
            {_offending(reading)} as _offending,
            case when _broken is not null then {_key_text(contract)} end as _key_text,
            cast(case when _broken is not null then {raw} end as varchar) as _raw
        from judged
    """  # noqa: S608


def _with_hash(reading: Reading, source: str) -> str:
    """The source, with the hash of each row's text and its ordinal among equal rows if needed."""
    ways = (reading.plan.column(column.name) for column in reading.contract.columns)
    if not any(how is not None and how.row_hash for how in ways):
        return source
    order = sorted(range(len(reading.names)), key=lambda n: reading.names[n])
    cells = ", ".join(f"coalesce(c{n}, chr(30))" for n in order)
    return f"""
        select *, _digest || '-' || row_number() over (partition by _digest order by _ordinal)
            as {quoted(HASHED)}
        from (
            select *, row_number() over () as _ordinal, md5(concat_ws(chr(31), {cells})) as _digest
            from ({source})
        )
        order by _ordinal
    """  # noqa: S608


def _broken(reading: Reading) -> str:
    rules = casting.rules(reading.contract, reading.plan)
    cases = " ".join(f"when {rule.broken_if} then {n}" for n, rule in enumerate(rules))
    return f"cast(case {cases} end as smallint)"


def _offending(reading: Reading) -> str:
    rules = casting.rules(reading.contract, reading.plan)
    cases = " ".join(f"when {n} then {quoted('t_' + rule.column)}" for n, rule in enumerate(rules))
    return f"case _broken {cases} end"


def _extras(reading: Reading) -> str:
    used = reading.used
    extra = [(n, name) for n, name in enumerate(reading.names) if name not in used]
    pairs = ", ".join(f"{literal(name)}, c{n}" for n, name in extra)
    return f"json_object({pairs})" if extra else "cast(null as json)"


def _key_text(contract: Contract) -> str:
    """The row's key as one text; NULL where a part of it cannot be read."""
    parts = ", ".join(f"cast({quoted(name)} as varchar)" for name in contract.key)
    known = " and ".join(f"{quoted(name)} is not null" for name in contract.key)
    return f"case when {known} then cast(to_json([{parts}]) as varchar) end"
