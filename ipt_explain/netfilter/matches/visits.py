"""recent: lists of recently seen addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Match, Rule, Shape
from ipt_explain.netfilter.condition import Answer, Branch, Column, Condition, Words, ask, option_texts, slots_of
from ipt_explain.netfilter.header import parse_address
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address

if TYPE_CHECKING:
    from ipt_explain.netfilter.condition import Bounds

DEFAULT_LIST = "DEFAULT"


def conditions(match: Match, last: bool = False) -> list[Condition]:
    """recent: --set records the address and matches; --rcheck and --update match a recorded one; --remove deletes it.

    As in xt_recent.c, the effect happens when its condition is reached, whether or not the rest of the rule matches.
    No time passes: an entry made before the trace is recent enough for any --seconds, and counts as one visit.

    After the `last` rules of nat, as in endpoints' chains, nobody asks for the entries that they make.
    """
    names = {option.name for option in match.options}
    negated = any(option.negated for option in match.options if option.name in _ACTIONS)
    by_destination = "--rdest" in names

    places = _places(match)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        name = words[places["--name"]] if "--name" in places else DEFAULT_LIST
        mask_text = words[places["--mask"]] if "--mask" in places else None
        mask = parse_address(mask_text) if mask_text else -1
        address = bound.to.address if by_destination else state.source
        key = (name, address & mask if isinstance(address, int) else address)
        times = _times_seen(state, key)
        if "--set" in names:
            return _changed(_seen(state, key, times + 1), not negated)
        if times == 0:
            return Truth.of(negated)
        if "--remove" in names:
            return _changed(_seen(state, key, 0), not negated)
        needed = int(words[places["--hitcount"]]) if "--hitcount" in places else 1
        if times < needed or "--rttl" in names:
            return ask(state, " ".join(["-m recent", *option_texts(match.options, words)]))
        if "--update" in names and not negated:
            return _changed(_seen(state, key, times + 1), True)
        return Truth.of(not negated)

    def at_once(columns: Sequence[Column], state: PacketState, bounds: Bounds) -> Truth | None:
        """Nobody is found in empty lists. Entries that a crowd makes in its endpoints' own lists are not kept."""
        if "--set" in names:
            return Truth.of(not negated) if last else None
        return Truth.of(negated) if not state.visits else None

    return [Condition(slots_of(match), test, bound=by_destination, at_once=at_once)]


def records_visits(shape: Shape) -> bool:
    """Whether rules of a shape add addresses to a list."""
    return shape.match_option("recent", "--set") is not None


def list_name(rule: Rule) -> str:
    """The list of a rule's `recent`."""
    return rule.match("recent", "--name") or DEFAULT_LIST


_ACTIONS = frozenset({"--set", "--rcheck", "--update", "--remove"})


def _places(match: Match) -> Mapping[str, int]:
    """The index of each option's first argument among the words of the match."""
    places: dict[str, int] = {}
    at = 0
    for option in match.options:
        if option.slots:
            places.setdefault(option.name, at)
        at += len(option.slots)
    return places


def _times_seen(state: PacketState, key: tuple[str, Address | None]) -> int:
    return next((times for name, address, times in state.visits if (name, address) == key), 0)


def _seen(state: PacketState, key: tuple[str, Address | None], times: int) -> PacketState:
    others = frozenset(visit for visit in state.visits if visit[:2] != key)
    return state._replace(visits=others | {(*key, times)} if times else others)


def _changed(state: PacketState, matches: bool) -> Answer:
    return (Branch(ALWAYS, matches, state),)
