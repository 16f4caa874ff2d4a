"""One line per thing that a run made, for whoever watches it."""

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape

_REFUSALS_SHOWN = 3


class ProgressHandler(logging.Handler):
    """Turns Dagster's events into one line per thing that was made."""

    console: Console | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Print the line of an event that a person wants to see."""
        event = getattr(record, "dagster_event", None)
        if self.console is None:
            return
        line = _line_of(event) if event else _said(record)
        if line:
            self.console.print(line, highlight=False)


@dg.logger
def progress_logger(init_context: dg.InitLoggerContext) -> logging.Logger:  # noqa: ARG001
    """A logger that prints the events which a person wants to see."""
    logger = logging.Logger("csw.progress", logging.DEBUG)
    logger.addHandler(ProgressHandler())
    return logger


@contextlib.contextmanager
def watched_by(console: Console) -> Iterator[None]:
    """Print the progress of what runs inside to a console."""
    ProgressHandler.console = console
    try:
        yield
    finally:
        ProgressHandler.console = None


def _said(record: logging.LogRecord) -> str | None:
    """What an asset wants to be read while it goes on, not only in the log."""
    if not getattr(record, "is_progress", False):
        return None
    *_, words = record.getMessage().split(" - ")  # Dagster puts the run's and the step's name first
    return f"  [dim]· {words}"


def _line_of(event: dg.DagsterEvent) -> str | None:
    if event.event_type_value == "STEP_START" and event.step_key == "dbt_build":
        return "  [dim]dbt builds and tests the models …"
    if event.event_type_value != "ASSET_MATERIALIZATION":
        return None
    materialization = event.materialization
    address = materialization.asset_key.to_user_string()
    metadata = {name: value.value for name, value in materialization.metadata.items()}
    if "rows_read" in metadata:
        return _raw_line(address, metadata)
    if address.startswith("releases/"):
        return f"  [green]✓[/] release [bold]{metadata['release']}[/]"
    return None


def _raw_line(address: str, metadata: Mapping[str, Any]) -> str | None:
    if not metadata["files_new"] and not metadata["files_refused"]:
        known = metadata["files_already_loaded"]
        # Most tables never land anywhere: their checks say so, once each.
        return f"  [dim]· {address:<32} nothing new ({known:,} files loaded)" if known else None
    refused = metadata["files_refused"]
    notes = "".join(
        f", [yellow]{count:,} {name}[/]"
        for name, count in (
            ("rejected", metadata["rows_rejected"]),
            ("duplicate", metadata["rows_duplicate"]),
            ("files refused", refused),
        )
        if count
    )
    line = (
        f"  [green]✓[/] {address:<32} {metadata['rows_loaded']:>9,} rows from "
        f"{metadata['files_new']:,} new files{notes} [dim]{metadata['seconds']:.1f} s[/]"
    )
    refusals = metadata["refusals"]
    told = [f"    [yellow]![/] {escape(sentence)}" for sentence in refusals[:_REFUSALS_SHOWN]]
    if len(refusals) > _REFUSALS_SHOWN:
        told.append(f"    [yellow]![/] and {len(refusals) - _REFUSALS_SHOWN:,} more")
    return "\n".join([line, *told])
