"""The data dictionary: what the contracts say, as a page and as rows for a table."""

from collections.abc import Iterator

from assets.extracts.contracts import FOLDER, Column, Contract, load_contracts

PAGE = FOLDER / "README.md"
HEADERS = ("column", "type", "required", "key", "allowed", "references", "personal", "meaning")
_PREFACE = """\
<!-- Made from the contracts by python -m assets.extracts.made_files, not by hand -->
# Contracts: what may land

A contract says of one table which columns its files hold, of which type, which are required, what
the key is and what each column means. It is said here once; the loader's types and reject reasons,
the checks of a delivered batch, dbt's source files and this page are made from it.

**To add a table**: write `<source>/<table>.yml` beside this page and run
`python -m assets.extracts.made_files`. Then files in `<landing>/<source>/<table>/` are loaded.

```yaml
source: crm
table: visits
description: One row per visit to a customer and landed version.
mode: upsert            # append: what happened, once; upsert: newest version wins; full: snapshots
key: [visit_id]
dated_by: visited_at    # rows dated at or after the as-of instant are left out
columns:
  - name: visit_id
    type: text
    required: true
    description: The source's own id of the visit.
  - name: visited_at
    type: timestamp
    required: true
    description: When it took place; dates the row.
```

**Types**: `text`; `bigint` a whole number; `decimal` with 4 digits after the point; `price` with 8;
`seconds` with 6; `double`; `timestamp` an instant, UTC unless it carries an offset; `date`;
`boolean`. **Also**: `allowed` words, `minimum`, `maximum`, `references` (a row whose parent has not
landed waits, it is not rejected), `personal`, and `instant` for what does not date the row: a
`plan` may lie ahead, a `happening` is empty until it has happened. `never_stored` names columns
that are dropped unread. Everything else that a file holds is kept in `_extras`, as personal data.
"""


def render_dictionary() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_PREFACE, *(_section(contract) for contract in load_contracts().values())])


def dictionary_rows(contract: Contract) -> tuple[tuple[str, ...], ...]:
    """One row of text per column of a contract, in the order of HEADERS."""
    return tuple(_row(contract, column) for column in contract.columns)


def contract_rows() -> tuple[tuple[str, ...], ...]:
    """One row of text per contract: table, mode, key, what dates a row, and what a row is."""
    return tuple(
        (c.name, c.mode, ", ".join(c.key), c.dated_by or "", c.description)
        for c in load_contracts().values()
    )


def _section(contract: Contract) -> str:
    lines = [f"## {contract.name}", "", contract.description, "", f"{_facts(contract)}.", ""]
    lines += [_line(HEADERS), _line(("---",) * len(HEADERS))]
    lines += [_line(row) for row in dictionary_rows(contract)]
    return "\n".join([*lines, ""])


def _facts(contract: Contract) -> str:
    said = [f"Mode `{contract.mode}`"]
    if contract.dated_by is not None:
        said.append(f"dated by `{contract.dated_by}`")
    if contract.expected_within_days is not None:
        said.append(f"expected within {contract.expected_within_days} days")
    if contract.never_stored:
        said.append(f"never stored: {', '.join(contract.never_stored)}")
    return "; ".join(said)


def _row(contract: Contract, column: Column) -> tuple[str, ...]:
    return (
        column.name,
        column.type if column.instant is None else f"{column.type}, {column.instant}",
        "yes" if column.required else "",
        "yes" if column.name in contract.key else "",
        "; ".join(_allowed(column)),
        column.references or "",
        "yes" if column.personal else "",
        column.description,
    )


def _allowed(column: Column) -> Iterator[str]:
    if column.allowed is not None:
        yield ", ".join(column.allowed)
    if column.minimum is not None:
        yield f"at least {column.minimum}"
    if column.maximum is not None:
        yield f"at most {column.maximum}"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
