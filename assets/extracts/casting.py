"""SQL expressions that turn a file's text into a contract's types, and the rules of a row.

Everything is text first, whatever the file's own types are: a value that cannot be read is NULL
here and a rejected row later, never an error of the whole file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from assets.extracts.contracts import Column, Contract
from assets.extracts.profiles import EPOCHS, ColumnMap, ReadPlan
from assets.sql_text import literal, quoted

INTEGER = r"\s*[+-]?[0-9]+(\.0*)?\s*"
NUMBER = r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"
DAY_FIRST = r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
# An offset is written apart by some warehouses (10:00:00.000 +0200), and Z may be small.
APART = r"(:[0-9.]+)\s+([+-])"

# The rule of rows that come when raw rows of their day have gone (see retention.py).
TOO_OLD = "too_old"
# A row of an earlier year is a slip (0202 for 2022) or a system's least date. Its account would get
# a row for each day since, and what was always so is dated just before 1900 in the models.
FIRST_YEAR = 1900

TIMES_OF_DAY = ("%H", "%I", "%M", "%S", "%X", "%c", "%-H", "%-I")
INTEGERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)
NATIVE = {
    "bigint": INTEGERS,
    "decimal": (*INTEGERS, "DECIMAL"),
    "price": (*INTEGERS, "DECIMAL"),
    "seconds": (*INTEGERS, "DECIMAL"),
    "double": ("DOUBLE", "FLOAT"),
    "timestamp": ("TIMESTAMP", "DATE"),
    "date": ("DATE",),
    "boolean": ("BOOLEAN",),
}
REMEDIES = {
    "bigint": "is not a whole number",
    "decimal": "is not a number that fits DECIMAL(18,4); write it plain, with a decimal point",
    "price": "is not a number that fits DECIMAL(18,8); write it plain, with a decimal point",
    "seconds": "is not a number of seconds",
    "double": "is not a finite number",
    "timestamp": "is not a date or time; write it as 2024-12-31T23:59:59Z",
    "date": "is not a date; write it as 2024-12-31",
    "boolean": "is neither true nor false",
    "text": "is not text",
}


def raw_name(contract: Contract) -> str:
    """The raw table as SQL names it."""
    return f"{quoted(contract.source)}.{quoted(contract.table)}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that a row of a table must keep: when it is broken and what is said then."""

    column: str
    rule: str
    broken_if: str
    says: str


def typed(column: Column, how: ColumnMap | None, plan: ReadPlan, text: str) -> str:
    """The SQL that reads a column's text as its type; NULL where it cannot."""
    formats = () if how is None else how.format
    if column.type == "text":
        return text
    if column.type == "boolean":
        return boolean(text)
    if column.type in {"timestamp", "date"}:
        zone = literal(plan.time_zone)
        instant = _formatted(text, formats, zone) if formats else _instant(text, zone)
        return instant if column.type == "timestamp" else _day(text, formats, zone)
    return _number(column, text if how is None else _amount(column, how, plan, text))


def _amount(column: Column, how: ColumnMap, plan: ReadPlan, text: str) -> str:
    """The text of a number in the contract's unit and with its sign."""
    if how.scale is not None:
        text = _times(text, f"cast({literal(str(how.scale))} as decimal(12, 6))")
    if how.minor_units is not None:
        text = _times(text, _major_units(plan, quoted(f"u_{column.name}")))
    if how.negative:
        sign = f"case when {quoted('n_' + column.name)} then -1 else 1 end"
        text = _times(text, f"cast({sign} as decimal(1, 0))")
    return text


def as_it_is(column: Column, cell: str, kind: str, plan: ReadPlan) -> str | None:
    """The SQL that reads a typed cell without going through its text; None where that is needed.

    It gives what the text would give: a DOUBLE is read as its shortest decimal, so by its text.
    """
    if kind.startswith(NATIVE.get(column.type, ())) and not kind.endswith("]"):
        if column.type == "timestamp":
            return _native_instant(cell, kind, literal(plan.time_zone))
        if column.type == "date":
            return _within_calendar(cell, cell)
        if column.type == "double":
            value = f"cast({cell} as double)"
            return f"case when isfinite({value}) then {value} end"
        return f"try_cast({cell} as {column.duckdb_type})"
    return None


def text_of(cell: str, kind: str) -> str:
    """The SQL of a typed cell's text.

    A whole number is written as one: ids of which some are missing come as DOUBLE (12.0 of 12), as
    pandas has them. From 2**53 on a DOUBLE no longer tells one whole number from the next.
    """
    text = f"cast({cell} as varchar)"
    if kind not in NATIVE["double"]:
        return text
    is_whole = f"{cell} = trunc({cell}) and abs({cell}) < {2**53}"
    whole = f"cast(try_cast({cell} as bigint) as varchar)"
    return f"case when {text} = 'nan' then null when {is_whole} then {whole} else {text} end"


