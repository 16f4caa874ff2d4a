"""Dbt as it is started here: it parses and says no more than is needed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt_common.events.base_types import EventLevel

from orchestration.dbt_process import drop_unread_details, keep_what_was_parsed


class Events:
    """What dbt fires its events at, with the level of each of its logs."""

    def __init__(self, *levels: EventLevel) -> None:
        self.loggers = [SimpleNamespace(level=level) for level in levels]
        self.fired: list[Any] = []

    def fire_event(self, e: Any, level: EventLevel | None = None) -> None:
        self.fired.append((e.name, level))


def event(name: str, level: EventLevel) -> Any:
    return SimpleNamespace(name=name, level_tag=lambda: level)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> type[Events]:
    """A class of events that is mended for one test."""
    monkeypatch.setattr(Events, "fire_event", Events.fire_event)
    drop_unread_details(Events)
    return Events


def test_a_build_elsewhere_is_the_same_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that was moved or copied, or more memory, and the whole project is parsed anew."""
    places = [tmp_path / folder / "build.duckdb" for folder in "ab"]
    monkeypatch.setattr(DuckDBCredentials, "_connection_keys", DuckDBCredentials._connection_keys)  # noqa: SLF001
    keep_what_was_parsed(DuckDBCredentials)
    here, there, other = (
        dict(DuckDBCredentials(path=str(place), schema=schema, **more).connection_info())
        for place, schema, more in (
            (places[0], "main", {}),
            (places[1], "main", {"config_options": {"memory_limit": "9GB"}}),
            (places[1], "side", {}),
        )
    )
    assert here == there
    assert here != other


def test_a_detail_that_no_log_takes_is_dropped(events: type[Events]) -> None:
    """Minutes for words that nobody reads; or a warning, or a raised detail, that is lost."""
    made = events(EventLevel.INFO, EventLevel.ERROR)
    for level in EventLevel:
        made.fire_event(event(level.value, level))
    made.fire_event(event("raised", EventLevel.DEBUG), EventLevel.INFO)
    assert made.fired == [
        *((level.value, None) for level in EventLevel if level is not EventLevel.DEBUG),
        ("raised", EventLevel.INFO),
    ]


def test_a_log_of_details_gets_them(events: type[Events]) -> None:
    """A log file for looking into a failure with half of what happened."""
    made = events(EventLevel.INFO, EventLevel.DEBUG)
    made.fire_event(event("detail", EventLevel.DEBUG))
    assert made.fired == [("detail", None)]
