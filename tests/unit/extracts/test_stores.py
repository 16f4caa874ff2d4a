"""A landing in a bucket is what it would be in a folder; against an S3 API on loopback."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import from_url

from assets.extracts import seen
from assets.extracts.errors import ExtractError
from assets.extracts.known_log import KnownLog
from assets.extracts.landing import (
    Landing,
    find_files,
    fingerprint_of_names,
    newest_day,
    open_landing,
    profile_for,
    unclaimed,
)
from assets.extracts.stores import Bucket, open_store

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
URL = "s3://landing-of-tests/some/folder"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def environment(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "a-secret-word",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    return endpoint


class S3:
    """The bucket, from the side of the extract jobs."""

    def __init__(self, endpoint: str, spool: Path) -> None:
        from moto.backends import get_backend

        get_backend("s3").reset()
        self.spool = spool
        _create_bucket(endpoint)
        self._store = from_url(URL, client_options={"allow_http": True})

    def put(self, path: str, data: bytes) -> None:
        obstore.put(self._store, path, data)

    def delete(self, path: str) -> None:
        obstore.delete(self._store, path)

    def landing(self) -> Landing:
        return open_landing(URL, spool=self.spool)

    def copy(self, folder: Path) -> None:
        """Everything of a landing folder that an extract job wrote there."""
        for file in folder.rglob("*"):
            path = file.relative_to(folder).as_posix()
            if file.is_file() and not path.startswith(".csw"):
                self.put(path, file.read_bytes())

    def spooled(self) -> list[Path]:
        return [path for path in self.spool.rglob("*") if path.is_file()]


def _create_bucket(endpoint: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="landing-of-tests")


@pytest.fixture
def s3(environment: str, tmp_path: Path) -> S3:
    return S3(environment, tmp_path / "spool")


def land_some(bench: Any, events: Any, accounts: Any) -> None:
    bench.write("events/events/dt=2024-12-01/a.csv", events("e1", "e2"))
    bench.write("events/events/dt=2024-12-02/b.csv.gz", events("e2", "e3"))
    bench.write("events/events/dt=2024-12-03/ü = ?.csv", events("e4", quantity="many"))
    bench.write("events/events/_SUCCESS", "")
    bench.write("events/events/empty.csv", "")
    bench.write("crm/accounts/a.csv", accounts("a1"))


def test_a_bucket_gives_the_tables_that_a_folder_gives(
    bench: Any, events: Any, accounts: Any, s3: S3
) -> None:
    """A second reader with rules of its own."""
    land_some(bench, events, accounts)
    s3.copy(bench.landing)
    folder = open_landing(bench.landing)
    tables = ("events.events", "crm.accounts", "landing.quarantine")
    loads, contents = [], []
    for landing in (folder, s3.landing()):
        bench.rebuild()
        loads.append([bench.load(t, at=landing) for t in tables[:2]])
        contents.append([bench.rows(f"from {t} order by all") for t in tables])
    assert contents[0] == contents[1]
    assert [load.refusals for load in loads[0]] == [load.refusals for load in loads[1]]
    assert loads[1][0].rows_loaded == 3
    assert newest_day(s3.landing()) == newest_day(folder)
    assert s3.spooled() == []


def test_only_what_is_new_or_changed_is_fetched(
    bench: Any, events: Any, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket paid for as a whole on every run."""
    fetched: list[str] = []
    original = Bucket.fetch

    def counted(self: Bucket, entry: Any) -> None:
        fetched.append(entry.path)
        original(self, entry)

    monkeypatch.setattr(Bucket, "fetch", counted)
    s3.put("events/events/a.csv", events("e1").encode())
    s3.put("events/events/b.csv", events("e2").encode())
    bench.load("events.events", at=s3.landing())
    fetched.clear()
    again = bench.load("events.events", FIRST + timedelta(days=1), at=s3.landing())
    assert (again.files_new, again.files_already_loaded, fetched) == (0, 2, [])
    s3.put("events/events/b.csv", events("e3").encode())
    changed = bench.load("events.events", FIRST + timedelta(days=2), at=s3.landing())
    assert (changed.files_new, set(fetched)) == (1, {"events/events/b.csv"})
    assert bench.rows("select event_id from events.events order by 1") == [("e1",), ("e3",)]


def test_an_object_that_is_deleted_or_replaced_after_the_listing_loads_nothing_wrong(
    bench: Any, events: Any, s3: S3
) -> None:
    """A new object's rows under the old one's name and time, or a run that ends in a traceback."""
    for name in ("a", "b", "c"):
        s3.put(f"events/events/{name}.csv", events(f"of {name}").encode())
    listed = s3.landing()
    s3.delete("events/events/a.csv")
    s3.put("events/events/b.csv", events("another").encode())
    load = bench.load("events.events", at=listed)
    assert load.refusals == (
        "events/events/b.csv: was replaced while it was being read; run again.",
    )
    assert bench.rows("select event_id from events.events") == [("of c",)]
    assert bench.load("events.events", at=s3.landing()).refusals == ()
    assert bench.rows("select event_id from events.events order by 1") == [("another",), ("of c",)]


def test_a_file_that_vanishes_from_a_folder_after_the_listing_is_not_there(
    bench: Any, events: Any
) -> None:
    """A run that ends in a traceback because a job renamed its file."""
    bench.write("events/events/a.csv", events("e1"))
    landing = open_landing(bench.landing)
    (bench.landing / "events/events/a.csv").unlink()
    load = bench.load("events.events", at=landing)
    assert (load.files_new, load.files_refused) == (0, 0)


