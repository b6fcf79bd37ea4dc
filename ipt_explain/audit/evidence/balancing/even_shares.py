"""The probabilities with which kube-proxy spreads connections evenly, and how precisely it wrote them.

Fact: the rule for the first of k remaining endpoints has probability 1/k, written with five digits up to 1.16 and with
ten from 1.17 on (pkg/proxy/iptables/proxier.go). The kernel keeps 31 bits of it, which iptables prints.
"""

from __future__ import annotations

from typing import TypeAlias

from ipt_explain.netfilter.probability import SCALE, stored

Digits: TypeAlias = frozenset[int]
"""With how many digits a probability may have been written; none if it is no even share at all."""

FIVE, TEN = 5, 10
EITHER: Digits = frozenset((FIVE, TEN))
_NONE: Digits = frozenset()
_ONLY = {digits: frozenset((digits,)) for digits in EITHER}


class EvenShares:
    """Finds out for how many remaining endpoints a probability is even, once for each text."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Digits] = {}

    def digits(self, text: str, remaining: int) -> Digits:
        """The numbers of digits with which a probability is 1/remaining; empty if it is not."""
        key = (text, remaining)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _digits(text, remaining)
        return found

    def remaining(self, text: str) -> int | None:
        """The number of remaining endpoints for which a probability is even, or None."""
        try:
            value = stored(text)
        except ValueError:
            return None
        if value <= 0:
            return None
        near = round(SCALE / value)
        # Five digits cannot tell large numbers apart.
        return next((count for count in (near, near - 1, near + 1) if count > 0 and self.digits(text, count)), None)


def _digits(text: str, remaining: int) -> Digits:
    try:
        value = stored(text)
    except ValueError:
        return _NONE
    share = 1.0 / remaining
    five, ten = value == stored(f"{share:.5f}"), abs(value - stored(f"{share:.10f}")) <= 1
    return EITHER if five and ten else _ONLY[FIVE] if five else _ONLY[TEN] if ten else _NONE
