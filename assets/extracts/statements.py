"""What is read how, and the one SQL statement that types and judges the rows of a file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from assets.extracts import casting
from assets.extracts.contracts import Contract
from assets.extracts.landing import LandedFile
from assets.extracts.places import Place, column_in, place_in, remainder
from assets.extracts.profiles import OR, ColumnMap, ReadPlan
from assets.sql_text import literal, quoted

HASHED = "__row_hash"
NOTHING = "cast(null as varchar)"


@dataclass(frozen=True, kw_only=True)
class LookupTable:
    """A lookup's rows in a temporary table: `lookup_key`, then v0, v1, … as text."""

    table: str
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read how: the file, its columns by position, the contract and the profile.

    `types` are the cells' types as DuckDB names them; text formats have VARCHAR alone.
    `described` are the columns as the file has them, as JSON. Rows dated before `retained_from`
    come too late.
    """

    file: LandedFile
    contract: Contract
    plan: ReadPlan
    names: tuple[str, ...]
    types: tuple[str, ...]
    described: str
    table: str
    lookups: Mapping[str, LookupTable] = field(default_factory=dict)
    retained_from: datetime | None = None

    @cached_property
    def rules(self) -> tuple[casting.Rule, ...]:
        """The rules of the table's rows; a broken one is known by its place among them."""
        return casting.rules(self.contract, self.plan, self.retained_from)

    @cached_property
    def ways(self) -> Mapping[str, ColumnMap | None]:
        """Where each contract column comes from."""
        return {column.name: self.plan.column(column.name) for column in self.contract.columns}

    @property
    def reshapes(self) -> bool:
        """True where the file's records are not the table's rows, or need another file's words."""
        return bool(self.plan.rows or self.plan.only or self.joins)

    @property
    def hashes(self) -> bool:
        """True where a column is the hash of its row."""
        return any(how is not None and how.row_hash for how in self.ways.values())

    @property
    def kept_names(self) -> list[tuple[int, str]]:
        """The file's columns that may be stored, each with its number."""
        never = {name.casefold() for name in self.contract.never_stored}
        return [(n, name) for n, name in enumerate(self.names) if name.casefold() not in never]

    @cached_property
    def absent(self) -> frozenset[str]:
        """The contract columns of which this file has nothing."""
        return frozenset(
            name
            for name, how in self.ways.items()
            if self.text_of(how) == NOTHING and (how is None or how.otherwise is None)
        )

    @property
    def hides(self) -> bool:
        """True where a record may hold what is never stored: JSON may hold it anywhere."""
        if self.file.format == "jsonl":
            return bool(self.contract.never_stored)
        return len(self.kept_names) < len(self.names)

    def place(self, name: str) -> Place | None:
        """Where a place that the profile names lies in this file; None where it does not."""
        return place_in(name, self.names, self.plan.rows)

    def text_of(self, how: ColumnMap | None) -> str:
        """The SQL of a contract column's text as it stands in the file; NULL if it is empty."""
        if how is None:
            return NOTHING
        if how.constant is not None:
            return literal(how.constant)
        if how.row_hash:
            return quoted(HASHED)
        text = self._text(how)
        if how.otherwise is None or how.map is not None:
            return text
        return f"coalesce({text}, {literal(how.otherwise)})"

    def _text(self, how: ColumnMap) -> str:
        if how.first_of is not None:
            return self.first(how.first_of)
        if how.lookup is not None:
            return self._unless_empty(self.found(how, (how.source or ("",))[0]))
        parts = [self.cell(name) for name in how.source or ()]
        if len(parts) == 1:
            return parts[0]
        if how.joined_by is not None:
            return f"nullif(concat_ws({literal(how.joined_by)}, {', '.join(parts)}), '')"
        joined = ", ".join(f"coalesce({part}, '')" for part in parts)
        return f"nullif(concat_ws('|', {joined}), {literal('|' * (len(parts) - 1))})"

    @cached_property
    def joins(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each lookup with the places of the key that it is joined by."""
        ways = (how for how in self.ways.values() if how is not None)
        return tuple(sorted({(h.lookup, h.by) for h in ways if h.lookup and h.by}))

    def found(self, how: ColumnMap, wanted: str) -> str:
        """The cell that a lookup's column has in a row of this file, as `l<join>_<column>`."""
        column = column_in(wanted, self.lookups[how.lookup or ""].names)
        if column is None:
            return NOTHING
        return f"l{self.joins.index((how.lookup or '', how.by or ()))}_{column}"

    def first(self, names: Sequence[str]) -> str:
        """The SQL of the first text at some places that is not empty."""
        cells = [self.cell(name) for name in names]
        return cells[0] if len(cells) == 1 else f"coalesce({', '.join(cells)})"

    def cell(self, name: str) -> str:
        """The SQL of the text at a place; NULL if it is empty or not there."""
        place = self.place(name)
        if place is None:
            return NOTHING
        if place.column is None:
            return self._unless_empty(place.text_in("_element"))
        column = f"c{place.column}"
        if place.path:
            return self._unless_empty(
                f"case when json_valid({column}) then {place.text_in(column)} end"
            )
        kind = self.types[place.column]
        if kind != "VARCHAR":
            column = casting.text_of(column, kind)
            return self._unless_empty(column) if self.plan.null_values else column
        return self._unless_empty(column)

    def _unless_empty(self, text: str) -> str:
        # What sorts after a blank holds more than blanks: that is cheaper to know than by trim.
        filled = f"({text} >= '!' or trim({text}) <> '')"
        if self.plan.null_values:
            empty = ", ".join(literal(word) for word in self.plan.null_values)
            filled += f" and trim({text}) not in ({empty})"
        return f"case when {filled} then {text} end"

    def native(self, column: str) -> tuple[str, str] | None:
        """The cell and type that a contract column is read from as it is, without its text."""
        how = self.ways[column]
        if how is None or self.plan.null_values or not how.is_plain:
            return None
        place = self.place((how.source or ("",))[0])
        if place is None or place.column is None or place.path:
            return None
        kind = self.types[place.column]
        return None if kind == "VARCHAR" else (f"c{place.column}", kind)


def statement(
    reading: Reading, source: str, *, raw: str = "null", passes: Sequence[str] = ()
) -> str:
    """The SELECT that reads `source` (columns _number, c0, c1, …) into typed columns.

    Columns of the source that are named in `passes` stand in it as they are.

    `_broken` is the number of the first rule that a row breaks. `_record` is the number of the
    record in the file, `_row` that of the row; NULL where both are the order of insertion.
    """
    contract = reading.contract
    texts = [f"{reading.text_of(how)} as {quoted('t_' + n)}" for n, how in reading.ways.items()]
    texts += [*_currencies(reading), *_signs(reading)]
    maps = [
        f"{casting.mapped(how, quoted('t_' + name))} as {quoted('m_' + name)}"
        for name, how in reading.ways.items()
    ]
    values = [f"{_value(reading, name)} as {quoted(name)}" for name in contract.column_names]
    columns = ", ".join(quoted(name) for name in contract.column_names)
    return f"""
        with source as ({_with_hash(reading, _rows(reading, source))}),
        texts as (select *, {", ".join(texts)} from source),
        mapped as (select *, {", ".join(maps)} from texts),
        typed as (select *, {", ".join([*_has(reading), *values])} from mapped),
        judged as (select *, {_broken(reading)} as _broken from typed)
        select
            {", ".join([columns, *passes])}, {_extras(reading)} as _extras, _row, _record,
            {_deleted(reading)}
            _broken, {_offending(reading)} as _offending,
            case when _broken is not null then {_key_text(contract)} end as _key_text,
            cast(case when _broken is not null then {raw} end as varchar) as _raw
        from judged
    """  # noqa: S608


def _has(reading: Reading) -> list[str]:
    """Whether the file has a value for a column; a typed cell is not made a text to know it."""
    natives = {name: reading.native(name) for name in reading.ways}
    tested = {
        name: quoted(f"m_{name}") if native is None else casting.filled(*native)
        for name, native in natives.items()
    }
    return [f"{cell} is not null as {quoted('h_' + name)}" for name, cell in tested.items()]


def _value(reading: Reading, name: str) -> str:
    column, how = reading.contract.column(name), reading.ways[name]
    if name in reading.absent:
        return f"cast(null as {column.duckdb_type})"
    native = reading.native(name)
    if native is not None:
        value = casting.as_it_is(column, *native, reading.plan)
        if value is not None:
            return value
    return casting.typed(column, how, reading.plan, quoted("m_" + name))


def _currencies(reading: Reading) -> list[str]:
    """The currency beside each amount that is in its minor units, as `u_<column>`."""
    ways = {n: how for n, how in reading.ways.items() if how and how.minor_units}
    return [f"{_currency(reading, how)} as {quoted('u_' + n)}" for n, how in ways.items()]


def _signs(reading: Reading) -> list[str]:
    """Whether each amount whose sign a word turns is turned, as `n_<column>`."""
    ways = {n: how for n, how in reading.ways.items() if how and how.negative}
    return [
        f"{' or '.join(_is_one_of(reading.cell(p), w) for p, w in how.negative.items())} "
        f"as {quoted('n_' + n)}"
        for n, how in ways.items()
    ]


def _currency(reading: Reading, how: ColumnMap) -> str:
    place = how.minor_units or ""
    return reading.found(how, place) if how.lookup is not None else reading.cell(place)


def _rows(reading: Reading, source: str) -> str:
    """The rows of the table in the records of the file, in the file's order."""
    if not reading.reshapes:
        return f"select *, _number as _record, _number as _row from ({source})"  # noqa: S608
    kept = " and ".join(
        _is_one_of(reading.first(n.split(OR)), w) for n, w in reading.plan.only.items()
    )
    number = "coalesce(_number, row_number() over ())"
    rows = f"""
        select * from (
            select * exclude (_number), _number as _record, {_element(reading)}
            from (select * replace ({number} as _number) from ({source}))
        )
        where {kept or "true"}
    """  # noqa: S608
    found = {
        reading.found(how, name)
        for how in reading.ways.values()
        if how is not None and how.lookup is not None
        for name in (*(how.source or ()), how.minor_units or "")
    } - {NOTHING}
    cells = "".join(f"{n.split('_')[0]}.v{n.split('_')[1]} as {n}, " for n in sorted(found))
    joins = " ".join(
        f"left join temp.{quoted(reading.lookups[name].table)} as l{n} "
        f"on {reading.first(by)} = l{n}.lookup_key"
        for n, (name, by) in enumerate(reading.joins)
    )
    return f"""
        select rows.*, {cells} row_number() over (order by _record, _position) as _row
        from ({rows}) as rows {joins}
        order by _record, _position
    """  # noqa: S608


def _is_one_of(cell: str, words: tuple[str, ...]) -> str:
    if "*" in words:
        return f"{cell} is not null"
    return f"lower({cell}) in ({', '.join(literal(word.lower()) for word in words)})"


def _element(reading: Reading) -> str:
    """The elements of the array that holds the rows, if the profile names one."""
    if reading.plan.rows is None:
        return "cast(null as json) as _element, 1 as _position"
    array = _json_at(reading, reading.plan.rows.removesuffix("[]"))
    if reading.plan.rows_otherwise is not None:
        # Ids alone say less than the one object that stands beside them.
        one = _json_at(reading, reading.plan.rows_otherwise)
        array = (
            f"case when json_type({one}) = 'OBJECT' and coalesce(json_type({array}, '$[0]'), '') "
            f"<> 'OBJECT' then {one} else {array} end"
        )
    # What is no array is taken for the one element of an array, and so is what is no JSON at all.
    is_said = f"({array}) is not null or {_has_cell(reading, reading.plan.rows)}"
    elements = (
        f"case json_type({array}) when 'ARRAY' then cast({array} as json[]) "
        f"when 'NULL' then null else case when {is_said} then [{array}] end end"
    )
    return f"unnest({elements}) as _element, generate_subscripts({elements}, 1) as _position"


def _has_cell(reading: Reading, rows: str) -> str:
    """Whether the array's column says anything in a row."""
    place = place_in(rows.removesuffix("[]"), reading.names, None)
    return "false" if place is None else f"c{place.column} is not null"


def _json_at(reading: Reading, name: str) -> str:
    """The JSON at a place; NULL where there is none."""
    place = place_in(name, reading.names, None)
    if place is None:
        return "cast(null as json)"
    whole = f"case when json_valid(c{place.column}) then cast(c{place.column} as json) end"
    return f"json_extract({whole}, {literal(place.path)})" if place.path else whole


def _with_hash(reading: Reading, source: str) -> str:
    """The source, with the hash of each row's text and its ordinal among equal rows if needed."""
    if not reading.hashes:
        return source
    order = sorted(range(len(reading.names)), key=lambda n: reading.names[n])
    texts = [f"cast(c{n} as varchar)" for n in order]
    texts += ["cast(_element as varchar)"] if reading.plan.rows else []
    cells = ", ".join(f"coalesce({text}, chr(30))" for text in texts)
    return f"""
        select *, _digest || '-' || row_number() over (partition by _digest order by _ordinal)
            as {quoted(HASHED)}
        from (
            select *, row_number() over () as _ordinal, md5(concat_ws(chr(31), {cells})) as _digest
            from ({source})
        )
        order by _ordinal
    """  # noqa: S608


def _rules(reading: Reading) -> list[tuple[int, casting.Rule]]:
    """The rules that a row of this file can break, each with its number among all of the table."""
    rules = enumerate(reading.rules)
    return [(n, r) for n, r in rules if r.rule == "required" or r.column not in reading.absent]


def _broken(reading: Reading) -> str:
    cases = " ".join(f"when {rule.broken_if} then {n}" for n, rule in _rules(reading))
    return f"cast(case {cases} end as smallint)"


def _offending(reading: Reading) -> str:
    cases = " ".join(f"when {n} then {quoted('t_' + rule.column)}" for n, rule in _rules(reading))
    return f"case _broken {cases} end"


def _deleted(reading: Reading) -> str:
    """Whether the row says that its key is gone; nothing for tables of what happened."""
    if not reading.contract.is_entity:
        return ""
    flags = [casting.boolean(reading.cell(n)) for n in reading.plan.deleted]
    flags += [_is_one_of(reading.cell(n), w) for n, w in reading.plan.deleted_words.items()]
    said = " or ".join(f"coalesce({flag}, false)" for flag in flags)
    return f"{said or 'false'} as _deleted,"


def _extras(reading: Reading) -> str:
    """What no contract column is made from, as one JSON object; of used JSON what is left of it."""
    left = remainder(
        reading.names,
        [n for how in reading.ways.values() if how is not None for n in how.places],
        rows=reading.plan.rows,
        never=reading.contract.never_stored,
    )
    pairs = [f"{literal(reading.names[n])}, {_without(reading, n, p)}" for n, p in left.columns]
    if left.element is not None and reading.plan.rows is not None:
        element = f"json_merge_patch(_element, {literal(json.dumps(left.element))})"
        pairs.append(f"{literal(reading.plan.rows)}, cast({element} as varchar)")
    return f"json_object({', '.join(pairs)})" if pairs else "cast(null as json)"


def _without(reading: Reading, column: int, patch: Mapping[str, object]) -> str:
    """A cell without what the patch takes out of the JSON object that it may hold."""
    text = f"c{column}"
    if reading.types[column] != "VARCHAR":
        return f"cast({casting.filled(text, reading.types[column])} as varchar)"
    if not patch:
        return text
    said = literal(json.dumps(patch))
    return (
        f"case when left({text}, 1) = '{{' and json_valid({text}) "
        f"then cast(json_merge_patch({text}, {said}) as varchar) else {text} end"
    )


def _key_text(contract: Contract) -> str:
    """The row's key as one text; NULL where a part of it cannot be read."""
    parts = ", ".join(f"cast({quoted(name)} as varchar)" for name in contract.key)
    known = " and ".join(f"{quoted(name)} is not null" for name in contract.key)
    return f"case when {known} then cast(to_json([{parts}]) as varchar) end"
