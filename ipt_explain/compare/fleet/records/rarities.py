"""Rare properties of a service port in a digest: their keys, and what values they may have."""

from __future__ import annotations

from typing import Any

INTERNAL_POLICY = "i"
"""`L` for Local, `?` for unknown; otherwise Cluster."""
EXTERNAL_POLICY = "x"
"""`L` for Local; otherwise Cluster."""
OTHER_MODE = "o"
"""The mode of kube-proxy, if it is not iptables and the external policy is Local."""
HEALTH_CHECK = "k"
"""The health check node port."""
CHANCES = "p"
"""The chances of the endpoints, unless they are even."""
UNMATCHED = "u"
"""The share of connections without an endpoint, unless chances are even."""
SCHEDULER = "s"
"""The IPVS scheduler, if load or the client decides."""
AFFINITY = "a"
"""Seconds; with endpoints that keep no clients, a list of both."""
NO_HAIRPIN = "h"
"""Endpoints that cannot reach themselves through the Service."""
MASQUERADE = "m"
"""1 if all ClusterIP connections are masqueraded, 0 if none; otherwise those from outside the pod network."""
EXTERNAL_MASQUERADE = "M"
"""When connections to external addresses are masqueraded, unless as usual under the external policy."""
KEPT = "K"
"""Why connections marked for masquerading keep their source, and 1 if clients of a node port do, too."""
FABRIC = "f"
"""The hash of its rules other than balancing."""
LOSSES = "l"
"""By hash of their cause, the frontends, vantage points and shares of connections that other rules lose, null if they
only may."""


def checked(rare: Any) -> dict[str, Any]:
    """Rare properties with their types checked: a digest may come from anywhere. Raises ValueError."""
    for key, value in dict(rare).items():
        if not _fits(key, value):
            raise ValueError(key)
    return dict(rare)


def _fits(key: str, value: Any) -> bool:
    if key == AFFINITY:
        nested = isinstance(value, list) and len(value) == 2 and isinstance(value[0], list)
        return _all_are(value[0], int) and _all_are(value[1], str) if nested else _all_are(value, int)
    if key == CHANCES:
        return isinstance(value, list) and _all_are([each for each in value if each is not None], float, int)
    if key in (NO_HAIRPIN, EXTERNAL_MASQUERADE) and value != 0:
        return _all_are(value, str)
    if key == KEPT:
        return isinstance(value, list) and len(value) == 2 and _all_are(value[:1], str) and value[1] in (0, 1)
    if key == UNMATCHED:
        return _is_share(value)
    if key == LOSSES:
        return isinstance(value, dict) and all(
            isinstance(lost, list) and all(_is_loss(each) for each in lost) for lost in value.values()
        )
    return _all_are([value], str, int)


def _all_are(values: Any, *kinds: type) -> bool:
    """Whether a list holds only values of these types; true and false do not count as numbers."""
    return isinstance(values, list) and all(isinstance(each, kinds) and not isinstance(each, bool) for each in values)


def _is_share(value: Any) -> bool:
    return value is None or _all_are([value], float, int)


def _is_loss(value: Any) -> bool:
    """Whether a value is a frontend, a vantage point and a share."""
    return isinstance(value, list) and len(value) == 3 and _all_are(value[:2], str) and _is_share(value[2])
