"""Dates and times in the many forms that people write, made by rule."""

from collections.abc import Callable

import numpy as np

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SHORT_MONTHS = [*(f"{month[:3]}" for month in _MONTHS), *(f"{month[:3]}." for month in _MONTHS)]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_SHORT_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon.", "Tues.", "Thurs."]
_PARTS = ["morning", "afternoon", "evening", "night"]
_UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade"]
_NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "ten", "twelve"]
_SEASONS = ["spring", "summer", "autumn", "winter", "fall"]
_HOLIDAYS = ["Christmas", "Easter", "New Year 's Eve", "Christmas Eve", "Thanksgiving", "Diwali"]

Draw = np.random.Generator


def time_expression(rng: Draw) -> str:
    """One expression, words set apart by blanks as the tagger splits them or joined as written."""
    return _FORMS[int(rng.integers(len(_FORMS)))](rng)


def _of(rng: Draw, choices: list[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _year(rng: Draw) -> str:
    return str(int(rng.integers(1850, 2036)))


def _day_of_month(rng: Draw) -> str:
    day = int(rng.integers(1, 32))
    return _ordinal(day) if rng.random() < 0.3 else str(day)


def _ordinal(number: int) -> str:
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _month(rng: Draw) -> str:
    return _of(rng, _MONTHS if rng.random() < 0.7 else _SHORT_MONTHS)


def _day(rng: Draw) -> str:
    return _of(rng, _DAYS if rng.random() < 0.8 else _SHORT_DAYS)


def _clock(rng: Draw) -> str:
    hour, minute = int(rng.integers(1, 13)), int(rng.integers(0, 60))
    noon = _of(rng, ["am", "pm", "a.m.", "p.m.", "AM", "PM"])
    forms = [
        f"{hour} {noon}",
        f"{hour}{noon}",
        f"{hour}:{minute:02} {noon}",
        f"{int(rng.integers(0, 24)):02}:{minute:02}",
        f"{hour} o'clock",
        f"{hour}:{minute:02}",
        "noon",
        "midnight",
    ]
    return _of(rng, forms)


def _numeric(rng: Draw) -> str:
    day, month = int(rng.integers(1, 29)), int(rng.integers(1, 13))
    year, mark = _year(rng), _of(rng, ["/", "-", "."])
    forms = [
        f"{month:02}{mark}{day:02}{mark}{year}",
        f"{day:02}{mark}{month:02}{mark}{year}",
        f"{month}{mark}{day}{mark}{year[2:]}",
        f"{year}-{month:02}-{day:02}",
        f"{year}-{month:02}",
    ]
    return _of(rng, forms)


def _decade(rng: Draw) -> str:
    decade = int(rng.integers(185, 204)) * 10
    forms = [
        f"the {decade}s",
        f"the early {decade}s",
        f"the late {decade}s",
        f"the {decade % 100}s",
    ]
    return _of(rng, forms)


def _quarter(rng: Draw) -> str:
    number, year = int(rng.integers(1, 5)), _year(rng)
    name = ["first", "second", "third", "fourth"][number - 1]
    forms = [
        f"Q{number} {year}",
        f"Q{number}",
        f"the {name} quarter of {year}",
        f"the {name} quarter",
        f"H{1 + number % 2} {year}",
        f"FY {year}",
        f"fiscal {year}",
    ]
    return _of(rng, forms)


def _relative(rng: Draw) -> str:
    near = _of(rng, ["next", "last", "this", "every", "the following"])
    what = _of(rng, [_day(rng), _of(rng, _UNITS[2:]), _month(rng), _of(rng, _SEASONS), "weekend"])
    return f"{near} {what}"


def _about_now(rng: Draw) -> str:
    day = _of(rng, ["today", "tomorrow", "yesterday", "tonight", _day(rng)])
    joined = [day, f"{day} {_of(rng, _PARTS)}", f"{day} at {_clock(rng)}", f"{_clock(rng)} {day}"]
    return _of(rng, joined)


def _span(rng: Draw) -> str:
    count, unit = _of(rng, [*_NUMBERS, str(int(rng.integers(2, 60)))]), _of(rng, _UNITS) + "s"
    return _of(rng, [f"{count} {unit} ago", f"the last {count} {unit}", f"the next {count} {unit}"])


_FORMS: list[Callable[[Draw], str]] = [
    lambda rng: f"{_month(rng)} {_year(rng)}",
    lambda rng: f"{_month(rng)} {_day_of_month(rng)} , {_year(rng)}",
    lambda rng: f"{_day_of_month(rng)} {_month(rng)} {_year(rng)}",
    lambda rng: f"{_month(rng)} {_day_of_month(rng)}",
    lambda rng: f"{_day(rng)} , {_month(rng)} {_day_of_month(rng)}",
    lambda rng: f"{_relative(rng)} at {_clock(rng)}",
    lambda rng: f"the {_day_of_month(rng)} of {_month(rng)}",
    lambda rng: f"{_of(rng, ['early', 'late', 'mid', 'the end of'])} {_month(rng)}",
    lambda rng: f"the {_of(rng, _SEASONS)} of {_year(rng)}",
    lambda rng: f"{_of(rng, _SEASONS)} {_year(rng)}",
    lambda rng: f"the {_ordinal(int(rng.integers(12, 22)))} century",
    lambda rng: _of(rng, _HOLIDAYS),
    lambda rng: f"{_year(rng)} - {_year(rng)}",
    _year,
    _day,
    _month,
    _clock,
    _numeric,
    _numeric,
    _decade,
    _quarter,
    _relative,
    _about_now,
    _about_now,
    _span,
]
