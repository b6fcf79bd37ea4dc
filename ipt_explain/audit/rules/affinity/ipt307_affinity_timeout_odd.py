"""A Service remembers its clients for a time that Kubernetes does not allow.

What it checks:
    `--seconds` of rules that look up returning clients is from 1 to 86400, as the API server allows. 180 is reported
    too if kube-proxy may be 1.4 or 1.5: these wrote the default of 180 minutes as 180 seconds.

Why it matters:
    Sessions end after three minutes instead of three hours, or last longer than the day that a Service may ask for.

Example:
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m recent --rcheck --seconds 180 --reap --name KUBE-SEP-AAAAAAAAAAAAAAAA
      --rsource -j KUBE-SEP-AAAAAAAAAAAAAAAA

How to fix:
    Restart kube-proxy on the node. Upgrade it if it is older than 1.6.

When to ignore:
    When the Service asks for 180 seconds (sessionAffinityConfig.clientIP.timeoutSeconds).
"""

from __future__ import annotations

from ipt_explain.audit.authoring import RESTART, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.affinity import LONGEST, AffinityCheck, affinity
from ipt_explain.audit.evidence.node.writer import writer

_CONFIGURABLE_SINCE = 8
_MINUTES = "180"


@rule("IPT307", "affinity-timeout-odd", Severity.WARNING, about=("-m recent",))
def affinity_timeout_odd(context: RulesetContext) -> Faults:
    """One fault for each service port and kind of number; one note for all 180s."""
    short: list[AffinityCheck] = []
    for checks in affinity(context).timeouts.values():
        odd = [check for check in checks if check.seconds is not None and not check.possible]
        if odd:
            yield Fault(
                f"clients are remembered for {odd[0].seconds} s; a Service can ask for 1 to {LONGEST} s",
                RESTART,
                at_rule(odd[0].rule, focus=f"--seconds {odd[0].seconds}"),
                related=tuple(check.rule.line for check in odd[1:]),
            )
        short += [check for check in checks if check.seconds == _MINUTES]
    version = writer(context).version
    if short and not writer(context).since(_CONFIGURABLE_SINCE):
        certain = version.last < _CONFIGURABLE_SINCE
        yield Fault(
            "clients are remembered for 180 s: kube-proxy 1.4 and 1.5 wrote that for the default of three hours (10800 "
            "s), minutes as seconds; sessions end after three minutes",
            "Upgrade kube-proxy if it is older than 1.6; otherwise the Service asks for 180 s.",
            at_rule(short[0].rule, focus="--seconds 180"),
            related=tuple(check.rule.line for check in short[1:]),
            severity=Severity.WARNING if certain else Severity.INFO,
        )
