"""The rule's own conditions: -s, -d, -i, -o, -p, -f."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import eq
from typing import TYPE_CHECKING, cast

from ipt_explain.model import Family, Option
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.cached import cached
from ipt_explain.netfilter.condition import OWN_SOURCE, Answer, Column, Condition, Words, ask, decide, decided
from ipt_explain.netfilter.header import (
    ANY_PROTOCOL,
    interface_fits,
    network_bits,
    parse_ipv4,
    protocol_number,
    single_address,
)
from ipt_explain.netfilter.packet import Bound, Heading, PacketState, addresses_of, known_addresses_of
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, lies_in

if TYPE_CHECKING:
    from ipt_explain.netfilter.condition import Bounds

_network = lru_cache(maxsize=32768)(network_bits)


def _each_host(words: Sequence[str]) -> Sequence[int | None]:
    return list(map(single_address, words))


def _ipv4_hosts(words: Sequence[str]) -> Sequence[int] | None:
    """The addresses of a column, if each of its words is a single one."""
    return parse_ipv4([word.removesuffix("/32") for word in words])


def _ipv6_hosts(words: Sequence[str]) -> Sequence[int] | None:
    hosts = [single_address(word) for word in words if ":" in word]
    return cast("list[int]", hosts) if None not in hosts and len(hosts) == len(words) else None


def _texts(words: Sequence[str], source: Address) -> Mapping[str, tuple[str, bool]]:
    """Each word of a column, decoded, and whether it asks if an unknown source is a single address."""
    texts = {word: unquote(word) for word in dict.fromkeys(words)}
    return {word: (text, _asks_one(text, source)) for word, text in texts.items()}


def _asks_one(text: str, source: Address) -> bool:
    return single_address(text) is not None and lies_in(source, *_network(text)) is Truth.UNKNOWN


_NOWHERE = Bound(Heading(None, None), Heading(None, None))
_HOSTS = {Family.IPV4: _ipv4_hosts, Family.IPV6: _ipv6_hosts}


def core_condition(option: Option) -> Condition | None:
    """The condition of one of the rule's own options; None for an option that tests nothing."""
    compiler = _COMPILERS.get(option.name)
    return None if compiler is None else compiler(option)


def _source(option: Option) -> Condition:
    hit, miss = Truth.of(not option.negated), Truth.of(option.negated)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        value, mask = _network(words[0])
        source = state.source
        if isinstance(source, int):
            return hit if source & mask == value else miss
        truth = source.lies_in(value, mask)
        return decide(truth, state, question(words[0], state, bound.sent), option.negated)

    def question(text: str, state: PacketState, sent: Heading) -> str:
        """Load balancers that let the node in have rules for their own addresses: ten thousand Services ask alike."""
        asked, address = f"-s {text}", single_address(text)
        if address is None or state.node.assumed:
            return asked
        return OWN_SOURCE if address == sent.address else state.node.shared_questions.get(sent, {}).get(asked, asked)

    def at_once(columns: Sequence[Column], state: PacketState, bounds: Bounds) -> Answer | list[Answer] | None:
        """Ten thousand endpoints' chains test for their own address, and none is the packet's; or rules test for few
        networks; or what is asked of each packet depends on where it was sent."""
        source, (words,) = state.source, columns
        if not isinstance(words, str):
            hosts = cached(words, _HOSTS[state.connection.family])
            if hosts is not None and (
                source not in hosts if isinstance(source, int) else source.ordinary or source.apart.issuperset(hosts)
            ):
                return miss
        column = (words,) if isinstance(words, str) else words
        texts = _texts(column, source) if isinstance(source, int) else cached(column, _texts, source)
        answers = {word: test((text,), state, _NOWHERE) for word, (text, asks_one) in texts.items() if not asks_one}
        if len(answers) == len(texts):
            return answers[words] if isinstance(words, str) else [answers[word] for word in words]
        asked: dict[str, Answer] = {}
        found: list[Answer] = []
        for word, sent in zip(repeat(words) if isinstance(words, str) else words, bounds.sent):
            answer = answers.get(word)
            if answer is None:
                text = question(texts[word][0], state, sent)
                answer = asked.get(text) or asked.setdefault(text, ask(state, text, option.negated))
            found.append(answer)
        return found

    return Condition(option.slots, test, sent=True, at_once=at_once)


