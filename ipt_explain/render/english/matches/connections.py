"""Matches on a packet's connection: state, addresses, label, mark, and this node's share in a cluster."""

from __future__ import annotations

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.marks import asked
from ipt_explain.render.english.options import Given, Options
from ipt_explain.render.english.wording import any_of, say
from ipt_explain.words.durations import duration

_STATES = {
    "NEW": "starts a new connection",
    "INVALID": "fits no connection",
    "UNTRACKED": "is not tracked",
    "ESTABLISHED": "belongs to an established connection",
    "RELATED": "starts a connection that an existing one expects",
    "DNAT": "belongs to a connection whose destination is rewritten",
    "SNAT": "belongs to a connection whose source is rewritten",
}


def _state(given: Given) -> str:
    value = given.value
    if given.negated:
        return f"has a connection state other than {any_of(value)}"
    if value in _STATES:
        return f"{_STATES[value]} (state {value})"
    if set(value.split(",")) == {"RELATED", "ESTABLISHED"}:
        return f"belongs to a known connection, or to one that such a connection expects (state {any_of(value)})"
    return f"has connection state {any_of(value)}"


def state(options: Options, _: Glossary) -> list[str]:
    """conntrack's older form."""
    given = options.take("--state")
    return [_state(given)] if given else []


_CONNTRACK = {
    "--ctproto": "belongs to a connection of protocol {}",
    "--ctorigsrc": "belongs to a connection opened by {}",
    "--ctorigdst": "belongs to a connection opened to {}",
    "--ctreplsrc": "belongs to a connection answered by {}",
    "--ctrepldst": "belongs to a connection answered to {}",
    "--ctorigsrcport": "belongs to a connection opened from port {}",
    "--ctorigdstport": "belongs to a connection opened to port {}",
    "--ctreplsrcport": "belongs to a connection answered from port {}",
    "--ctrepldstport": "belongs to a connection answered to port {}",
    "--ctstatus": "belongs to a connection of status {}",
}


def conntrack(options: Options, _: Glossary) -> list[str]:
    """Properties of the packet's connection."""
    phrases = []
    given = options.take("--ctstate")
    if given:
        phrases.append(_state(given))
    for option, predicate in _CONNTRACK.items():
        given = options.take(option)
        if given:
            value = any_of(given.value) if option == "--ctstatus" else given.value
            phrases.append(say(predicate.format(value), given.negated))
    given = options.take("--ctexpire")
    if given:
        left = f"{given.value} s" if ":" in given.value else duration(given.value)
        phrases.append(say(f"belongs to a connection whose entry expires in {left}", given.negated))
    given = options.take("--ctdir")
    if given:
        phrases.append(say(f"goes in the {given.value} direction of its connection", given.negated))
    return phrases


def connlabel(options: Options, _: Glossary) -> list[str]:
    """A label of the connection; `--set` sets it."""
    given = options.take("--label")
    if not given:
        return []
    setting = " (which is set if it is not)" if options.flag("--set") else ""
    return [say(f'belongs to a connection with label "{given.value}"{setting}', given.negated)]


def connmark(options: Options, glossary: Glossary) -> list[str]:
    """The mark of the connection."""
    given = options.take("--mark")
    return [asked(given.value, given.negated, glossary.marks, "connection mark")] if given else []


def cluster(options: Options, _: Glossary) -> list[str]:
    """This node's share of connections, by a hash of the source address."""
    node = options.take("--cluster-local-node", "--cluster-local-nodemask")
    total, seed = options.value("--cluster-total-nodes"), options.value("--cluster-hash-seed")
    if not node:
        return [f"hashes to a share of {total} nodes (seed {seed})"]
    word = "nodes of mask" if node.name.endswith("mask") else "node"
    return [say(f"hashes by its connection's source to {word} {node.value} of {total} (seed {seed})", node.negated)]
