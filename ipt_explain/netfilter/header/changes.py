"""Changes that rules make to unknown parts of an IP header: the TTL (IPv6: hop limit) and the TOS byte.

Facts: xt_HL.c (TTL, HL), xt_DSCP.c (DSCP, TOS), ip_forward.c (forwarding takes one hop before the FORWARD hook).
"""

from __future__ import annotations

from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import NamedTuple

_HIGHEST = 255
_BYTE = 0xFF


class HeaderChanges(NamedTuple):
    """`hops` is the TTL if a rule has set it; otherwise it is None, and `hops_by` is the change so far.

    Of the TOS byte, the bits of `tos_known` are as in `tos`; those of `tos_flipped` are unknown, but inverted.
    """

    hops: int | None = None
    hops_by: int = 0
    tos: int = 0
    tos_known: int = 0
    tos_flipped: int = 0

    def with_hops(self, hops: int) -> HeaderChanges:
        """The same with the TTL set."""
        return self._replace(hops=hops, hops_by=0)

    def hops_changed(self, by: int) -> HeaderChanges:
        """The same with the TTL raised, or lowered. One that was set stays between 0 and 255."""
        if self.hops is None:
            return self._replace(hops_by=self.hops_by + by)
        return self._replace(hops=min(max(self.hops + by, 0), _HIGHEST))

    def tos_changed(self, clear: int, flip: int) -> HeaderChanges:
        """The same with some bits of the TOS byte cleared, then some inverted."""
        clear, flip = clear & _BYTE, flip & _BYTE
        known = self.tos_known | clear
        return self._replace(
            tos=((self.tos & ~clear) ^ flip) & known,
            tos_known=known,
            tos_flipped=((self.tos_flipped & ~clear) ^ flip) & ~known,
        )

    def tos_is(self, value: int, mask: int) -> Truth:
        """Whether the TOS byte has this value under a mask."""
        known = self.tos_known & mask
        if value & ~mask or (self.tos ^ value) & known:
            return Truth.NO
        return Truth.YES if known == mask else Truth.UNKNOWN

    def tos_note(self, mask: int) -> str:
        """What a question about the TOS byte adds if rules have changed some of the masked bits."""
        return " (of the TOS that rules have changed)" if (self.tos_known | self.tos_flipped) & mask else ""

    @property
    def hops_note(self) -> str:
        """What a question about an unknown TTL adds if rules have raised or lowered it."""
        if not self.hops_by:
            return ""
        return f" (of the TTL {'raised' if self.hops_by > 0 else 'lowered'} by {abs(self.hops_by)})"


UNCHANGED = HeaderChanges()
