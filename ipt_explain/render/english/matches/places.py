"""Matches on where a packet comes from and goes to, besides addresses: routes, sets, sockets, IPsec; and on time."""

from __future__ import annotations

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.options import Options
from ipt_explain.render.english.wording import any_of, say
from ipt_explain.words import aside


def addrtype(options: Options, _: Glossary) -> list[str]:
    """The kind of an address, by the routing table."""
    where = ""
    if options.flag("--limit-iface-in"):
        where = ", seen from the interface it arrives on"
    if options.flag("--limit-iface-out"):
        where += ", seen from the interface it leaves by"
    phrases = []
    for option, side in (("--src-type", "source"), ("--dst-type", "destination")):
        given = options.take(option)
        if given:
            kind = "LOCAL (this node's own)" if given.value == "LOCAL" else any_of(given.value)
            phrases.append(say(f"has a {side} address of type {kind}{where}", given.negated))
    return phrases


def policy(options: Options, _: Glossary) -> list[str]:
    """The IPsec policy applied to a packet; `--next` starts the next transform."""
    direction, kind = options.value("--dir"), options.value("--pol")
    strict = options.flag("--strict")
    way = {"in": "arrived", "out": "will leave"}.get(direction or "", f"is (--dir {direction})")
    steps: list[list[str]] = [[]]  # the transforms, in order
    for given in options:
        if given.name == "--next":
            steps.append([])
        else:
            words = _TRANSFORM.get(given.name, given.name)
            steps[-1].append(f"{'not ' * given.negated}{words} {given.value}".rstrip())
    described = "; then ".join(", ".join(step) for step in steps if step)
    if described:
        described = f" ({'exactly: ' * strict}{described})"
    if kind == "none":
        return [f"{way} without IPsec (policy none){described}"]
    return [f"{way} through {'IPsec' if kind in ('ipsec', None) else kind}{described}"]


_TRANSFORM = {
    "--proto": "protocol",
    "--mode": "mode",
    "--tunnel-src": "from",
    "--tunnel-dst": "to",
    "--reqid": "reqid",
    "--spi": "SPI",
}


def rpfilter(options: Options, _: Glossary) -> list[str]:
    """The reverse path test: would a reply leave by the interface on which the packet arrived?"""
    inverted = options.flag("--invert")
    notes = options.phrases(_REVERSE_PATH)
    verb = "does not pass" if inverted else "passes"
    return [f"{verb} the reverse path test" + aside(["whether a reply would leave where it came in", *notes])]


_REVERSE_PATH = {
    "--loose": "any interface will do (--loose)",
    "--validmark": "its mark counts in routing (--validmark)",
    "--accept-local": "local source addresses are allowed (--accept-local)",
}

_SIDES = {"src": "source", "dst": "destination"}


def sides(value: str) -> str:
    """The side of a packet to look up in a set: `dst,dst` as `destination (dst,dst)`."""
    words = [_SIDES.get(word, word) for word in value.split(",")]
    return f"{' and '.join(dict.fromkeys(words))} ({value})"


_SET_COUNTERS = {"eq": "exactly", "gt": "more than", "lt": "fewer than"}


def ipset(options: Options, _: Glossary) -> list[str]:
    """Membership in an ipset."""
    given = options.take("--match-set", "--set")
    if not given:
        return []
    name, *side = given.arguments
    phrases = [say(f'is in set "{name}" by its {sides(" ".join(side))}', given.negated)]
    for unit in ("packets", "bytes"):
        for comparison, words in _SET_COUNTERS.items():
            counted = options.take(f"--{unit}-{comparison}")
            if counted:
                phrases.append(say(f"has {words} {counted.value} {unit} counted in the set", counted.negated))
    if options.flag("--return-nomatch"):
        phrases.append("is not excluded by a nomatch entry")
    for option, what in (("--update-counters", "counters"), ("--update-subcounters", "subset counters")):
        counting = options.take(option)
        if counting:
            phrases.append(f"{'does not update' if counting.negated else 'updates'} the set's {what}")
    return phrases


def socket(options: Options, _: Glossary) -> list[str]:
    """An open socket on this node."""
    kind = "transparent local socket" if options.flag("--transparent") else "local socket"
    return [f"belongs to an open {kind}" + aside(options.phrases(_SOCKETS))]


_SOCKETS = {
    "--nowildcard": "one bound to any address counts too",
    "--restore-skmark": "the packet takes the socket's mark",
}


def time(options: Options, _: Glossary) -> list[str]:
    """When a packet passes."""
    phrases = []
    start, stop = options.value("--timestart"), options.value("--timestop")
    if start is not None or stop is not None:
        phrases.append(f"passes between {start or '00:00:00'} and {stop or '23:59:59'}")
    for option, words in (("--weekdays", "on"), ("--monthdays", "on day")):
        given = options.take(option)
        if given:
            phrases.append(say(f"passes {words} {any_of(given.value)}", given.negated))
    start, stop = options.value("--datestart"), options.value("--datestop")
    if start is not None:
        phrases.append(f"passes from {start} on")
    if stop is not None:
        never = " (the latest that the kernel can hold)" if stop.startswith("2038-01-19") else ""
        phrases.append(f"passes until {stop}{never}")
    notes = options.phrases(_CLOCKS) or ["by UTC"]
    notes += options.phrases({"--contiguous": "as one stretch past midnight (--contiguous)"})
    if not phrases:
        phrases.append("passes at any time")
    phrases[-1] += aside(notes)
    return phrases


_CLOCKS = {"--kerneltz": "by the kernel's time zone", "--localtz": "by local time", "--utc": "by UTC"}
