"""Endpoints whose chains are all that a fragment shows of their Services, as `iptables-save | grep POD-ADDRESS` leaves
them."""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.names import ChainRole, read_comment, role_of
from ipt_explain.model import Ruleset
from ipt_explain.words import and_more

_SHOWN = 3


def endpoints_alone(ruleset: Ruleset) -> str:
    """The endpoints that these rules name, each with its Service; "" if there are none."""
    found = list(dict.fromkeys(_named(ruleset)))
    more = and_more(len(found) - _SHOWN, "endpoint") if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _named(ruleset: Ruleset) -> Iterator[str]:
    for chain in ruleset.tables["nat"].chains.values():
        if role_of(chain.name) is not ChainRole.ENDPOINT:
            continue
        for rule in chain.rules:
            destination = rule.first(rule.shape.target_option("--to-destination"))
            name = read_comment(rule.comment or "")[0]
            if destination is not None:
                yield destination if name is None else f"{destination} of {name.spelled.removesuffix(':')}"
