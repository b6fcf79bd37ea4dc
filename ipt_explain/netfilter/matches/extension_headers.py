"""ah, dst, esp, frag, hbh, mh, rt, srh: headers between IP's and the transport's.

Packets of ordinary connections have none, and are traced whole. Without the header, none of these matches holds,
negated or not (rt_mt6, frag_mt6, hbh_mt6, ah_mt6, srh_mt6 of net/ipv6/netfilter).
"""

from __future__ import annotations

from ipt_explain.model import Match
from ipt_explain.netfilter.condition import Answer, Condition, Words, undecided
from ipt_explain.netfilter.packet import Bound, PacketState
from ipt_explain.netfilter.truth import Truth

_CARRIED = {"ah": 51, "esp": 50, "mh": 135}
"""Those that a traced packet may have as its protocol."""


def conditions(match: Match) -> list[Condition]:
    """A condition that fails unless a packet's protocol is the header; the header's content is then a question."""
    protocol = _CARRIED.get(match.module)

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        return Truth.of(state.connection.protocol == protocol)

    return [Condition((), test), *(() if protocol is None else undecided(match))]
