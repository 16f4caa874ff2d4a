"""Who an account is in a release, and who of our own team looks after it."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from assets.alerts.accounts import Account, Person, account_of
from assets.alerts.release_columns import ACCOUNTS, CUSTOM_ATTRIBUTES, ReleaseColumns, Table
from assets.seed_files import CUSTOM
from assets.sql_text import quoted

SCORECARD: Table = ("accounts", "account_scorecard")
TEAM: Table = ("accounts", "account_team")
MEMBERS: Table = ("alerts", "dim_team_members")


def read_accounts(
    release: ReleaseColumns, account_ids: Iterable[str], day: date, known_then: str, ends: datetime
) -> dict[str, Account]:
    """The accounts asked for, with who looks after them on a day.

    One that the release doesn't know has its id only.

    Args:
        release: the release.
        account_ids: which accounts.
        day: the local day.
        known_then: the accounts as they were on that day (`accounts_of`).
        ends: the first instant after that day.
    """
    wanted = sorted(set(account_ids))
    known = sorted(release.of(ACCOUNTS) - {"account_id"})
    columns = ", ".join(f"cast({quoted(name)} as varchar)" for name in known)
    asked = {"wanted": wanted} | ({"ends": ends} if "$ends" in known_then else {})
    rows = release.connection.execute(
        f"select account_id, {columns} from {known_then} as accounts "  # noqa: S608 (its own columns)
        "where account_id in (select unnest($wanted::text[]))",
        asked,
    ).fetchall()
    attributes = {row[0]: _with_custom(dict(zip(known, row[1:], strict=True))) for row in rows}
    teams = _teams(release, wanted, day) if wanted else {}
    return {
        account_id: account_of(
            account_id, attributes.get(account_id, {}), teams.get(account_id, {})
        )
        for account_id in wanted
    }


def _teams(release: ReleaseColumns, wanted: list[str], day: date) -> dict[str, dict[str, Person]]:
    """Who looks after each account on a day, by role; the primary one, else the latest."""
    needed = {"account_id", "role", "team_member_id", "is_primary", "valid_from", "valid_to"}
    if not needed <= release.of(TEAM) or not release.of(MEMBERS):
        return _teams_of_the_scorecard(release, wanted)
    rows = release.connection.execute(
        """
        select
            team.account_id, team.role, team.team_member_id, members.full_name, members.email,
            managers.team_member_id, managers.full_name, managers.email
        from accounts.account_team as team
        left join alerts.dim_team_members as members
            on members.team_member_id = team.team_member_id
        left join alerts.dim_team_members as managers
            on managers.team_member_id = members.manager_id and managers.is_active
        where
            team.account_id in (select unnest($1::text[]))
            and cast(team.valid_from as date) <= $2
            and (team.valid_to is null or cast(team.valid_to as date) > $2)
            and coalesce(members.is_active, true)
        order by team.is_primary, team.valid_from, team.team_member_id
        """,
        [wanted, day],
    ).fetchall()
    teams: dict[str, dict[str, Person]] = {}
    # The account's manager is the one of its CSM, else of whoever else looks after it.
    for row in sorted(rows, key=lambda row: row[1] == "csm"):
        team = teams.setdefault(row[0], {})
        team[row[1]] = Person(team_member_id=row[2], full_name=row[3], email=row[4])
        if row[5]:
            team["manager"] = Person(team_member_id=row[5], full_name=row[6], email=row[7])
    return teams


def _teams_of_the_scorecard(
    release: ReleaseColumns, wanted: list[str]
) -> dict[str, dict[str, Person]]:
    if not {"csm_id", "csm_name", "csm_email"} <= release.of(SCORECARD):
        return {}
    rows = release.connection.execute(
        "select account_id, csm_id, csm_name, csm_email from accounts.account_scorecard "
        "where csm_id is not null and account_id in (select unnest(?::text[]))",
        [wanted],
    ).fetchall()
    return {
        row[0]: {"csm": Person(team_member_id=row[1], full_name=row[2], email=row[3])}
        for row in rows
    }


def _with_custom(attributes: Mapping[str, str | None]) -> dict[str, str | None]:
    """An account's attributes, each custom one under a name of its own."""
    told = json.loads(attributes.get(CUSTOM_ATTRIBUTES) or "{}") or {}
    custom = {
        CUSTOM + name: value if isinstance(value, str) or value is None else json.dumps(value)
        for name, value in told.items()
    }
    return {**attributes, **custom}
