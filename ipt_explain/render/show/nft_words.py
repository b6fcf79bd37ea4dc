"""Sentences about the rules of one table of nftables."""

from __future__ import annotations

from ipt_explain.analyzers.nftables.names import ChainKind, proxy_chain, target_of
from ipt_explain.analyzers.nftables.purposes import purpose_of
from ipt_explain.analyzers.nftables.tables import TABLE
from ipt_explain.analyzers.profiles.nft_chains import NftPlace
from ipt_explain.model import nft
from ipt_explain.render.english.nft.rule import nft_rule_words
from ipt_explain.render.english.rule import RuleWords
from ipt_explain.words import address_port, counted


class NftWords:
    """Rules in words, with the effect of the chains that they lead to."""

    def __init__(self, place: NftPlace) -> None:
        self._place = place

    def rule(self, rule: nft.Rule) -> RuleWords:
        """The rule in words."""
        return nft_rule_words(rule, self._place.table, self._place.marks, self.folded)

    def folded(self, name: str) -> str:
        """A chain in a few words: `2 rules: DNAT to 10.244.1.9:8080`."""
        chain = self._place.table.chains.get(name)
        if chain is None:
            return "a chain that this input does not show" if self._place.ruleset.fragment else "which does not exist"
        rules = counted(len(chain.rules), "rule")
        end = self._end(name)
        return f"{rules}: {end}" if end else rules

    def _end(self, name: str) -> str:
        if self._place.table.name != TABLE:
            return ""
        known = proxy_chain(name)
        if known is None:
            return purpose_of(name) or ""
        if known.kind is ChainKind.ENDPOINT:
            target = target_of(name)
            return "" if target is None else f"DNAT to {address_port(target.address, target.port)}"
        if known.kind in (ChainKind.EXTERNAL, ChainKind.FIREWALL):
            return "from outside" if known.kind is ChainKind.EXTERNAL else "source ranges"
        return f"endpoints of {known.port.spelled}"


def counter_of(rule: nft.Rule) -> nft.Counter | None:
    """The rule's own counter, if it has numbers."""
    found = next(iter(rule.of(nft.Counter)), None)
    return found if found is not None and found.packets is not None else None
