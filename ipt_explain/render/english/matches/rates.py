"""Matches that count or pick at random: limits, quotas, estimators, `statistic`."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from ipt_explain.netfilter.probability import SCALE, stored
from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.options import Options
from ipt_explain.render.english.wording import say
from ipt_explain.words import aside, both, counted
from ipt_explain.words.durations import duration
from ipt_explain.words.percents import as_written


def statistic(options: Options, _: Glossary) -> list[str]:
    """A share of packets: by chance, or every n-th."""
    mode = options.value("--mode")
    by_chance = options.take("--probability")
    if by_chance:
        return [_chance(by_chance.value, by_chance.negated)]
    every = options.take("--every")
    if every:
        start = options.value("--packet")
        counted = f"packet {start or 0} of every {every.value} (counting from 0, mode {mode or 'nth'})"
        return [f"is {'not ' * every.negated}{counted}"]
    return [f"is picked by mode {mode}"] if mode else []


def _chance(text: str, negated: bool = False) -> str:
    """`--probability` in percent, by the value that the kernel compares with 31 random bits."""
    try:
        matching = stored(text)
    except (ValueError, OverflowError):
        return f"is {'not ' * negated}picked at random with probability {text}"
    if negated:
        matching = SCALE - matching
    certain = {0: ", so never", SCALE: ", so always"}.get(matching, "")
    picked = f"is left over by a random pick of {_exact_percent(text)}," if negated else "is picked at random,"
    return f"{picked} with a chance of {_exact_percent(text, negated)} ({matching} of 2^31 in the kernel{certain})"


def _exact_percent(text: str, negated: bool = False) -> str:
    """A probability as written, in percent and to the last digit: `0.33332999982` is `33.332999982 %`."""
    try:
        value = Decimal(text)
    except InvalidOperation:  # a form that only strtod reads, such as 0x1p-1
        value = Decimal(stored(text)) / SCALE
    if negated:
        value = 1 - value
    return as_written(value)


def limit(options: Options, _: Glossary) -> list[str]:
    """A token bucket for all packets of the rule."""
    rate = options.value("--limit") or "3/hour"
    return [f"is within the limit of {rate}" + aside(options.phrases({"--limit-burst": "burst {}"}))]


_KEYS = {
    "srcip": "source address",
    "srcport": "source port",
    "dstip": "destination address",
    "dstport": "destination port",
}


def hashlimit(options: Options, _: Glossary) -> list[str]:
    """A token bucket for each group of packets."""
    within = options.take("--hashlimit-upto", "--hashlimit")
    above = None if within else options.take("--hashlimit-above")
    given = within or above
    if given is None:
        return []
    keys = options.value("--hashlimit-mode")
    per = (
        f" per {both([_KEYS.get(key, key) for key in keys.split(',')])} ({keys})"
        if keys
        else " for all packets together"
    )
    parts = options.phrases(_BUCKETS)
    interval = options.value("--hashlimit-rate-interval")
    if interval is not None:
        parts.append(f"over {duration(interval)}")
    keeps_to = (above is None) != given.negated
    return [f"is {'within' if keeps_to else 'above'} the limit of {given.value}{per}{aside(parts)}"]


_BUCKETS = {
    "--hashlimit-srcmask": "sources grouped by / {}",
    "--hashlimit-dstmask": "destinations grouped by / {}",
    "--hashlimit-burst": "burst {}",
    "--hashlimit-name": "table {}",
    "--hashlimit-htable-size": "buckets {}",
    "--hashlimit-htable-max": "entries at most {}",
    "--hashlimit-htable-expire": "idle entries expire after {} ms",
    "--hashlimit-htable-gcinterval": "cleaned every {} ms",
    "--hashlimit-rate-match": "as a rate, without credit",
}


def connlimit(options: Options, _: Glossary) -> list[str]:
    """The number of open connections of an address or network."""
    above = options.take("--connlimit-above")
    given = above or options.take("--connlimit-upto")
    if given is None:
        return []
    network = aside(options.phrases({"--connlimit-mask": "addresses grouped by mask {}"}))
    side = "destination" if options.flag("--connlimit-daddr") else "source"
    options.flag("--connlimit-saddr")
    more = (above is not None) != given.negated
    extent = "more than" if more else "at most"
    return [f"has a {side} with {extent} {counted(given.value, 'connection')} open{network}"]


def connbytes(options: Options, _: Glossary) -> list[str]:
    """The traffic of a connection so far."""
    given = options.take("--connbytes")
    if given is None:
        return []
    mode, direction = options.value("--connbytes-mode"), options.value("--connbytes-dir")
    amount = f"{given.value} or more" if ":" not in given.value else given.value
    unit = {"avgpkt": "bytes per packet on average (avgpkt)"}.get(mode or "", mode or "units")
    way = "in both directions" if direction == "both" else f"in the {direction} direction"
    return [say(f"belongs to a connection that carried {amount} {unit} {way}", given.negated)]


def quota(options: Options, _: Glossary) -> list[str]:
    """A number of bytes, after which the rule no longer matches."""
    given = options.take("--quota")
    if given is None:
        return []
    when = "comes after the quota of {} bytes is used up" if given.negated else "is within the quota of {} bytes"
    return [when.format(given.value)]


_COMPARISONS = {"lt": "below", "gt": "above", "eq": "equal to"}


def rateest(options: Options, _: Glossary) -> list[str]:
    """The rate that an estimator measures, compared with a number or another estimator.

    With `--rateest-delta` the measured rate is subtracted from that number (xt_rateest.c).
    """
    left, right = options.value("--rateest", "--rateest1"), options.value("--rateest2")
    delta = options.flag("--rateest-delta")
    comparison = "compared with"
    for short, words in _COMPARISONS.items():
        given = options.take(f"--rateest-{short}")
        if given:
            comparison = f"{'not ' * given.negated}{words}"
    first, second, alone = (_amount(options, number) for number in ("1", "2", ""))
    sides = _measured(left, first, delta), _measured(right, second or alone, delta and right is not None)
    return [f"comes while {sides[0]} is {comparison} {sides[1]}"]


def _amount(options: Options, number: str) -> str:
    """The `--rateest-bps` or `-pps` value of one side; without argument if two estimators are compared."""
    for unit in ("bps", "pps"):
        given = options.take(f"--rateest-{unit}{number}")
        if given:
            return f"{given.value} ({unit})" if given.value else f"({unit})"
    return ""


def _measured(estimator: str | None, amount: str, delta: bool) -> str:
    if estimator is None:
        return amount or "that of another estimator"
    if delta:
        return f'what estimator "{estimator}" leaves of {amount}'
    return f'the rate of estimator "{estimator}" {amount}'.rstrip()
