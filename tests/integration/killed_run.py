"""`csw run` in a process that ends itself, as `kill -9` would, at a point that a test names.

Called as `python killed_run.py POINT run --home …`.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from dagster_dbt import DbtCliResource

from assets.extracts import batches
from assets.releases import folders, history
from orchestration import cli


def die(*_: object, **__: object) -> None:
    """What `kill -9` does: nothing is flushed, closed or undone."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_the_middle_of_loading() -> None:
    """Events are in the raw table, in a transaction that is never committed."""
    insert = batches.insert_rows

    def insert_and_die(connection: Any, contract: Any, *files: Any, **more: Any) -> None:
        insert(connection, contract, *files, **more)
        if contract.name == "events.events":
            die()

    batches.insert_rows = insert_and_die


def before_the_seal() -> None:
    """The release's file is written; it has no manifest yet."""
    build_models_alone()
    folders.seal = die


def after_the_record() -> None:
    """What was shown and the release's record are committed; nobody can see the release."""
    then_die_after(lambda: None)


def after_the_reveal() -> None:
    """The release has its name; `current` still points at the one before."""

    def arm() -> None:
        folders.flip = die

    then_die_after(arm)


def then_die_after(arm: Callable[[], None]) -> None:
    """Once the record is committed: ends the process, or arms what ends it later."""
    build_one_model()
    append = history.append_shown

    def append_and_then(*arguments: Any) -> Any:
        appended = append(*arguments)
        arm()
        if folders.flip is not die:
            die()
        return appended

    history.append_shown = append_and_then


def build_models_alone() -> None:
    """Leaves dbt's tests out: they take half of its time, and this run dies after them."""
    call_dbt_with("--exclude-resource-type", "test")


def build_one_model() -> None:
    """Takes the build as the run before left it: the same day's, and whole."""
    call_dbt_with("--exclude-resource-type", "test", "--select", "metric_registry")


def call_dbt_with(*more_arguments: str) -> None:
    call = DbtCliResource.cli

    def call_otherwise(self: DbtCliResource, arguments: list[str], **more: Any) -> Any:
        return call(self, [*arguments, *more_arguments], **more)

    DbtCliResource.cli = call_otherwise


POINTS: dict[str, Callable[[], None]] = {
    "loading": in_the_middle_of_loading,
    "seal": before_the_seal,
    "record": after_the_record,
    "reveal": after_the_reveal,
}

if __name__ == "__main__":
    POINTS[sys.argv.pop(1)]()
    cli.main()
