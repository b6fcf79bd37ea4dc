"""Rewriting of addresses and ports. The first packet of a connection decides for all others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.options import Options
from ipt_explain.words import both

_WITH_BASE = re.compile(r"(\d{1,5})-(\d{1,5})/(\d{1,5})\Z")

_MANNERS = {
    "--random": "a port at random (--random)",
    "--random-fully": "a port fully at random (--random-fully)",
    "--persistent": "one client kept on one address (--persistent)",
}


def _manner(options: Options) -> str:
    """How a port or address is picked from a range."""
    phrases = options.phrases(_MANNERS)
    return f", with {both(phrases)}" if phrases else ""


def _destination(options: Options, _: Glossary) -> str:
    """DNAT: where the connection goes instead."""
    return f"gets its destination rewritten to {_alternatives(options, '--to-destination')} (DNAT){_manner(options)}"


def _source(options: Options, _: Glossary) -> str:
    """SNAT: where the connection seems to come from."""
    return f"gets its source rewritten to {_alternatives(options, '--to-source')} (SNAT){_manner(options)}"


def _alternatives(options: Options, name: str) -> str:
    """The values of an option that older rules repeat."""
    values = []
    while (value := options.value(name)) is not None:
        values.append(_shifted(value))
    return ", or ".join(values) or "nothing"


def _shifted(value: str) -> str:
    """A range of addresses or ports; with a base port after it (`8000-8010/3000`, Linux 4.19 on), how ports map."""
    found = _WITH_BASE.search(value)
    if found is None:
        return value
    shown, first, base = value[: found.start(3) - 1], found[1], found[3]
    return f"{shown}, each port shifted by as much ({base} becomes {first}, {int(base) + 1} becomes {int(first) + 1})"


def _ports(value: str) -> str:
    return f"port {value}" if value.isdecimal() else f"a port of {_shifted(value)}"


def _masquerade(options: Options, _: Glossary) -> str:
    """SNAT to the node's address on the interface by which the packet leaves."""
    ports = options.value("--to-ports")
    from_port = f", ports {ports}" if ports is not None else ""
    own = f"the address of the interface it leaves by (MASQUERADE{from_port})"
    return f"gets its source rewritten to {own}{_manner(options)}"


def _redirect(options: Options, _: Glossary) -> str:
    """DNAT to the node itself."""
    ports = options.value("--to-ports")
    port = f", {_ports(ports)}" if ports is not None else ""
    return f"is redirected to this node itself{port} (REDIRECT){_manner(options)}"


def _netmap(options: Options, _: Glossary) -> str:
    """One network mapped onto another, address by address."""
    return f"gets its address mapped into {options.value('--to')}, the host part kept (NETMAP)"


def _prefix(side: str) -> Callable[[Options, Glossary], str]:
    def translate(options: Options, _: Glossary) -> str:
        before, after = options.value("--src-pfx"), options.value("--dst-pfx")
        return f"gets the prefix of its {side} translated from {before} to {after}, without connection tracking"

    return translate


NAT: Mapping[str, Callable[[Options, Glossary], str]] = {
    "DNAT": _destination,
    "DNPT": _prefix("destination"),
    "MASQUERADE": _masquerade,
    "NETMAP": _netmap,
    "REDIRECT": _redirect,
    "SNAT": _source,
    "SNPT": _prefix("source"),
}
