"""Matches on a packet's bytes: ports, flags, types, headers, text."""

from __future__ import annotations

from ipt_explain.netfilter.header.icmp import ICMP_TYPES, ICMPV6_TYPES, IcmpTypes
from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.options import Given, Options
from ipt_explain.render.english.wording import any_of, say
from ipt_explain.words import aside
from ipt_explain.words.quotes import cited


def icmp(options: Options, _: Glossary) -> list[str]:
    """ICMP by type and code."""
    return _icmp(options.take("--icmp-type"), "ICMP", ICMP_TYPES)


def icmp6(options: Options, _: Glossary) -> list[str]:
    """ICMPv6 by type and code."""
    return _icmp(options.take("--icmpv6-type"), "ICMPv6", ICMPV6_TYPES)


def _icmp(given: Given | None, protocol: str, names: IcmpTypes) -> list[str]:
    """A type and code with their names: `type 3, code 4 (fragmentation needed)`."""
    if given is None:
        return []
    if given.value == "any" or (given.value == "255" and names is ICMP_TYPES):
        return [say(f"has any {protocol} type", given.negated)]
    kind, slash, code = given.value.partition("/")
    if kind.isdecimal() and (not slash or code.isdecimal()):
        pair = (int(kind), int(code) if slash else None)
    elif given.value in names:
        pair = names[given.value]
    else:
        return [say(f"has {protocol} type {given.value}", given.negated)]
    number, exact = pair
    called = {numbers: name.replace("-", " ") for name, numbers in reversed(names.items())}
    name = called.get(pair) or called.get((number, None))
    words = f"type {number}" + (f", code {exact}" if exact is not None else "")
    return [say(f"has {protocol} {words}" + (f" ({name})" if name else ""), given.negated)]


def ipv6header(options: Options, _: Glossary) -> list[str]:
    """The packet's extension headers: exactly those named, or with `--soft` at least those."""
    given = options.take("--header")
    extent = "at least" if options.flag("--soft") else "exactly"
    return [say(f"has {extent} the extension headers {given.value}", given.negated)] if given else []


_TTL_CHECKS = {"0": "TTL equal to the fingerprint's", "1": "TTL below the fingerprint's", "2": "any TTL"}

_OSF_LOGS = {"0": "all fits logged", "1": "first fit logged", "2": "all known fits logged"}


def osf(options: Options, _: Glossary) -> list[str]:
    """The operating system, guessed from a SYN."""
    given = options.take("--genre")
    if not given:
        return []
    ttl, log = options.value("--ttl"), options.value("--log")
    more = [f"--ttl {ttl}: {_TTL_CHECKS.get(ttl, 'unknown')}"] if ttl is not None else []
    more += [f"--log {log}: {_OSF_LOGS.get(log, 'unknown')}"] if log is not None else []
    return [say(f"comes from a system that looks like {given.value}", given.negated) + aside(more)]


def string(options: Options, _: Glossary) -> list[str]:
    """Bytes in the packet."""
    given = options.take("--string", "--hex-string")
    if not given:
        return []
    what = "bytes" if given.name == "--hex-string" else "text"
    notes = options.phrases(_SEARCH)
    return [say(f"contains the {what} {cited(given.value)}", given.negated) + aside(notes)]


_SEARCH = {"--icase": "in any case", "--from": "from byte {}", "--to": "to byte {}", "--algo": "algorithm {}"}


def tcp(options: Options, _: Glossary) -> list[str]:
    """TCP flags; `plain` has the module's other options."""
    given = options.take("--tcp-flags")
    if not given or len(given.arguments) < 2:
        return []
    mask, wanted = given.arguments[:2]
    meaning = ""
    if set(mask.split(",")) >= {"SYN", "RST", "ACK"} and wanted == "SYN":
        meaning = " (it opens a connection)"
    has = "none" if wanted == "NONE" else f"only {wanted}"
    return [say(f"has {has} of the TCP flags {mask} set", given.negated) + ("" if given.negated else meaning)]


_PORT_LISTS = {
    ("--sports", "--source-ports"): "has source port {}",
    ("--dports", "--destination-ports"): "has destination port {}",
    ("--ports",): "has {} as its source or its destination port",
}


def multiport(options: Options, _: Glossary) -> list[str]:
    """Ports from a list."""
    phrases = []
    for names, predicate in _PORT_LISTS.items():
        given = options.take(*names)
        if given:
            phrases.append(say(predicate.format(any_of(given.value)), given.negated))
    return phrases


def sctp(options: Options, _: Glossary) -> list[str]:
    """SCTP chunk types; `plain` has the ports."""
    given = options.take("--chunk-types")
    if not given or len(given.arguments) < 2:
        return []
    extent, types = given.arguments[:2]
    words = {"all": "all of", "any": "any of", "only": "only"}.get(extent, extent)
    return [say(f"contains {words} the SCTP chunk types {types} ({extent})", given.negated)]


def dccp(options: Options, _: Glossary) -> list[str]:
    """DCCP packet types; `plain` has ports and options."""
    given = options.take("--dccp-types")
    return [say(f"is of DCCP type {any_of(given.value)}", given.negated)] if given else []
