"""The laboratory's node with nftables rules, and forecasts for packets through them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from ipt_explain.model import Family, nft
from ipt_explain.netfilter.header import parse_address
from ipt_explain.netfilter.packet import Node
from tests.kernel.laboratory import Laboratory, Shot
from tests.kernel.namespaces import missing
from tests.netfilter.nft_walk import Walk, packet


def why_not() -> str | None:
    """Why tests with the kernel cannot run here; None if they can."""
    return missing() or (None if shutil.which("nft") else "needs nft")


class NftLaboratory(Laboratory):
    """A node whose rules nft loads and lists."""

    def __init__(self, ipv6: bool = False, extra: tuple[str, ...] = ()) -> None:
        super().__init__("nft", ipv6, extra)

    def load(self, rules: str) -> str:
        """Replace the node's rules; returns nft's complaint, "" if it has none."""
        done = self._spaces.run("node", ["nft", "-f", "-"], f"flush ruleset\n{rules}")
        self._forget_connections()
        return done.stderr.strip() or "refused" if done.returncode else ""

    def saved(self) -> str:
        """The node's rules as nft lists them."""
        return self._spaces.run("node", ["nft", "list", "ruleset"]).stdout


@dataclass(frozen=True)
class Foretold:
    """One possible fate of a packet, in the form that the judge needs."""

    verdict: str
    delivered: bool
    dnat: str | None
    masqueraded: bool
    probability: float


@dataclass(frozen=True)
class Forecast:
    """All possible fates of a packet."""

    outcomes: tuple[Foretold, ...]


def forecast(ruleset: nft.Ruleset, shot: Shot, laboratory: Laboratory) -> Forecast:
    """Forecast the fate of a packet through the laboratory's node."""
    family = Family.IPV6 if laboratory.ipv6 else Family.IPV4
    own = frozenset(parse_address(text.partition("@")[0]) for text in laboratory.local_addresses)
    local = shot.origin == "host"
    came = None if local else {"pod": "cni0", "external": "eth0"}[shot.origin]
    node = Node(local_addresses=own, out_interface="snk0")
    state, to = packet(family, shot.source, shot.destination, shot.port, shot.protocol, local, node, came)
    walk = Walk(ruleset, family)
    found = walk.depart(state, to, own) if local else walk.arrive(state, to, own)
    return Forecast(
        tuple(
            Foretold(one.verdict.value, one.delivered, one.to or None, one.masqueraded, float(share))
            for one, share in found.items()
        )
    )
