"""Session affinity has options that make it work differently from kube-proxy's.

What it checks:
    Rules that look up returning clients have `--rcheck --seconds T --reap` and compare whole source addresses, and so
    do rules that record clients. `--update`, `--hitcount`, `--rttl`, `--rdest`, a mask that leaves out bits, and a
    missing `--seconds` or `--reap` are reported.

Why it matters:
    Without `--seconds` clients stick for ever; without `--reap` stale ones stay in the list. With a shorter mask whole
    networks share a pod, and with `--rdest` all clients do. With `--hitcount` a client's first returns are missed.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-AAAAAAAAAAAAAAAA
      --mask 255.255.255.0 --rsource -j KUBE-SEP-AAAAAAAAAAAAAAAA

How to fix:
    Restart kube-proxy on the node: it rewrites the rules.

When to ignore:
    When the rules are your own and the option is intended.
"""

from __future__ import annotations

from collections.abc import Collection

from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.model import Rule, Shape

_ODD = {
    "--update": "also renews the record of clients it looks up",
    "--hitcount": "finds clients only after several connections",
    "--rttl": "finds clients only while their TTL is the same",
    "--rdest": "looks at the destination, which all clients share: they all go to one endpoint",
    "--remove": "forgets clients",
}
_FULL_MASKS = frozenset({"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
_KUBE = frozenset({ChainRole.SERVICE, ChainRole.LOCAL, ChainRole.LOCAL_EXTERNAL, ChainRole.ENDPOINT})


@rule("IPT308", "affinity-options", Severity.WARNING, about=("-m recent",))
def affinity_options(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for shape, rules in context.by_shape.get("nat", {}).items():
        options = _options(shape)
        if options is None:
            continue
        words = _words(options)
        mask = shape.match_option("recent", "--mask")
        suspects: Collection[Rule]
        if words is not None:
            suspects = rules
        elif mask is not None and mask.slots:
            suspects = rules.having(mask.slots[0], lambda word: word.lower() not in _FULL_MASKS)
        else:
            continue
        for judged in suspects:
            if role_of(judged.chain) in _KUBE:
                yield _fault(judged, words)


def _fault(judged: Rule, words: tuple[str, str] | None) -> Fault:
    option, effect = words or (
        f"--mask {judged.match('recent', '--mask')}",
        "ignores bits of the address: clients of one network share a record",
    )
    return Fault(
        f"session affinity differs from kube-proxy's: {option} {effect}", RESTART, at_rule(judged, focus=option)
    )


def _options(shape: Shape) -> set[str] | None:
    for match in shape.matches:
        if match.module == "recent":
            return {option.name for option in match.options}
    return None


def _words(options: set[str]) -> tuple[str, str] | None:
    """The option that is odd, and what it does."""
    for option, effect in _ODD.items():
        if option in options:
            return option, effect
    if "--rcheck" in options and "--seconds" not in options:
        return "the missing --seconds", "makes clients stick for ever"
    if "--rcheck" in options and "--reap" not in options:
        return "the missing --reap", "keeps stale clients in the list, which holds 100"
    return None
