"""Names and texts in a statement, where DuckDB takes no parameters: DDL, ATTACH, read options."""


def literal(text: str) -> str:
    """A text as a SQL literal; never for what a row says: values are parameters."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """An identifier of a contract or a release, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