def test_the_log_lies_in_the_bucket(bench: Any, events: Any, s3: S3, tmp_path: Path) -> None:
    """A rebuild on another machine that forgets when a file came."""
    s3.put("events/events/a.csv", events("e1").encode())
    bench.load("events.events", FIRST, at=s3.landing())
    bench.rebuild()
    bench.load("events.events", FIRST + timedelta(days=365), at=s3.landing())
    assert bench.rows("select first_as_of from landing.deliveries") == [(FIRST,)]
    log = KnownLog.beside(s3.landing(), otherwise=tmp_path / "elsewhere")
    assert [known.path for known in log.of_table("events.events")] == ["events/events/a.csv"]


def test_a_bucket_that_may_only_be_read_is_remembered_at_home(
    bench: Any, events: Any, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A landing that is only lent to us stopping the load."""
    monkeypatch.setattr(Bucket, "write", lambda *_: False)
    s3.put("events/events/a.csv", events("e1").encode())
    bench.load("events.events", FIRST, at=s3.landing())
    assert (tmp_path / "home" / "deliveries.jsonl").is_file()


def test_the_profile_and_the_files_of_nobody_are_found_in_a_bucket(s3: S3) -> None:
    """A profile beside the extracts that only a folder has."""
    s3.put("profile.yml", b"name: mine\ndescription: Mine.\nextends: canonical\n")
    s3.put("crm/accounts/a.csv", b"x")
    s3.put("somewhere/b.csv", b"x")
    landing = s3.landing()
    assert profile_for(landing, None).name == "mine"
    assert profile_for(landing, "canonical").name == "canonical"
    assert unclaimed(landing, ["crm/accounts/**"]) == ("somewhere/b.csv",)
    before = fingerprint_of_names(landing)
    s3.put("somewhere/b.csv", b"y")
    assert fingerprint_of_names(s3.landing()) != before
    assert s3.spooled() == []


def test_a_folder_marker_is_no_file(s3: S3) -> None:
    """What a console writes for an empty folder refused as an unreadable file."""
    s3.put("crm/accounts", b"")
    s3.put("crm/accounts/a.csv", b"x")
    assert [f.path for f in find_files(s3.landing(), "crm/**")] == ["crm/accounts/a.csv"]


@pytest.mark.parametrize("url", ["s3://no-such-bucket-of-ours", "s3://unreachable-bucket/x"])
def test_a_bucket_that_is_not_there_is_one_sentence_without_secrets(
    environment: str, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys and signed addresses in a log."""
    if "unreachable" in url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ExtractError) as caught:
        open_landing(url, spool=tmp_path)
    said = str(caught.value)
    assert said.startswith(f"The landing {url} ")
    assert said.count("\n") == 0
    assert "secret" not in said
    assert environment.removeprefix("http://") not in said


@pytest.mark.parametrize(
    "url",
    ["s3://key:word@bucket/x", "s3://bucket/x?sig=word", "ftp://bucket/x", "s3:///x"],
)
def test_a_url_that_is_no_landing_is_refused(url: str, tmp_path: Path) -> None:
    """Credentials in a setting, from where they get into every log."""
    with pytest.raises(ExtractError) as caught:
        open_store(url, tmp_path)
    assert "word" not in str(caught.value)


def test_a_changed_file_with_the_old_times_is_read_again(
    bench: Any, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file changed within the clock's granularity taken for the one that was read."""
    bench.write("events/events/a.csv", events("e1"))
    bench.load("events.events")
    assert bench.rows("from landing.files") == []
    later = (bench.landing / "events/events/a.csv").stat().st_ctime_ns + 3 * seen.CLEARLY_NS
    bench.load("events.events", FIRST + timedelta(days=1), clock_ns=lambda: later)
    looked: list[str] = []
    monkeypatch.setattr("assets.extracts.loader.look", lambda _, file: looked.append(file.path))
    bench.load("events.events", FIRST + timedelta(days=2), clock_ns=lambda: later)
    assert looked == []
    bench.write("events/events/a.csv", events("e2"))
    bench.load("events.events", FIRST + timedelta(days=3), clock_ns=lambda: later)
    assert looked == ["events/events/a.csv"]


def test_a_lasting_refusal_is_not_read_again_until_the_profile_changes(
    bench: Any, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gigabytes that are refused anew every morning, or for ever though the profile was mended."""
    file = bench.write("events/events/a.csv", events("e1").replace(",", ";"))
    later = file.stat().st_ctime_ns + 3 * seen.CLEARLY_NS
    first = bench.load("events.events", clock_ns=lambda: later)
    with monkeypatch.context() as patch:
        patch.setattr("assets.extracts.loader.look", lambda *_: pytest.fail("was read"))
        again = bench.load("events.events", clock_ns=lambda: later)
    assert again.refusals == first.refusals
    bench.write(
        "profile.yml",
        "name: mine\ndescription: Mine.\nextends: canonical\n"
        "tables: {events.events: {delimiter: ';'}}\n",
    )
    assert bench.load("events.events", clock_ns=lambda: later).rows_loaded == 1
    assert bench.rows("select refusal from landing.files") == [(None,)]