def _destination(option: Option) -> Condition:
    hit, miss = Truth.of(not option.negated), Truth.of(option.negated)

    def answer(text: str, destination: Address | None, state: PacketState) -> Answer:
        if destination is None:
            return ask(state, f"-d {text} (after REDIRECT)", option.negated)
        value, mask = network_bits(text)  # mostly seen once: a cache would only be filled
        if isinstance(destination, int):
            return hit if destination & mask == value else miss
        return decide(destination.lies_in(value, mask), state, f"-d {text}", option.negated)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        return answer(words[0], bound.to.address, state)

    def at_once(columns: Sequence[Column], state: PacketState, bounds: Bounds) -> Answer | list[Answer] | None:
        """Ten thousand Services' rules each test for their own address, with a packet for it; or one rule tests ten
        thousand packets."""
        (hosts,), to = columns, bounds.to
        if isinstance(hosts, str):
            value, mask = network_bits(unquote(hosts))
            known = known_addresses_of(to)
            if known is None:
                return answer(unquote(hosts), to[0].address, state) if len(addresses_of(to)) == 1 else None
            if mask == (1 << ADDRESS_BITS[state.connection.family]) - 1:
                within = known & {value}
            else:
                within = frozenset([address for address in known if address & mask == value])
            if 0 < len(within) < len(known):
                return [hit if heading.address in within else miss for heading in to]
            return hit if within else miss
        each = cached(hosts, _each_host)
        if None in each or known_addresses_of(to) is None:
            return None
        fitting = list(map(eq, each, [heading.address for heading in to]))
        return hit if all(fitting) else [hit if fits else miss for fits in fitting]

    return Condition(option.slots, test, bound=True, at_once=at_once)


def _interface(option: Option) -> Condition:
    flag, negated = option.name, option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        pattern = words[0]
        name = state.in_interface if flag == "-i" else state.out_interface
        if name is None and pattern != "+":
            if pattern == "lo":
                return Truth.of(negated)  # packets on lo come from the node and stay on it, and are known to
            return _which_interface(state, flag, pattern, negated)
        return Truth.of(interface_fits(pattern, name or "") is not negated)

    return Condition(option.slots, test)


def _which_interface(state: PacketState, flag: str, pattern: str, negated: bool) -> Answer:
    """Whether an unknown interface fits: a question, unless earlier assumptions about it decide."""
    if state.answers:
        from ipt_explain.netfilter.assumptions import Side
        from ipt_explain.netfilter.interfaces import interface_facts

        facts = interface_facts(state.answers, Side.ARRIVING if flag == "-i" else Side.LEAVING)
        fitting = facts.fits(pattern)
        if fitting is not Truth.UNKNOWN:
            return fitting.inverted(negated)
    return ask(state, f"{flag} {pattern}", negated)


def _protocol(option: Option) -> Condition:
    negated = option.negated
    numbers: dict[str, int | None] = {}

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        text = words[0]
        if text not in numbers:
            numbers[text] = protocol_number(text)
        number = numbers[text]
        if number is None:
            return ask(state, f"-p {text}", negated)
        return Truth.of((number in (ANY_PROTOCOL, state.connection.protocol)) is not negated)

    return Condition(option.slots, test)


def _fragment(option: Option) -> Condition:
    return decided(option, lambda words, state, bound: False)  # packets are traced whole


_COMPILERS: dict[str, Callable[[Option], Condition]] = {
    "-s": _source,
    "-d": _destination,
    "-i": _interface,
    "-o": _interface,
    "-p": _protocol,
    "-f": _fragment,
}
