"""Frontends and endpoints of a service port as compact text, and back.

A frontend is `KIND ADDRESS,PORT[=VERDICT][<RANGE…]` without the space: `c10.96.0.10,53`, `n,30080=node`. Endpoints are
grouped by port: `10.244.1.9,10.244.2.3:8080`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from ipt_explain.compare.services.views import Address, FrontendView, Pool, ServiceView
from ipt_explain.services.ports import FrontendKind, FrontendVerdict, TrafficPolicy

_KINDS = {
    FrontendKind.CLUSTER_IP: "c",
    FrontendKind.EXTERNAL_IP: "e",
    FrontendKind.LOAD_BALANCER: "l",
    FrontendKind.EXTERNAL: "x",
    FrontendKind.NODE_PORT: "n",
}
_KIND_OF = {letter: kind for kind, letter in _KINDS.items()}
_DEPENDS_ON_NODE = "node"


def packed_frontends(view: ServiceView) -> str:
    """The frontends of a service port, by address. Where policy Local lets each node balance or drop, the record does
    not say which."""
    return " ".join(_packed_frontend(view, *item) for item in sorted(view.frontends.items()))


def _packed_frontend(view: ServiceView, address: Address, frontend: FrontendView) -> str:
    host, port = address
    text = f"{_KINDS[frontend.kind]}{host},{port}"
    policy = view.internal_policy if frontend.kind is FrontendKind.CLUSTER_IP else view.external_policy
    if policy is TrafficPolicy.LOCAL and frontend.verdict in (FrontendVerdict.BALANCE, FrontendVerdict.DROP):
        text += f"={_DEPENDS_ON_NODE}"
    elif frontend.verdict is not FrontendVerdict.BALANCE:
        text += f"={frontend.verdict.value}"
    return text + "".join(f"<{each}" for each in frontend.source_ranges)


def unpacked_frontends(text: str, pool: Pool | None) -> dict[Address, FrontendView]:
    """The frontends in a record; those that balance lead to `pool`. Raises ValueError or KeyError for damaged text."""
    return dict(_unpacked_frontend(word, pool) for word in text.split())


def _unpacked_frontend(text: str, pool: Pool | None) -> tuple[Address, FrontendView]:
    text, *ranges = text.split("<")
    place, _, verdict_word = text[1:].partition("=")
    host, _, port = place.rpartition(",")
    balanced = verdict_word in ("", _DEPENDS_ON_NODE)
    verdict = FrontendVerdict.BALANCE if balanced else FrontendVerdict(verdict_word)
    reached = pool if not verdict_word else None
    return (host, int(port)), FrontendView(_KIND_OF[text[0]], verdict, reached, None, tuple(ranges))


def packed_endpoints(endpoints: Iterable[str]) -> str:
    """Endpoints (`ip:port`) in their order, with consecutive ones of the same port together."""
    parts = (endpoint.rpartition(":") for endpoint in endpoints)
    groups = groupby(parts, key=lambda part: part[2])
    return " ".join(f"{','.join(host for host, _, _ in group)}:{port}" for port, group in groups)


def unpacked_endpoints(text: str) -> Iterator[str]:
    """The endpoints of a record, in its order."""
    for group in text.split():
        hosts, _, port = group.rpartition(":")
        for host in hosts.split(","):
            yield f"{host}:{port}"