def filled(cell: str, kind: str) -> str:
    """The SQL of a typed cell, NULL where it is NaN, as pandas and Polars have what is missing.

    Its text tells: of isnan, and of comparisons, DuckDB decides by the least and greatest value
    that the file names of a column, and writers leave NaN out of these.
    """
    is_filled = f"cast({cell} as varchar) <> 'nan'"
    return f"case when {is_filled} then {cell} end" if kind in NATIVE["double"] else cell


def _native_instant(cell: str, kind: str, zone: str) -> str:
    if kind == "DATE":
        return _within_calendar(f"timezone({zone}, cast({cell} as timestamp))", cell)
    if kind == "TIMESTAMP WITH TIME ZONE":
        return _within_calendar(cell, cell)
    # Other precisions than microseconds can't be compared with every year.
    naive = f"cast({cell} as timestamp)"
    return _within_calendar(f"timezone('UTC', {naive})", naive)


def _within_calendar(value: str, cell: str) -> str:
    """What a text with four digits for the year can say; infinity is no date."""
    return f"case when isfinite({cell}) and year({cell}) between 1 and 9999 then {value} end"


def _number(column: Column, text: str) -> str:
    pattern = INTEGER if column.type == "bigint" else NUMBER
    value = f"try_cast({text} as {column.duckdb_type})"
    if column.type == "double":
        value = f"case when isfinite({value}) then {value} end"
    return f"case when regexp_full_match({text}, {literal(pattern)}) then {value} end"


def _times(text: str, factor: str) -> str:
    """The text of a number times a factor; NULL where it is no number."""
    number = f"case when regexp_full_match({text}, {literal(NUMBER)}) then {text} end"
    return f"cast(try_cast({number} as decimal(26, 8)) * {factor} as varchar)"


def _major_units(plan: ReadPlan, currency: str) -> str:
    """What one minor unit of a currency is of its unit; NULL without a currency."""
    cases = " ".join(
        f"when {literal(code)} then {10.0**-digits:.{digits}f}"
        for code, digits in plan.minor_unit_digits.items()
    )
    factor = f"case upper(trim({currency})) {cases} else 0.01 end" if cases else "0.01"
    return f"cast(case when {currency} is not null then {factor} end as decimal(6, 5))"


def boolean(text: str) -> str:
    """The SQL of a truth value's text."""
    return (
        f"case when lower(trim({text})) in ('true', 't', 'yes', 'y', '1') then true "
        f"when lower(trim({text})) in ('false', 'f', 'no', 'n', '0') then false end"
    )


def _instant(text: str, zone: str) -> str:
    """A date alone is local midnight of the profile's time zone; no offset means UTC."""
    joined = rf"upper(regexp_replace({text}, {literal(APART)}, '\1\2'))"
    return (
        f"case when not regexp_full_match({text}, {literal(DAY_FIRST)}) then null "
        f"when length(trim({text})) <= 10 then timezone({zone}, try_cast({text} as timestamp)) "
        f"else coalesce(try_cast({text} as timestamptz), try_cast({joined} as timestamptz)) end"
    )


def _formatted(text: str, formats: tuple[str, ...], zone: str) -> str:
    return f"coalesce({', '.join(_one_format(text, said, zone) for said in formats)})"


def _one_format(text: str, said: str, zone: str) -> str:
    if said in EPOCHS:
        return _epoch(text, 10 ** (6 - 3 * EPOCHS.index(said)))
    value = f"try_strptime(trim({text}), {literal(said)})"
    if "%z" in said or "%Z" in said:
        return f"cast({value} as timestamptz)"
    has_time = any(directive in said for directive in TIMES_OF_DAY)
    return f"timezone({literal('UTC') if has_time else zone}, {value})"


def _epoch(text: str, factor: int) -> str:
    """Units since 1970 as an instant; outside the years 1 to 9999 there is none."""
    number = f"case when regexp_full_match({text}, {literal(NUMBER)}) then {text} end"
    micros = f"try_cast(try_cast({number} as decimal(38, 6)) * {factor} as bigint)"
    return (
        f"case when {micros} between -62135596800000000 and 253402300799999999 "
        f"then timezone('UTC', make_timestamp({micros})) end"
    )


def _day(text: str, formats: tuple[str, ...], zone: str) -> str:
    if formats:
        read = (_one_day(text, said, zone) for said in formats)
        return f"coalesce({', '.join(read)})"
    return (
        f"case when regexp_full_match({text}, {literal(DAY_FIRST)}) "
        f"then try_cast({text} as date) end"
    )


