"""`csw-dbt` for unit tests, without what dbt does again for each of their thousands of tables.

Called as `python dbt_unit_tests.py test --select …`.
"""

import re
from typing import Any

from dbt import compilation
from dbt.adapters.duckdb.impl import DuckDBAdapter

from orchestration.dbt_process import main

TO_THE_FIRST_CTE = re.compile(r"(\s|--[^\n]*\n)*with\s+(recursive\s+)?", re.IGNORECASE)
MADE_FOR_ONE_TEST = "__dbt_tmp"

inject = compilation.inject_ctes_into_sql
columns_of = DuckDBAdapter.get_columns_in_relation
known: dict[str, Any] = {}


def inject_at_the_head(sql: str, ctes: list[Any]) -> str:
    """The same text: dbt parses all of a model to find its first `with`."""
    found = TO_THE_FIRST_CTE.match(sql)
    head = found.group() if found else sql
    return str(inject(head, ctes)) + sql[len(head) :]


def columns_asked_once(self: DuckDBAdapter, relation: Any) -> Any:
    """The columns of a table that stands for as long as the tests run."""
    name = str(relation)
    if MADE_FOR_ONE_TEST in name:
        return columns_of(self, relation)
    if name not in known:
        known[name] = columns_of(self, relation)
    return known[name]


if __name__ == "__main__":
    compilation.inject_ctes_into_sql = inject_at_the_head
    DuckDBAdapter.get_columns_in_relation = columns_asked_once
    main()
