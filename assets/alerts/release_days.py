"""What a day's rows are joined with, as SQL over the columns that a release has.

Its parameters are `$day` and `$ends`, the first instant after that day.
"""

from collections.abc import Iterable

from assets.alerts.release_columns import ACCOUNTS, CHANGES, HEALTH, ReleaseColumns, Table
from assets.sql_text import quoted

HISTORY: Table = ("accounts", "account_history")
_EDITS = ("from_profile", "from_weights", "from_thresholds")
_PARTS = {"change", "from_missing", *_EDITS}
# In force at the day's very end, as `dim_accounts` has them at the as-of instant.
_STANDING = ("status", "csm_id", "csm_name", "is_lead")


def accounts_of(release: ReleaseColumns, *, is_last: bool) -> str:
    """The accounts with their attributes: of the release's last day, or as known on an earlier one.

    A release that brings three days judges each by the attributes of then, as three releases would.
    """
    known = {"account_id", "valid_from", "known_from"} <= release.of(HISTORY)
    if is_last or not known:
        return "accounts.dim_accounts"
    columns = [
        f"case when history.account_id is null then dim.{quoted(name)}"
        f" else {'standing' if name in _STANDING else 'history'}.{quoted(name)} end"
        f" as {quoted(name)}"
        if name in release.of(HISTORY)
        else f"dim.{quoted(name)}"
        for name in sorted(release.of(ACCOUNTS) - {"account_id"})
    ]
    return f"""(
        select {", ".join(["dim.account_id", *columns])}
        from accounts.dim_accounts as dim
        left join ({_version("valid_from < $ends")}) as history
            on history.account_id = dim.account_id
        left join ({_version("valid_from <= $ends")}) as standing
            on standing.account_id = dim.account_id
    )"""  # noqa: S608 (the columns are the release's own, quoted)


def _version(when: str) -> str:
    """The newest version of each account that was known at the day's end."""
    return (
        f"select * from accounts.account_history where {when} and known_from <= $ends "  # noqa: S608 (one of the two above)
        "qualify row_number() over (partition by account_id order by valid_from desc) = 1"
    )


def moved(release: ReleaseColumns, windows: Iterable[int]) -> list[str]:
    """What moved the health: on the day, and in the windows of days that rules look back over."""
    columns = []
    if release.of(CHANGES) >= _PARTS:
        gone = "fading.from_missing, " if _tells_what_is_gone(release) else ""
        columns = [
            f"coalesce(cast({_edits('changes')} as double), 0) as h_configuration",
            f"coalesce(cast(coalesce({gone}changes.from_missing, 0) as double), 0) as h_missing",
            "cast(changes.change as double) as h_change",
        ]
        for days in sorted(windows):
            columns += [
                f"coalesce(cast(moves.edits_{days} as double), 0) as h_configuration_{days}",
                f"coalesce(cast(moves.missing_{days} as double), 0) as h_missing_{days}",
            ]
    if "is_held" in release.of(HEALTH):
        columns.append("coalesce(health.is_held, false) as h_is_held")
    return columns


def joins_of_moves(release: ReleaseColumns, windows: Iterable[int]) -> str:
    """The joins that `moved` needs beside those of the day."""
    if not release.of(CHANGES) >= _PARTS:
        return ""
    joins = []
    listed = sorted(windows)
    if listed:
        sums = ", ".join(
            f"sum({_edits('before')}) filter (where before.day > $day - {days}) as edits_{days}, "
            f"sum(before.from_missing) filter (where before.day > $day - {days}) as missing_{days}"
            for days in listed
        )
        joins.append(
            f"left join (select before.account_id, {sums} from health.fct_health_changes as before "  # noqa: S608 (numbers)
            f"where before.day > $day - {listed[-1]} and before.day <= $day "
            "group by before.account_id) as moves on moves.account_id = metrics.account_id"
        )
    if _tells_what_is_gone(release):
        joins.append(_FADING)
    return " ".join(joins)


# What a score has gained by missing and stale inputs since it last had all of them: a stale one
# fades over weeks, and on none of those days does the score rise by much.
_FADING = """
    left join (
        select before.account_id, sum(before.from_missing) as from_missing
        from health.fct_health_changes as before
        inner join (
            select
                account_id,
                coalesce(max(day) filter (where lost_inputs is null), date '1900-01-01') as whole_on
            from health.fct_account_health_daily
            where
                day <= $day
                and account_id in (
                    select account_id from health.fct_account_health_daily
                    where day = $day and lost_inputs is not null
                )
            group by account_id
        ) as gone
            on gone.account_id = before.account_id and before.day > gone.whole_on
        where before.day <= $day
        group by before.account_id
    ) as fading on fading.account_id = metrics.account_id
"""


def _tells_what_is_gone(release: ReleaseColumns) -> bool:
    return "lost_inputs" in release.of(HEALTH)


def _edits(table: str) -> str:
    """What edits of the configuration did; an edit has the three parts, or none."""
    return " + ".join(f"{table}.{name}" for name in _EDITS)
