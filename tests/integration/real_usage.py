"""One landing of use that nobody here made up: crm5, git_activity and Snowplow's web events.

They are read where they lie, under their shipped profiles, and counted once more in plain Python
from the same files. Of crm5 every fortieth account lands, with all of its events; of git_activity
all events, and the accounts with a thousand or more: the CRM does not know the others.
"""

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from assets.extracts.profiles import FOLDER as PROFILES
from tests.integration.main_job import ROOT
from tests.recompute.usage_totals import Use, utc

DATA = ROOT.parent / "shared" / "data"
CRM5 = DATA / "crm5"
GIT = DATA / "git_activity" / "git_activity.parquet"
SNOWPLOW = DATA / "connectors/snowplow_web_0.15.2/integration_tests/data/source"
WEB = SNOWPLOW / "snowplow_web_events.csv"
EVERY = 40
MANY = 1000
SITE = "site"
MODULES = {
    module: set(ids)
    for module, ids in {
        "searches": range(4),
        "opportunities": range(4, 11),
        "contacts": range(11, 13),
        "leads": range(13, 18),
        "lists": range(18, 21),
        "meetings": range(21, 25),
    }.items()
}


class RealUsage:
    """The files, sliced, and what they say.

    Args:
        every: which crm5 accounts land, 1 for all.
        many: how many events make an account of git_activity known to the CRM.
    """

    def __init__(self, *, every: int = EVERY, many: int = MANY) -> None:
        self.every, self.many = every, many

    @cached_property
    def git(self) -> Sequence[dict[str, Any]]:
        return pl.read_parquet(GIT).to_dicts()

    @cached_property
    def git_accounts(self) -> dict[str, datetime]:
        """The accounts that the CRM knows, with their first event."""
        counted = pl.DataFrame(self.git).group_by("account_domain").len()
        known = {name for name, rows in counted.rows() if rows >= self.many and name != "other"}
        first: dict[str, datetime] = {}
        for row in self.git:
            name, at = row["account_domain"], datetime.fromisoformat(row["authored_at"])
            if name in known:
                first[name] = min(first.get(name, at), at)
        return first

    @cached_property
    def crm5_events(self) -> pl.DataFrame:
        lazy = pl.scan_parquet(CRM5 / "event.parquet")
        return lazy.filter(pl.col("account_id") % self.every == 0).collect()

    @cached_property
    def web(self) -> Sequence[dict[str, str]]:
        """Page views and pings, each id once."""
        with WEB.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["event"].startswith("page_")]
        return list({row["event_id"]: row for row in reversed(rows)}.values())

    def crm5_rows(self, file: str, column: str) -> list[dict[str, str]]:
        """The rows of a file of crm5 whose account lands."""
        with (CRM5 / file).open(encoding="utf-8", newline="") as lines:
            return [row for row in csv.DictReader(lines) if int(row[column]) % self.every == 0]

    def land(self, folder: Path, zone: str) -> None:
        """Writes the slices and links to the whole files, and the profile of all three."""
        folder.mkdir(parents=True)
        self.crm5_events.write_parquet(folder / "event.parquet")
        for name, column in {"account.csv": "id", "subscription.csv": "account_id"}.items():
            _write_csv(folder / name, self.crm5_rows(name, column))
        accounts = {name: at.isoformat() for name, at in self.git_accounts.items()}
        accounts[SITE] = "2020-01-01"
        _write_csv(
            folder / "accounts.csv",
            [{"account_id": k, "account_name": k, "created_at": at} for k, at in accounts.items()],
        )
        for file in (CRM5 / "event_type.csv", GIT, WEB):
            (folder / file.name).symlink_to(file)
        (folder / "profile.yml").write_text(yaml.safe_dump(_profile(zone)), encoding="utf-8")

    def uses(self) -> Iterator[Use]:
        """Every event of an account that the CRM knows."""
        yield from self._of_crm5()
        yield from self._of_git()
        for row in self.web:
            yield Use(
                account_id=SITE,
                user_id=row["domain_userid"] or None,
                at=utc(row["derived_tstamp"]),
                package=row["app_id"] or "(none)",
                module=row["page_urlhost"] or "(none)",
                feature=row["page_urlpath"] or "(none)",
                session_id=row["domain_sessionid"] or None,
                is_heartbeat=row["event"] == "page_ping",
            )

    def _of_crm5(self) -> Iterator[Use]:
        with (CRM5 / "event_type.csv").open(encoding="utf-8", newline="") as lines:
            names = {int(r["event_type_id"]): r["event_type_name"] for r in csv.DictReader(lines)}
        modules = {number: module for module, ids in MODULES.items() for number in ids}
        columns = ("account_id", "user_id", "event_time", "event_type_id")
        for account, user, at, kind in self.crm5_events.select(columns).iter_rows():
            yield Use(
                account_id=str(account),
                user_id=str(user),
                at=at.replace(tzinfo=UTC),
                module=modules[kind],
                feature=names[kind],
            )

    def _of_git(self) -> Iterator[Use]:
        for row in self.git:
            if row["account_domain"] in self.git_accounts:
                yield Use(
                    account_id=row["account_domain"],
                    user_id=row["user_id"],
                    at=datetime.fromisoformat(row["authored_at"]).astimezone(UTC),
                    package=row["product"],
                    module=row["module"],
                    quantity=int(row["files"]),
                )


def _write_csv(path: Path, rows: Sequence[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _profile(zone: str) -> dict[str, Any]:
    """The shipped profiles side by side; the web site is one account, its visitors are users.

    Dates of crm5 are local to the reporting zone, as those of a vendor's own account would be.
    """
    git, web = (_events_of(name) for name in ("git_activity", "snowplow"))
    web["columns"] |= {
        "account_id": {"constant": SITE},
        "user_id": "domain_userid",
        "anonymous_id": None,
    }
    web |= {"files": WEB.name, "only": {"event": ["page_view", "page_ping"]}}
    return {
        "extends": "crm5",
        "time_zone": zone,
        "tables": {
            "crm.accounts": {"also": [{"files": "accounts.csv"}]},
            "events.events": {"also": [git, web]},
        },
    }


def _events_of(profile: str) -> dict[str, Any]:
    said = yaml.safe_load((PROFILES / f"{profile}.yml").read_text(encoding="utf-8"))
    table: dict[str, Any] = said["tables"]["events.events"]
    return table
