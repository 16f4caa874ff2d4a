"""What real deliveries bring along, for a large sample on request: a few per cent of its rows.

An event's fate is drawn from its day and number alone, so that a later day knows which events of
earlier ones it still has to bring. A day's own events stay in its Parquet file, in nearly the
right order; whatever is odd comes beside it in a CSV file, its times as text.
"""

from assets.extracts.sampling.many_events import Pace, events_of

# Of 10,000 events so many fall to each kind; an event has one fate at most.
FATES = {
    "late by 2 days": 35,
    "late by 5 days": 10,
    "late by 40 days": 10,
    "twice": 20,
    "sent again the day after": 20,
    "in the future": 2,
    "before the account": 2,
    "of an unknown user": 10,
    "of an unknown account": 5,
    "with an empty user": 20,
    "bad": 5,
    "as text": 300,
}
DELAYS = {"late by 2 days": 2, "late by 5 days": 5, "late by 40 days": 40}
# What the CSV file brings in place of the Parquet file, and what both bring.
ODD = tuple(kind for kind in FATES if kind not in {*DELAYS, "twice", "sent again the day after"})

INSTANT = "%Y-%m-%dT%H:%M:%S.%g"
AS_TEXT = f"""
case i % 5
    when 0 then strftime(timezone('UTC', {{0}}), '{INSTANT}Z')
    when 1 then strftime(timezone('UTC', {{0}}) + interval 2 hour, '{INSTANT}+02:00')
    when 2 then strftime(timezone('UTC', {{0}}) - interval 330 minute, '{INSTANT}-05:30')
    when 3 then strftime(timezone('UTC', {{0}}) + interval 9 hour, '%Y-%m-%d %H:%M:%S+09')
    else strftime(timezone('UTC', {{0}}), '%Y-%m-%d %H:%M:%S')
end
"""
KINDS = "case " + " ".join(f"when {{among[{kind}]}} then '{kind}'" for kind in FATES) + " end"
CHANGED = f"""
with brought as ({{brought}}),
named as (select *, {KINDS} as kind from brought),
moved as (
    select * replace (
        case kind
            when 'in the future' then occurred_at + interval 400 day
            when 'before the account' then occurred_at - interval 2000 day
            else occurred_at
        end as occurred_at
    )
    from named
)
select * replace (
    case when kind = 'of an unknown account' then 'nobody-' || i % 7
        when kind = 'bad' and i % 4 = 0 then null else account_id end as account_id,
    case kind when 'of an unknown user' then 'ghost-' || i % 50
        when 'with an empty user' then '' else user_id end as user_id,
    case when kind = 'bad' and i % 4 = 1 then '2026-02-31T25:61:00Z'
        else {AS_TEXT.format("occurred_at")} end as occurred_at,
    {AS_TEXT.format("received_at")} as received_at,
    case when kind = 'bad' and i % 4 = 2 then '-3' else cast(quantity as varchar) end as quantity,
    case when kind = 'bad' and i % 4 = 3 then 'a while'
        else cast(duration_seconds as varchar) end as duration_seconds
)
from moved
order by event_id
"""  # noqa: S608 - words of our own


def regular_events(pace: Pace, day: int) -> str:
    """What a day's Parquet file holds: its events in time, one in fifty hours out of order."""
    left_out = " or ".join(_among(kind) for kind in (*DELAYS, *ODD))
    events = events_of(pace, day, keep=f"not ({left_out})")
    shaken = "if(i % 50 = 0, interval 5 hour, interval 0 hour)"
    return f"select * from ({events}) order by occurred_at + {shaken}, i"  # noqa: S608


def odd_events(pace: Pace, day: int) -> str:
    """What a day's CSV file holds: odd ones of its own, and what earlier days have left to it."""
    parts = [(day, (*ODD, "twice")), (day - 1, ("sent again the day after",))]
    parts += [(day - delay, (kind,)) for kind, delay in DELAYS.items()]
    brought = " union all ".join(
        f"({events_of(pace, then, keep='(' + ' or '.join(map(_among, kinds)) + ')')})"
        for then, kinds in parts
        if then >= 0
    )
    return CHANGED.format(brought=brought, among={kind: _among(kind) for kind in FATES})


def _among(kind: str) -> str:
    """Whether an event's die falls on a kind, as SQL."""
    kinds = list(FATES)
    first = sum(FATES[one] for one in kinds[: kinds.index(kind)])
    return f"fate between {first} and {first + FATES[kind] - 1}"
