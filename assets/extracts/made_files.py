"""Writes what is made from the contracts: `python -m assets.extracts.made_files`.

dbt's source files, and the data dictionary beside the contracts.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from assets.extracts.contracts import Column, Contract, LoaderColumn, load_contracts
from assets.extracts.dictionary import PAGE, render_dictionary
from assets.extracts.landing_tables import LANDING_TABLES

MADE = (
    "# Made from assets/extracts/contracts by python -m assets.extracts.made_files; not by hand.\n"
)
STAGING = Path(__file__).parents[2] / "models" / "staging"


def render_dbt_sources(source: str) -> str:
    """The dbt source file of one source, as YAML text."""
    contracts = [c for c in load_contracts().values() if c.source == source]
    return _render(source, f"What landed from {source}, as delivered.", map(_table, contracts))


def render_landing_sources() -> str:
    """The dbt source file of the loader's own books, as YAML text."""
    tables = (
        _entry(name, description, map(_loader_column, columns))
        for name, (description, columns) in LANDING_TABLES.items()
    )
    return _render("landing", "The loader's books: what landed and what was set aside.", tables)


def made_files(staging: Path = STAGING, page: Path = PAGE) -> dict[Path, str]:
    """Every file that this module makes, with its text."""
    sources = sorted({contract.source for contract in load_contracts().values()})
    files = {staging / source / "_sources.yml": render_dbt_sources(source) for source in sources}
    files[staging / "_landing_sources.yml"] = render_landing_sources()
    return files | {page: render_dictionary()}


def _render(name: str, description: str, tables: Iterable[dict[str, Any]]) -> str:
    source = {"name": name, "schema": name, "description": description, "tables": list(tables)}
    document = {"version": 2, "sources": [source]}
    return MADE + yaml.safe_dump(document, sort_keys=False, width=1000, allow_unicode=True)


def _table(contract: Contract) -> dict[str, Any]:
    columns = [_contract_column(column) for column in contract.columns]
    columns += [_loader_column(column) for column in contract.loader_columns()]
    return _entry(contract.table, contract.description, columns)


def _entry(name: str, description: str, columns: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "description": description, "columns": list(columns)}


def _contract_column(column: Column) -> dict[str, Any]:
    said: dict[str, Any] = {"name": column.name, "description": column.description}
    said["data_type"] = column.duckdb_type.lower()
    return said | _personal(is_personal=column.personal)


def _loader_column(column: LoaderColumn) -> dict[str, Any]:
    said: dict[str, Any] = {"name": column.name, "description": column.description}
    said["data_type"] = column.duckdb_type.lower()
    return said | _personal(is_personal=column.personal)


def _personal(*, is_personal: bool) -> dict[str, Any]:
    return {"config": {"meta": {"personal": True}}} if is_personal else {}


def main() -> None:
    """Writes the files where dbt and people find them."""
    for path, text in made_files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
