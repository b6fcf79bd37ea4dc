"""The dump mixes rules of two generations of kube-proxy.

What it checks:
    kube-proxy up to 1.19 calls unnamed ports `ns/name:`, later releases call them `ns/name`; no dump has both. No dump
    uses both KUBE-XLB (up to 1.23) and KUBE-EXT (from 1.24 on).

Why it matters:
    Either one kube-proxy left rules that another does not know and never updates, or two run on the node and overwrite
    each other. The older rules lead to pods that are gone.

Example:
    -A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "shop/web: cluster IP" -m tcp --dport 80
      -j KUBE-SVC-R3QLXARIJDVMZQ3A
    -A KUBE-SERVICES -d 10.96.0.21/32 -p tcp -m comment --comment "shop/api cluster IP" -m tcp --dport 80
      -j KUBE-SVC-YI7FANR2652WTB3A

How to fix:
    Make sure that only one kube-proxy runs on the node, delete the older chains (`kube-proxy --cleanup` of the older
    release) and restart kube-proxy.

When to ignore:
    During an upgrade, until kube-proxy has synced once.
"""

from __future__ import annotations

from collections.abc import Callable

from ipt_explain.analyzers.names import ChainRole
from ipt_explain.audit.authoring import ONE_PROXY, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.services.front_rules import NamedRule, front_rules
from ipt_explain.columns import Columns


@rule("IPT505", "mixed-writers", Severity.WARNING, yields_to=("IPT504",))
def mixed_writers(context: RulesetContext) -> Faults:
    """One fault for each sign of two writers."""
    named = front_rules(context).named
    old = _first(named, "name", lambda name: name.endswith(":"))
    new = None if old is None else _first(named, "name", lambda name: ":" not in name)
    if old is not None and new is not None:
        yield Fault(
            f"kube-proxy up to 1.19 wrote {old.name}, a later one wrote {new.name}: rules of the older one "
            "are not kept up to date",
            ONE_PROXY,
            at_rule(old.evidence.rule, focus=old.name),
            related=(new.evidence.line,),
        )
    xlb = _first(named, "target", lambda target: target.startswith(ChainRole.LOCAL_EXTERNAL.value))
    ext = None if xlb is None else _first(named, "target", lambda target: target.startswith(ChainRole.EXTERNAL.value))
    if xlb is not None and ext is not None:
        yield Fault(
            "KUBE-XLB chains of kube-proxy up to 1.23 are used next to KUBE-EXT chains of later ones: the older rules "
            "are not kept up to date",
            ONE_PROXY,
            at_rule(xlb.evidence.rule, focus=xlb.target),
            related=(ext.evidence.line,),
        )


def _first(named: Columns[NamedRule], field: str, fits: Callable[[str], bool]) -> NamedRule | None:
    """The first rule whose field satisfies `fits`."""
    return next((named[place] for place, text in enumerate(named.column(field)) if fits(text)), None)
