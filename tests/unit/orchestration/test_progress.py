"""The lines that somebody sees who watches a run."""

from typing import Any
from unittest.mock import Mock

import dagster as dg
from rich.console import Console

from orchestration.progress import _line_of

LOADED = {
    "files_new": 3,
    "files_refused": 0,
    "files_already_loaded": 4,
    "rows_read": 12,
    "rows_loaded": 1_234,
    "rows_rejected": 0,
    "rows_duplicate": 0,
    "refusals": [],
    "seconds": 0.25,
}


def line(key: str, **metadata: Any) -> str | None:
    made = dg.AssetMaterialization(asset_key=key.split("/"), metadata=metadata)
    return _line_of(Mock(event_type_value="ASSET_MATERIALIZATION", materialization=made))


def test_a_table_that_loaded_says_how_much() -> None:
    """A run that is silent for minutes."""
    said = line("crm/accounts", **LOADED)
    assert said is not None
    words = " ".join(said.split())
    assert words == "[green]✓[/] crm/accounts 1,234 rows from 3 new files [dim]0.2 s[/]"


def test_what_was_set_aside_is_said_at_once() -> None:
    """Rejected rows that one learns of after the run, if at all."""
    said = line("crm/accounts", **LOADED | {"rows_rejected": 2, "files_refused": 1})
    assert said is not None
    assert ", [yellow]2 rejected[/], [yellow]1 files refused[/] " in said


def test_refused_files_say_why() -> None:
    """A file that counts for nothing, and a reason that stands in a log."""
    sentences = [f"crm/accounts/{n}.csv [a]: no column updated_at" for n in range(5)]
    said = line("crm/accounts", **LOADED | {"files_refused": 5, "refusals": sentences})
    assert said is not None
    console = Console(width=200)
    with console.capture() as seen:
        console.print(said, highlight=False)
    assert [part.strip() for part in seen.get().splitlines()[1:]] == [
        *(f"! {sentence}" for sentence in sentences[:3]),
        "! and 2 more",
    ]


def test_a_table_without_new_files_says_why() -> None:
    """An incremental run that looks as if everything had been lost."""
    found = line("crm/accounts", **LOADED | {"files_new": 0, "files_already_loaded": 4})
    assert found is not None
    assert found.endswith("nothing new (4 files loaded)")


def test_a_table_that_never_landed_takes_no_line() -> None:
    """The few tables that did land are lost among two dozen that did not."""
    assert line("crm/goals", **LOADED | {"files_new": 0, "files_already_loaded": 0}) is None


def test_a_release_is_named() -> None:
    """A run that ends, and nobody knows in what."""
    assert line("releases/current", release="000001-2025-01-01") == (
        "  [green]✓[/] release [bold]000001-2025-01-01[/]"
    )


def test_models_have_no_line_of_their_own() -> None:
    """Sixty lines of views between what landed and what was released."""
    assert line("staging/stg_crm__accounts") is None
