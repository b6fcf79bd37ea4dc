"""One rule of nftables as an English sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ipt_explain.model import nft
from ipt_explain.render.english.nft.actions import Fold, action, joined_actions
from ipt_explain.render.english.nft.conditions import conditions
from ipt_explain.render.english.rule import NEXT_RULE, RuleWords


def nft_rule_words(
    rule: nft.Rule,
    table: nft.Table | None,
    marks: Mapping[int, str] | None = None,
    fold: Fold = lambda chain: "",
) -> RuleWords:
    """The rule in words. `table` has its sets, `marks` names bits of the mark, and `fold` returns a chain's purpose.

    Statements run in order: a condition that follows an action is worded after it.
    """
    known = marks or {}
    wanted: list[str] = []
    done: list[str] = []
    for statement in dict.fromkeys(_with_hidden_matches(rule, table)):
        does = action(statement, table, known, fold)
        if does is not None:
            done.append(does)
            continue
        for condition in conditions(statement, table, known):
            if done:
                done.append(f"goes on with this rule only if it {condition}")
            elif condition not in wanted:
                wanted.append(condition)
    comments = () if rule.comment is None else (rule.comment,)
    counted = bool(rule.of(nft.Counter))
    return RuleWords(tuple(wanted), joined_actions(done) if done else COUNTED if counted else NEXT_RULE, "", comments)


def _with_hidden_matches(rule: nft.Rule, table: nft.Table | None) -> Iterator[nft.Statement]:
    """A rule's statements, with the match that nft adds to answers of one family and does not print."""
    compared = [match.left for match in rule.of(nft.Match)]
    told = any(isinstance(left, nft.Payload) and left.protocol in ("ip", "ip6") for left in compared)
    for statement in rule.statements:
        family = _ANSWERED.get(statement.kind or "") if isinstance(statement, nft.Reject) else None
        if family is not None and not told and table is not None and table.family is nft.TableFamily.INET:
            yield nft.Match(nft.Meta("nfproto"), nft.Operator.EQUAL, family)
        yield statement


_ANSWERED = {"icmp": "ipv4", "icmpv6": "ipv6"}
COUNTED = "is counted, and " + NEXT_RULE
