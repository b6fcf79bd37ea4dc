"""Properties of a service port as JSON and in words, for comparison."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.compare.differences import Value
from ipt_explain.compare.services.views import AffinityView, MasqueradeView


def affinity_value(affinity: AffinityView | None) -> Value:
    """Affinity as JSON, None for none."""
    if affinity is None:
        return None
    seconds: Value = affinity.seconds[0] if len(affinity.seconds) == 1 else values_of(affinity.seconds)
    value: dict[str, Value] = {"type": "ClientIP", "timeout_seconds": seconds}
    if affinity.without:
        value["without"] = values_of(affinity.without)
    return value


def affinity_words(affinity: AffinityView | None) -> str:
    """Affinity in words."""
    if affinity is None:
        return "none"
    words = "ClientIP " + ", ".join(f"{seconds} s" for seconds in affinity.seconds)
    return words + (f" (not for {', '.join(affinity.without)})" if affinity.without else "")


def source_value(masquerade: MasqueradeView) -> Value:
    """When ClusterIP connections are masqueraded, as JSON."""
    return {"all": masquerade.all, "off_cluster": masquerade.off_cluster}


def source_words(masquerade: MasqueradeView) -> str:
    """When ClusterIP connections are masqueraded, in words."""
    if masquerade.all:
        return "all"
    return "none" if masquerade.off_cluster is None else f"from outside {masquerade.off_cluster}"


def when(conditions: tuple[str, ...] | None) -> str:
    """Conditions in words."""
    return ", ".join(conditions) if conditions else "never"


def flags(endpoints: Iterable[str], value: bool) -> Value:
    """The same value for each endpoint, as JSON."""
    return dict.fromkeys(endpoints, value)


def values_of(items: Iterable[str] | Iterable[int]) -> list[Value]:
    """Several values as JSON."""
    return list(items)


def ranges(networks: tuple[str, ...]) -> str:
    """Source ranges in words; none means any source."""
    return ", ".join(networks) if networks else "any"


def change_words(before: int | None, after: int | None) -> str:
    """How a number changed that may be absent."""
    if before is None:
        return f"{after} added"
    return f"{before} removed" if after is None else f"{before} -> {after}"
