"""A rule's conditions in the few words that fit on an arrow: `tcp 10.96.0.10:53`, `33.33 %`, `seen within 3 h`.

What to say is decided once per shape or layout: a big dump has a hundred thousand arrows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from ipt_explain.model import Chain, Layout, Match, Option, Shape
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.probability import ALWAYS, NEVER, Probability, chance, taken
from ipt_explain.render.english.core import address
from ipt_explain.words import address_port, without_prefix
from ipt_explain.words.durations import duration
from ipt_explain.words.percents import percents

_PORTS = ("--dport", "--destination-port", "--dports", "--destination-ports")
_IGNORED = frozenset({"comment"})

_Phrase = Callable[[Sequence[str], int], str | None]
"""Words about a rule, or None for none. The rule's values begin at a place in those of its chain."""


def edge_label(chain: Chain, number: int, share: str | None) -> str:
    """The complete label of a rule's arrow."""
    layout = chain.layout
    phrases = _conditions(layout.shapes[number])
    if not phrases:
        return share or ""
    said = [phrase(chain.values, layout.offsets[number]) for phrase in phrases]
    return ", ".join([words for words in (*said, share) if words is not None])


@lru_cache(maxsize=1024)
def _conditions(shape: Shape) -> tuple[_Phrase, ...]:
    """What to say of a shape's conditions, except `statistic`, which `shares` handles."""
    core = list(shape.core)
    protocol, destination = _taken(core, "-p"), _taken(core, "-d")
    phrases = list(_towards(protocol, destination, _port(shape)))
    for name, words in (("-s", "from"), ("-i", "in by"), ("-o", "out by")):
        option = _taken(core, name)
        if option is not None:
            phrases.append(_from(option, words))
    phrases += map(_spelled, core)
    for match in shape.matches:
        if match.module not in _IGNORED:
            phrases += _match(match)
    return tuple(phrases)


def _taken(options: list[Option], *names: str) -> Option | None:
    """Take the first option with one of these names out of a list."""
    for place, option in enumerate(options):
        if option.name in names:
            return options.pop(place)
    return None


def _towards(protocol: Option | None, destination: Option | None, port: Option | None) -> Iterator[_Phrase]:
    """Protocol, destination and port as one: `udp 10.96.0.10:53`, `tcp :30080`."""

    def place(values: Sequence[str], start: int) -> str:
        number = _value(port, values, start)
        if destination is None:
            return f":{number}" if number else ""
        host = without_prefix(_value(destination, values, start))
        return _not(destination) + address_port(host, number or None)

    if protocol is not None:
        yield lambda values, start: " ".join(
            filter(None, [_not(protocol) + _value(protocol, values, start), place(values, start)])
        )
    elif destination is not None or port is not None:
        yield lambda values, start: place(values, start) or None


def _port(shape: Shape) -> Option | None:
    options = (option for match in shape.matches for option in match.options)
    return next((option for option in options if option.name in _PORTS and not option.negated), None)


def _from(option: Option, words: str) -> _Phrase:
    before = f"{_not(option)}{words} "
    return lambda values, start: before + address(_value(option, values, start))


def _spelled(option: Option, words: str | None = None) -> _Phrase:
    """An option as a rule line would spell it, without quotes, or with other words for its name."""
    before = ["!"] * option.negated + [option.name] if words is None else [_not(option) + words]
    slots = option.slots
    return lambda values, start: " ".join([*before, *[unquote(values[start + slot]) for slot in slots]])


def _match(match: Match) -> list[_Phrase]:
    options = list(match.options)
    if match.module == "statistic" and _taken(options, "--probability"):
        return []
    if match.module == "recent":
        return [_recent(options)]
    phrases = [
        _spelled(option, _WORDS.get((match.module, option.name)))
        for option in options
        if option.name not in _PORTS or option.negated
    ]
    if not match.options and match.module not in ("tcp", "udp", "sctp", "dccp", "udplite"):
        phrases.append(lambda values, start: match.module)
    return phrases


