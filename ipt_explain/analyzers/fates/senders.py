"""Endpoints for whose own addresses rules make exceptions where packets leave the node, as CNI plugins write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ipt_explain.netfilter.header import network_bits
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Bits, Whereabouts

_MOST_GROUPS = 256  # a node has some 110 pods, rarely 250
_MOST_MASKS = 33


def sent_alike(
    endpoints: Sequence[Heading], sources: Iterable[str], pod: Whereabouts
) -> Mapping[int, Sequence[Heading]]:
    """Endpoints grouped by the source networks of rules that contain them, by the address of one of them.

    Endpoints like an ordinary pod are left out, and of very many groups the last ones.
    """
    networks = [bits for bits in map(_bits, sources) if bits is not None]
    masks: dict[int, set[int]] = {}
    for value, mask in networks:
        masks.setdefault(mask, set()).add(value)
    some = list(masks.items())[:_MOST_MASKS]
    groups: dict[frozenset[Bits], list[Heading]] = {}
    for heading in endpoints:
        address = heading.address
        if isinstance(address, int):
            lies_in = frozenset([(address & mask, mask) for mask, values in some if address & mask in values])
            groups.setdefault(lies_in, []).append(heading)
    known = {each: pod.lies_in(*each) for each in networks}
    if Truth.UNKNOWN not in known.values():
        groups.pop(frozenset([each for each, truth in known.items() if truth is Truth.YES]), None)
    return {own[0].address: own for own in list(groups.values())[:_MOST_GROUPS] if isinstance(own[0].address, int)}


def _bits(text: str) -> Bits | None:
    try:
        return network_bits(text)
    except ValueError:
        return None
