"""One day's events of a large sample as one DuckDB query: visits, and what happens in them.

A visit is drawn first: who, when, on which device, how it goes. Its events follow at gaps of
seconds to minutes. Lengths of visits stand in a pattern, so that a day has exactly as many events
as are asked for, no window function is needed, and event number i of a day is the same whatever
else is asked.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from assets.extracts.sampling import words

# Monday to Sunday: how a week's events fall on its days. They sum to 7.
WEEKDAYS = (1.24, 1.33, 1.31, 1.26, 1.07, 0.42, 0.37)
# The lengths of sixteen visits in turn: 128 events.
LENGTHS = (3, 8, 1, 14, 5, 2, 26, 6, 10, 2, 4, 19, 1, 7, 12, 8)
MORE_MODULES = {
    "Search": ("core", 0.08, ("quick", "advanced", "saved")),
    "Calendar": ("core", 0.07, ("month", "week", "sharing", "rooms")),
    "Forms": ("automate", 0.05, ("builder", "responses", "embeds")),
    "Forecasts": ("insights", 0.04, ("pipeline", "scenarios", "goals")),
}
MODULES = {**words.MODULES, **MORE_MODULES}
CUSTOM_NAMES = ("report_shared", "comment_added", "offer_redeemed", "push_received", "tour_seen")
ERRORS = 60

VISITS = """
with present as (
    select *, row_number() over (order by u) - 1 as place, count(*) over () as size
    from users
    where created_day < {day} and (gone_day is null or gone_day > {day})
),
drawn as (
    -- The keenest come most: a share to the power of 3/2, by a root that every machine agrees on.
    select
        s,
        cast(floor(
            (select count(*) from present) * share('who', {key} + s) * sqrt(share('who', {key} + s))
        ) as bigint) as place,
        dice('way', {key} + s, 1000) as way,
        5 + cast(floor(295 * share('gap', {key} + s) * share('gap', {key} + s)) as integer) as gap,
        share('hour', {key} + s) + share('half', {key} + s) as hump,
        dice('module', {key} + s, 1000) as choice,
        dice('version', {key} + s, 4) as version
    from range({visits}) t(s)
),
visits as (
    -- A working day of ten hours, by the region's clock; one visit in twenty comes at any time.
    select
        s, way, gap, choice, version, u, account_id, user_id, region, breadth, device, n,
        case when dice('any time', {key} + s, 20) = 0 then dice('start', {key} + s, 77000)
            else (7 * 3600 + cast(18000 * hump as integer) + (array[0, 21600, 61200])[1 + region])
                % 77000 end as start
    from drawn inner join present using (place)
)
"""
EVENTS = """,
placed as (
    select
        visits.*, pattern.place, pattern.length,
        (s // {pattern}) * {events_of_pattern} + pattern.first + pattern.place as i,
        hash(hash('event', {seed}, {key} + i)) as h,
        dice('fate', {key} + i, 10000) as fate
    from visits inner join pattern on visits.s % {pattern} = pattern.slot
    where i < {events} and {keep}
),
chosen as (
    -- Bits of one hash are as good as many dice, and cheaper.
    select
        *,
        case
            when way < 10 then 'stranger' when way < 25 then 'unnamed'
            when way < 60 and length >= 3 and place < 2 then 'unnamed'
            when way between 60 and 69 then 'nobody'
            else 'known'
        end as who,
        case
            when way < 60 and way >= 25 and length >= 3 and place = 2 then 'identify'
            when way between 60 and 69 then 'use'
            when place = 0 and h % 10 < 7 then 'login'
            when h % 1000 < 15 then 'error'
            when h % 1000 < 50 then 'heartbeat'
            when h % 1000 < 100 then 'custom'
            else 'use'
        end as kind,
        -- Three in four events are in the visit's own module; an account uses some of all.
        cast(case when (h >> 10) % 4 > 0 then (u + choice % 3) % breadth
            else (h >> 12) % breadth end as integer) as m,
        cast((h >> 20) & 1023 as integer) as a,
        cast((h >> 30) & 1023 as integer) as b,
        cast((h >> 40) % {errors} as integer) as fault,
        {micros} + (start + place * gap) * 1000000::bigint
            + if(place = 0, 0, cast((h >> 46) % (gap * 1000) as bigint) * 1000) as us
    from placed
),
featured as (
    select
        *,
        kind not in ('login', 'identify') as has_module,
        (a * a * ({feature_counts})[1 + m]) // 1048576 as f
    from chosen
)
select
    i, fate,
    md5(concat_ws('-', {seed}, {day}, i)) as event_id,
    account_id,
    case when who = 'known' then user_id end as user_id,
    case
        when who = 'stranger' then 'visitor-' || s || '-{day}'
        when who = 'unnamed' or kind = 'identify' then 'anon-' || u || '-{fortnight}'
    end as anonymous_id,
    timezone('UTC', make_timestamp(us)) as occurred_at,
    timezone('UTC', make_timestamp(us + 200000 + a * 4000)) as received_at,
    kind as event_type,
    case when kind = 'custom' then ({custom_names})[1 + b % {customs}] end as event_name,
    case when has_module then ({packages})[1 + m] end as package,
    case when has_module then ({modules})[1 + m] end as module,
    case when has_module then ({features})[1 + m * 8 + f] end as feature,
    case when device = 3 then 's-' || s || '-{day}' end as session_id,
    case when kind = 'use' and b < 40 then cast(20 + a as integer) end as duration_seconds,
    case when kind = 'use' and b > 990 then cast(2 + a % 23 as bigint) end as quantity,
    case when who <> 'nobody' then ({devices})[1 + device] end as device,
    '4.{release}.' || version as app_version,
    case when kind = 'error' then 'fault-' || fault end as error_fingerprint,
    case when kind = 'error' then 'Something went wrong in step ' || fault end as error_message,
    case when kind = 'error' then fault % 3 = 0 end as is_unhandled,
    case when b between 100 and 150 then '{{"step": ' || a % 7 || '}}' end as attributes
from featured
"""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The seed, the first day, and how many events an average day of a week has."""

    seed: int
    first_day: date
    per_day: float

    @classmethod
    def of(cls, *, seed: int, first_day: date, events: int, days: int) -> "Pace":
        """The pace at which the first `days` days have that many events together."""
        even = cls(seed=seed, first_day=first_day, per_day=1.0)
        return replace(even, per_day=events / sum(even.weight(day) for day in range(days)))

    def date_of(self, day: int) -> date:
        """The date of a day that is counted from the first one."""
        return self.first_day + timedelta(days=day)

    def weight(self, day: int) -> float:
        """How busy a day is against an average one: a Tuesday is busier than a Sunday."""
        return WEEKDAYS[self.date_of(day).weekday()]

    def events(self, day: int) -> int:
        """How many events a day has."""
        return round(self.per_day * self.weight(day))


def pattern_rows() -> str:
    """The pattern as SQL that makes its table: one row per event of sixteen visits."""
    starts = [sum(LENGTHS[:slot]) for slot in range(len(LENGTHS))]
    rows = [
        f"({slot}, {start}, {length}, {place})"
        for slot, (start, length) in enumerate(zip(starts, LENGTHS, strict=True))
        for place in range(length)
    ]
    values = ", ".join(rows)
    return f"create table pattern as from (values {values}) t(slot, first, length, place)"


def events_of(pace: Pace, day: int, *, keep: str = "true") -> str:
    """The query of a day's events with their numbers `i` and a die of 10,000, in no order.

    Args:
        pace: what the sample is like.
        day: counted from the first one.
        keep: which of them, a condition on `i` and the die, `fate`.
    """
    date_of_day = pace.date_of(day)
    events = pace.events(day)
    words_of = {
        "packages": [module[0] for module in MODULES.values()],
        "modules": list(MODULES),
        "features": [name for module in MODULES.values() for name in _padded(module[2])],
        "devices": list(words.DEVICES),
        "custom_names": list(CUSTOM_NAMES),
        "feature_counts": [len(module[2]) for module in MODULES.values()],
    }
    return (VISITS + EVENTS).format(
        **words_of,
        seed=pace.seed,
        day=day,
        key=day * 10_000_000_000,
        visits=(events // sum(LENGTHS) + 1) * len(LENGTHS),
        events=events,
        pattern=len(LENGTHS),
        events_of_pattern=sum(LENGTHS),
        keep=keep,
        errors=ERRORS,
        customs=len(CUSTOM_NAMES),
        micros=(date_of_day.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000_000,
        fortnight=day // 14,
        release=date_of_day.toordinal() // 28 - 26_000,
    )


def _padded(features: tuple[str, ...]) -> list[str]:
    return [*features, *[features[0]] * (8 - len(features))]
