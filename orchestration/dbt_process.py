"""The command `csw-dbt`: dbt as this warehouse starts it, in a process of its own."""

import gc
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.cli.main import cli
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager

# Where the build lies, and what a process may take of the machine.
_OF_THE_MACHINE = {"path", "config_options"}


def main() -> None:
    """Dbt with the arguments of this process.

    What dbt reads of the project lives as long as the process: to look through all of it for
    garbage as often as Python does by itself was a tenth of a build.
    """
    gc.set_threshold(200_000, 20, 100)
    keep_what_was_parsed(DuckDBCredentials)
    drop_unread_details(EventManager)
    cli()


def keep_what_was_parsed(credentials: Any) -> None:
    """Has dbt parse nothing anew because the build lies elsewhere, or may take more memory.

    dbt throws away what it made of the project, which takes a quarter of a minute to make, where a
    word of the connection differs. These are words that no model and no macro asks for.
    """
    keys = credentials._connection_keys  # noqa: SLF001 - dbt has no setting for it

    def keys_of_the_project(self: Any) -> tuple[str, ...]:
        return tuple(key for key in keys(self) if key not in _OF_THE_MACHINE)

    credentials._connection_keys = keys_of_the_project  # noqa: SLF001


def drop_unread_details(events: Any) -> None:
    """Drops details before they are put into words, where no log takes any.

    dbt makes JSON of each of ten thousand in a build, for a log that throws them away.
    """
    fire = events.fire_event

    def fire_if_read(
        self: Any, e: BaseEvent, level: EventLevel | None = None, *others: Any, **more: Any
    ) -> None:
        is_detail = (level or e.level_tag()) is EventLevel.DEBUG
        if not is_detail or any(logger.level is EventLevel.DEBUG for logger in self.loggers):
            fire(self, e, level, *others, **more)

    events.fire_event = fire_if_read


if __name__ == "__main__":
    main()
