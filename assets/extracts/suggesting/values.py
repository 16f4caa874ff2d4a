"""What the values of one column look like: kind, time format, few words, null words, uniqueness."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["empty", "boolean", "integer", "number", "time", "text"]

TRUTHS = {"true", "false", "t", "f", "yes", "no", "y", "n"}
INTEGER = re.compile(r"[+-]?\d+(\.0*)?")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T]\d{1,2}:\d{2}.*)?")
DATE_LIKE = re.compile(r"(\w{3,9},? )?\d{1,4}[/.\- ](\d{1,2}|[A-Za-z]{3,9})[/.\- ,]+\d{2,4}\b.*")
FEW_WORDS = 30
SAMPLE = 500
SOUND_SHARE = 0.95
EPOCHS = (("epoch_seconds", 1), ("epoch_milliseconds", 10**3), ("epoch_microseconds", 10**6))
YEAR_2000, YEAR_2100 = 946_684_800, 4_102_444_800
DATES = (
    "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%d %b %Y",
    "%d-%b-%Y", "%d %B %Y", "%d/%m/%y", "%m/%d/%y", "%Y-%m-%d",
)  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """What a column's values look like.

    `formats` is what a profile must say of its times: nothing for ISO 8601; `or_formats` fits
    them as well, so the order of day and month is a guess. `epoch` is the unit in which the
    integers would be times. `words` are the distinct values where they are few.
    """

    kind: Kind
    rows: int
    filled: int
    distinct: int
    formats: tuple[str, ...] = ()
    or_formats: tuple[str, ...] = ()
    epoch: str | None = None
    words: tuple[str, ...] = ()
    null_words: tuple[str, ...] = ()

    @property
    def is_unique(self) -> bool:
        """True where every row has a value of its own."""
        return 0 < self.rows == self.distinct

    @property
    def is_flag(self) -> bool:
        """True where the values read as true and false."""
        return self.kind == "boolean" or (self.kind == "integer" and {*self.words} == {"0", "1"})


def pattern_of(cells: Sequence[str | None], *, null_words: Collection[str]) -> Pattern:
    """The pattern of a column's cells; None is an empty cell."""
    counted = Counter(cell for cell in cells if cell is not None and cell.strip())
    nulls = tuple(word for word in counted if word in null_words)
    filled = Counter({word: n for word, n in counted.items() if word not in nulls})
    sample = list(filled)[:SAMPLE]
    kind = _kind(sample)
    formats, others = _time_formats(sample) if kind == "time" else ((), ())
    return Pattern(
        kind=kind,
        rows=len(cells),
        filled=filled.total(),
        distinct=len(filled),
        formats=formats,
        or_formats=others,
        epoch=_epoch(sample) if kind == "integer" else None,
        words=tuple(sorted(filled)) if len(filled) <= FEW_WORDS else (),
        null_words=nulls,
    )


def _kind(sample: Sequence[str]) -> Kind:
    if not sample:
        return "empty"
    if {word.strip().lower() for word in sample} <= TRUTHS:
        return "boolean"
    if _most(INTEGER, sample):
        return "integer"
    if _most(NUMBER, sample):
        return "number"
    return "time" if _is_time(sample) else "text"


def _most(pattern: re.Pattern[str], sample: Sequence[str]) -> bool:
    fitting = sum(pattern.fullmatch(word.strip()) is not None for word in sample)
    return fitting >= SOUND_SHARE * len(sample)


def _is_time(sample: Sequence[str]) -> bool:
    dated = sum(bool(ISO.fullmatch(w.strip()) or DATE_LIKE.fullmatch(w.strip())) for w in sample)
    return dated >= SOUND_SHARE * len(sample) and (
        _most(ISO, sample) or bool(_time_formats(sample)[0])
    )


def _epoch(sample: Sequence[str]) -> str | None:
    """The unit in which all values lie between 2000 and 2100, if there is one."""
    numbers = [float(word) for word in sample]
    for name, unit in EPOCHS:
        if all(YEAR_2000 <= number / unit < YEAR_2100 for number in numbers):
            return name
    return None


def _time_formats(sample: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The formats that read the sample, and those that would as well; none for ISO 8601."""
    if _most(ISO, sample) and all(ISO.fullmatch(word.strip()) for word in sample):
        return (), ()
    left = [word.strip() for word in sample]
    found: list[str] = []
    others: list[str] = []
    while left and len(found) < 3:
        fits = {said: sum(_reads(word, said) for word in left) for said in _candidates(left)}
        best = max(fits, key=lambda said: fits[said], default="")
        if not fits.get(best):
            break
        found.append(best)
        others += [said for said, n in fits.items() if said != best and n == fits[best]]
        left = [word for word in left if not _reads(word, best)]
    read_enough = len(left) <= (1 - SOUND_SHARE) * len(sample)
    return (tuple(found), tuple(others)) if read_enough else ((), ())


def _candidates(words: Iterable[str]) -> Iterator[str]:
    """The formats that read at least one of a few values: the others need not be counted."""
    few = list(words)[:20]
    for date in DATES:
        for time in TIMES:
            if any(_reads(word, date + time) for word in few):
                yield date + time


def _reads(word: str, said: str) -> bool:
    try:
        datetime.strptime(word, said)  # noqa: DTZ007 - only asked whether it can be read
    except ValueError:
        return False
    return True