_WORDS: Mapping[tuple[str, str], str] = {
    ("addrtype", "--dst-type"): "to",
    ("addrtype", "--src-type"): "from",
    ("conntrack", "--ctstate"): "state",
    ("state", "--state"): "state",
    ("mark", "--mark"): "mark",
    ("connmark", "--mark"): "connmark",
    ("set", "--match-set"): "set",
    ("limit", "--limit"): "limit",
    ("physdev", "--physdev-in"): "in by port",
    ("physdev", "--physdev-out"): "out by port",
}


def _recent(options: list[Option]) -> _Phrase:
    if _taken(options, "--set"):
        return lambda values, start: "noted"
    seconds = _taken(options, "--seconds")
    checked = _taken(options, "--rcheck") or _taken(options, "--update") or _taken(options, "--remove")
    seen = "seen" if checked is None else f"{_not(checked)}seen"
    if seconds is None:
        return lambda values, start: seen
    return lambda values, start: f"{seen} within {duration(_value(seconds, values, start)).partition(' (')[0]}"


def _value(option: Option | None, values: Sequence[str], start: int) -> str:
    """An option's first argument; "" without one."""
    return unquote(values[start + option.slots[0]]) if option is not None and option.slots else ""


def _not(option: Option) -> str:
    return "not " if option.negated else ""


def rule_shares(chain: Chain) -> dict[int, float]:
    """Each rule's share, by its number (from 0), of the packets that reach a chain's `statistic` rules.

    Only rules whose sole condition is chance have one, and the first unconditional rule after them. Rules with other
    conditions take their packets first and are left out.
    """
    taking: list[int] = []
    chances: list[tuple[str, bool]] = []
    for number, place, negated in _asking_chance(chain.layout):
        if place is None:
            if taking:
                taking.append(number)
                break
        elif _chance(unquote(chain.at(place)), negated) is not None:
            taking.append(number)
            chances.append((unquote(chain.at(place)), negated))
    return dict(zip(taking, _spread(tuple(chances)))) if taking else {}


@lru_cache(maxsize=1024)
def _asking_chance(layout: Layout) -> Sequence[tuple[int, int | None, bool]]:
    """The rules whose only condition is chance, each with the place of its `--probability` in the chain's values, and
    whether it is negated; and those that take every packet, without a place."""
    found: list[tuple[int, int | None, bool]] = []
    for number, shape in enumerate(layout.shapes):
        takes_all, option = _asks_chance(shape)
        place = layout.place(number, option)
        if takes_all or (option is not None and place is not None):
            found.append((number, place, option is not None and option.negated))
    return found


@lru_cache(maxsize=1024)
def _asks_chance(shape: Shape) -> tuple[bool, Option | None]:
    """Whether rules of a shape match every packet; and the `--probability` option if it is their only condition."""
    if shape.core or shape.target is None:
        return False, None
    matches = [match for match in shape.matches if match.module not in _IGNORED]
    alone = len(matches) == 1 and matches[0].module == "statistic"
    return not matches, shape.match_option("statistic", "--probability") if alone else None


@lru_cache(maxsize=1024)
def _chance(text: str, negated: bool) -> Fraction | None:
    try:
        return chance(text, negated)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=64)
def _spread(chances: tuple[tuple[str, bool], ...]) -> list[float]:
    """The share that each of these takes of all packets, in order, and the share that the last one leaves. Cached: many
    Services have equally many endpoints."""
    found: list[float] = []
    left: Probability = ALWAYS
    for text, negated in chances:
        share, left = taken(left, _chance(text, negated) or NEVER)
        found.append(float(share))
    return [*found, float(left)]


def share_words(found: Mapping[int, float]) -> dict[int, str]:
    """Shares of one chain in percent, with enough digits for different ones to look different."""
    return dict(zip(found, _percents(tuple(found.values())))) if found else {}


_percents = lru_cache(maxsize=64)(percents)
