"""Matches that need code: several options form one condition, or a value needs words.

A composer takes the options that it words and returns predicates about the packet; `plain` or a generic phrase words
the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.marks import asked
from ipt_explain.render.english.matches import connections, contents, places, rates
from ipt_explain.render.english.matches.recent import recent
from ipt_explain.render.english.options import Options

Composer = Callable[[Options, Glossary], list[str]]


def _mark(options: Options, glossary: Glossary) -> list[str]:
    """The mark of the packet."""
    given = options.take("--mark")
    return [asked(given.value, given.negated, glossary.marks)] if given else []


COMPOSERS: Mapping[str, Composer] = {
    "addrtype": places.addrtype,
    "cluster": connections.cluster,
    "connbytes": rates.connbytes,
    "connlabel": connections.connlabel,
    "connlimit": rates.connlimit,
    "connmark": connections.connmark,
    "conntrack": connections.conntrack,
    "dccp": contents.dccp,
    "hashlimit": rates.hashlimit,
    "icmp": contents.icmp,
    "icmp6": contents.icmp6,
    "icmpv6": contents.icmp6,
    "ipv6header": contents.ipv6header,
    "limit": rates.limit,
    "mark": _mark,
    "multiport": contents.multiport,
    "osf": contents.osf,
    "policy": places.policy,
    "quota": rates.quota,
    "rateest": rates.rateest,
    "recent": recent,
    "rpfilter": places.rpfilter,
    "sctp": contents.sctp,
    "set": places.ipset,
    "socket": places.socket,
    "state": connections.state,
    "statistic": rates.statistic,
    "string": contents.string,
    "tcp": contents.tcp,
    "time": places.time,
}
