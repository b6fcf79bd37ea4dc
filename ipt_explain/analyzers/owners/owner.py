"""Who wrote a chain and why, judged by its name, or otherwise by its rules' comments.

A prefix proves nothing: kube-router and CRI-O also name chains KUBE-…. A name that no known program uses has no owner.
"""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.analyzers.names import HASH_LENGTH, hash_of, role_of
from ipt_explain.analyzers.owners.kube import role_of_kube_chain
from ipt_explain.analyzers.owners.neighbours import COMMENTS, EXACT, PATTERNS, PREFIXES
from ipt_explain.model import Rule
from ipt_explain.netfilter.hooks import is_built_in
from ipt_explain.records import Record

KERNEL = "built-in"

# How many of a chain's rules to search for comments: a program that signs its rules signs the first ones.
_SAMPLE = 8
_PREFIX_LENGTHS = sorted({len(prefix) for prefix in PREFIXES}, reverse=True)
_BASE32 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


class Owner(Record):
    """Who wrote a chain: `name` (`kube-proxy`, `Docker`, …), the chain's purpose, and the evidence for both."""

    name: str
    purpose: str
    evidence: str


def owner_of(chain: str, rules: Iterable[Rule] = (), table: str | None = None) -> Owner | None:
    """The owner of the chain of this name; None if unknown.

    `rules` are the chain's: their comments count if the name says nothing. `table` distinguishes chains of one name
    (KUBE-SERVICES is in nat and in filter); None takes the more common one.
    """
    if is_built_in("mangle" if table is None else table, chain):  # mangle has all five
        return Owner(KERNEL, "where the kernel hands packets to this table", "name")
    role = role_of_kube_chain(chain, table)
    if role is not None:
        return Owner(role.owner, role.text, _evidence(chain))
    known = EXACT.get(chain)
    if known is not None:
        return Owner(known[0], known[1], "name")
    for length in _PREFIX_LENGTHS:
        known = PREFIXES.get(chain[:length])
        if known is not None:
            return Owner(known[0], known[1], f"name ({chain[:length]}…)")
    for pattern, name, purpose in PATTERNS:
        if pattern.match(chain):
            return Owner(name, purpose, "name")
    return _by_comments(rules)


def owner_of_rule(rule: Rule, table: str | None = None) -> Owner | None:
    """Who added a rule to another's chain, such as a built-in one, judged by its comment or otherwise its jump."""
    signed = _by_comment(rule)
    if signed is not None:
        return signed
    target = rule.shape.target
    if target is None or target.slot is None:
        return None
    chain = rule.word(target.slot)
    led_to = owner_of(chain, (), table)
    return None if led_to is None else Owner(led_to.name, led_to.purpose, f"it jumps to {chain}")


def _evidence(chain: str) -> str:
    """The evidence in a name like kube-proxy's, including whether its hash looks right."""
    role, word = role_of(chain), hash_of(chain)
    if role is None or word is None:
        return "name"
    if len(word) == HASH_LENGTH and _BASE32.issuperset(word):
        return f"name ({role.value} and a hash)"
    return f"name ({role.value}, though what follows is not a hash as kube-proxy makes them)"


def _by_comments(rules: Iterable[Rule]) -> Owner | None:
    for _, rule in zip(range(_SAMPLE), rules):
        owner = _by_comment(rule)
        if owner is not None:
            return owner
    return None


def _by_comment(rule: Rule) -> Owner | None:
    comment = rule.comment
    if comment is not None:
        for beginning, owner, purpose in COMMENTS:
            if comment.startswith(beginning):
                return Owner(owner, purpose, f'comment "{beginning.strip()}…"')
    return None
