"""Doubtful losses of connections that are real on most nodes."""

from __future__ import annotations

from ipt_explain.audit.evidence.losses.causes import Cause
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import replace

_BESIDE_PODS = r"docker0|virbr[\w+*]*|tailscale[\w+*]*"
_ELSEWHERE = rf'not (?:-[io] (?:{_BESIDE_PODS})|[io]if(?:name)? "(?:{_BESIDE_PODS})"|\S+ is an address of this node)'
_LIKELY = lazy_pattern(f"{_ELSEWHERE}(?: and {_ELSEWHERE})*")


def likely_part(cause: Cause) -> Cause | None:
    """What a possible cause loses if packets do not come or go by bridges and tunnels that carry no pods, and the
    node's own addresses, which few endpoints have, are none of theirs; None if more must hold for all of it."""
    likely = tuple([victim for victim in cause.victims if all(map(_LIKELY.fullmatch, victim.assumed))])
    return replace(cause, victims=likely) if likely else None
