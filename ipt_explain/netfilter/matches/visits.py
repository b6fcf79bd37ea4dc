"""recent: lists of addresses seen."""

from __future__ import annotations

from fractions import Fraction

from ipt_explain.model import Match, Rule, Shape
from ipt_explain.netfilter.addresses import parse_address
from ipt_explain.netfilter.condition import Answer, Branch, Condition, ask
from ipt_explain.netfilter.matches.undecided import option_text
from ipt_explain.netfilter.packet import PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address

DEFAULT_LIST = "DEFAULT"


def compile_recent(match: Match) -> list[Condition]:
    """recent: --set records the address and matches; --rcheck and --update match a recorded one; --remove forgets it.

    As xt_recent.c has it, an effect happens when its condition is reached, whether the rest of the rule matches or not.
    Times are those of one moment: an entry made before the trace counts as young enough for any --seconds, and as one
    visit.
    """
    names = {option.name for option in match.options}
    negated = any(option.negated for option in match.options if option.name in _ACTIONS)
    by_destination = "--rdest" in names

    def test(rule: Rule, state: PacketState) -> Answer:
        name = _value(rule, match, "--name") or DEFAULT_LIST
        mask_text = _value(rule, match, "--mask")
        mask = parse_address(mask_text) if mask_text else -1
        address = state.destination if by_destination else state.source
        key = (name, address & mask if isinstance(address, int) else address)
        times = _times_seen(state, key)
        if "--set" in names:
            return _changed(_seen(state, key, times + 1), not negated)
        if times == 0:
            return Truth.of(negated)
        if "--remove" in names:
            return _changed(_seen(state, key, 0), not negated)
        needed = int(_value(rule, match, "--hitcount") or 1)
        if times < needed or "--rttl" in names:
            return ask(state, " ".join(["-m recent", *(option_text(rule, option) for option in match.options)]))
        if "--update" in names:
            return _changed(_seen(state, key, times + 1), not negated)
        return Truth.of(not negated)

    return [test]


def records_visits(shape: Shape) -> bool:
    """Whether rules of a shape enter addresses into a list."""
    return shape.match_option("recent", "--set") is not None


def list_of(rule: Rule) -> str:
    """The list of a rule's `recent`."""
    return rule.match("recent", "--name") or DEFAULT_LIST


_ACTIONS = frozenset({"--set", "--rcheck", "--update", "--remove"})


def _value(rule: Rule, match: Match, name: str) -> str | None:
    for option in match.options:
        if option.name == name:
            return rule.first(option)
    return None


def _times_seen(state: PacketState, key: tuple[str, Address]) -> int:
    return next((times for name, address, times in state.visits if (name, address) == key), 0)


def _seen(state: PacketState, key: tuple[str, Address], times: int) -> PacketState:
    others = frozenset(visit for visit in state.visits if visit[:2] != key)
    return state._replace(visits=others | {(*key, times)} if times else others)


def _changed(state: PacketState, matches: bool) -> Answer:
    return (Branch(Fraction(1), matches, state),)
