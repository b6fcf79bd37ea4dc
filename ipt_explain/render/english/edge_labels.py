"""A rule's conditions in the few words that fit on an arrow: `tcp 10.96.0.10:53`, `33.33 %`, `seen within 3 h`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from ipt_explain.model import Match, Option, Rule, Shape
from ipt_explain.netfilter.probability import ALWAYS, NEVER, Probability, chance, taken
from ipt_explain.render.english.core import address
from ipt_explain.render.english.options import Given, Options
from ipt_explain.words.addresses import address_port, without_prefix
from ipt_explain.words.durations import duration
from ipt_explain.words.percents import percents

_PORTS = ("--dport", "--destination-port", "--dports", "--destination-ports")
_IGNORED = frozenset({"comment"})


def conditions(rule: Rule) -> list[str]:
    """A rule's conditions in short, except `statistic`, which `shares` handles."""
    shape = rule.shape
    own = Options(rule, shape.core)
    protocol, destination = own.take("-p"), own.take("-d")
    labels = _towards(protocol, destination, _port(rule))
    for name, words in (("-s", "from"), ("-i", "in by"), ("-o", "out by")) if own.left else ():
        given = own.take(name)
        if given:
            labels.append(_not(given) + f"{words} {address(given.value)}")
    labels += [given.text for given in own]
    for match in shape.matches:
        if match.module not in _IGNORED:
            labels += _match(rule, match)
    return labels


def _towards(protocol: Given | None, destination: Given | None, port: str) -> list[str]:
    """Protocol, destination and port as one: `udp 10.96.0.10:53`, `tcp :30080`."""
    phrases = []
    if destination:
        place = _not(destination) + address_port(without_prefix(destination.value), port or None)
    else:
        place = f":{port}" if port else ""
    if protocol:
        phrases.append(" ".join(filter(None, [_not(protocol) + protocol.value, place])))
    elif place:
        phrases.append(place)
    return phrases


def _port(rule: Rule) -> str:
    for match in rule.shape.matches:
        for option in match.options:
            if option.name in _PORTS and not option.negated:
                return rule.first(option) or ""
    return ""


def _match(rule: Rule, match: Match) -> list[str]:
    options = Options(rule, match.options)
    if match.module == "statistic" and options.take("--probability"):
        return []
    if match.module == "recent":
        return [_recent(options)]
    phrases = []
    for given in options:
        if given.name in _PORTS and not given.negated:
            continue
        words = _WORDS.get((match.module, given.name))
        phrases.append(_not(given) + f"{words} {' '.join(given.arguments)}" if words else given.text)
    if not phrases and not match.options and match.module not in ("tcp", "udp", "sctp", "dccp", "udplite"):
        phrases.append(match.module)
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


def _recent(options: Options) -> str:
    if options.take("--set"):
        return "noted"
    seconds = options.value("--seconds")
    checked = options.take("--rcheck") or options.take("--update") or options.take("--remove")
    seen = "seen" if checked is None else f"{_not(checked)}seen"
    return seen if seconds is None else f"{seen} within {duration(seconds).partition(' (')[0]}"


def _not(given: Given) -> str:
    return "not " if given.negated else ""


def shares(rules: Sequence[Rule]) -> dict[int, float]:
    """Each rule's share, by `id`, of the packets that reach a chain's `statistic` rules.

    Only rules whose sole condition is chance have one, and the first unconditional rule after them. Rules with other
    conditions take their packets first and are left out.
    """
    taking: list[int] = []
    chances: list[tuple[str, bool]] = []
    for rule in rules:
        takes_all, option = _asks_chance(rule.shape)
        if takes_all and taking:
            taking.append(id(rule))
            break
        text = rule.first(option)
        if option is not None and text is not None and _chance(text, option.negated) is not None:
            taking.append(id(rule))
            chances.append((text, option.negated))
    return dict(zip(taking, _spread(tuple(chances)))) if taking else {}


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


def edge_label(rule: Rule, share: str | None) -> str:
    """The complete label of a rule's arrow."""
    phrases = conditions(rule)
    if share is not None:
        phrases.append(share)
    return ", ".join(phrases)