def _one_day(text: str, said: str, zone: str) -> str:
    if said in EPOCHS:
        return f"cast(timezone({zone}, {_one_format(text, said, zone)}) as date)"
    return f"cast(try_strptime(trim({text}), {literal(said)}) as date)"


def rules(
    contract: Contract, plan: ReadPlan, retained_from: datetime | None = None
) -> tuple[Rule, ...]:
    """All rules of a table's rows, in the order in which the first broken one wins.

    They speak of `t_<column>` (text as in the file), `m_<column>` (after the value map),
    `h_<column>` (true where the file has a value) and the column itself (typed). Rows dated before
    `retained_from`, where there is one, come too late.
    """
    own = tuple(rule for column in contract.columns for rule in _column_rules(column, plan))
    if contract.dated_by is None:
        return own
    # What is valid from the least date on is valid since ever.
    dated = () if contract.dated_by == "valid_from" else (_too_early(contract.dated_by),)
    kept = () if retained_from is None else (_too_old(contract.dated_by, retained_from),)
    return (*own, *dated, *kept)


def _too_early(dated_by: str) -> Rule:
    return Rule(
        column=dated_by,
        rule="minimum",
        broken_if=f"{quoted(dated_by)} < cast('{FIRST_YEAR}-01-01T00:00:00+00:00' as timestamptz)",
        says=f"is before {FIRST_YEAR}",
    )


def _too_old(dated_by: str, retained_from: datetime) -> Rule:
    first = literal(retained_from.isoformat())
    return Rule(
        column=dated_by,
        rule=TOO_OLD,
        broken_if=f"{quoted(dated_by)} < cast({first} as timestamptz)",
        says=f"is older than retention, which begins {retained_from:%Y-%m-%d}",
    )


def _column_rules(column: Column, plan: ReadPlan) -> Iterator[Rule]:
    for name, broken_if, says in (*_reading_rules(column, plan), *_value_rules(column)):
        yield Rule(column=column.name, rule=name, broken_if=broken_if, says=says)


def _reading_rules(column: Column, plan: ReadPlan) -> Iterator[tuple[str, str, str]]:
    """What the text must be: a word of the value map, and of the column's type."""
    text, mapped, has, value = (quoted(f"{p}{column.name}") for p in ("t_", "m_", "h_", ""))
    how = plan.column(column.name)
    if how is not None and how.map is not None and how.unlisted == "reject" and "*" not in how.map:
        unknown = f"{text} is not null and {mapped} is null and not {_maps_to_nothing(text, how)}"
        listed = ", ".join(how.map)
        yield "allowed", unknown, f"is not in the value map of profile {plan.profile} ({listed})"
    if column.type != "text":
        remedy = REMEDIES[column.type]
        if how is not None and how.minor_units is not None:
            remedy += f", or the currency in {how.minor_units} is empty"
        yield "type", f"{has} and {value} is null", remedy


def _value_rules(column: Column) -> Iterator[tuple[str, str, str]]:
    """What the value must be: there, one of the allowed, not too small."""
    value = quoted(column.name)
    if column.required:
        yield "required", f"{value} is null", "is empty, and a row needs it"
    if column.allowed is not None:
        words = ", ".join(literal(word) for word in column.allowed)
        yield "allowed", f"{value} not in ({words})", f"is none of {', '.join(column.allowed)}"
    if column.minimum is not None:
        yield "minimum", f"{value} < {column.minimum}", f"is less than {column.minimum}"
    if column.maximum is not None:
        yield "maximum", f"{value} > {column.maximum}", f"is more than {column.maximum}"


def _maps_to_nothing(text: str, how: ColumnMap) -> str:
    empty = [word for word, value in (how.map or {}).items() if value is None]
    words = ", ".join(literal(word.lower()) for word in empty)
    return f"lower({text}) in ({words})" if empty else "false"


def mapped(how: ColumnMap | None, text: str) -> str:
    """The SQL of a column's text after the profile's value map; words are matched in any case."""
    if how is None or how.map is None:
        return text
    cases = " ".join(
        f"when {literal(word.lower())} then {'null' if value is None else literal(value)}"
        for word, value in how.map.items()
        if word != "*"
    )
    other = how.map.get("*")
    unlisted = text if how.unlisted == "keep" else "null"
    if other is not None:
        unlisted = f"case when {text} is not null then {literal(other)} end"
    found = f"case lower({text}) {cases} else {unlisted} end" if cases else unlisted
    if how.otherwise is None:
        return found
    # A rejected word stays NULL, so that its rule sees it; only what is empty is filled.
    empty = f"{text} is null" if how.unlisted == "reject" else f"({found}) is null"
    return f"case when {empty} then {literal(how.otherwise)} else {found} end"
