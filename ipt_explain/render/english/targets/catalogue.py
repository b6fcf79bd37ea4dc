"""What happens to a packet that matches, by target.

An action takes the options that it words and returns one predicate about the packet; the rest get a generic phrase.
Facts: iptables-extensions(8), and the xt_*.c, ipt_*.c and ip6t_*.c sources of the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.options import Options
from ipt_explain.render.english.targets import fields, handing
from ipt_explain.render.english.targets.nat import NAT

Action = Callable[[Options, Glossary], str]


def _plain(predicate: str, option: str = "") -> Action:
    """An action with at most one value."""

    def action(options: Options, _: Glossary) -> str:
        return predicate.format((options.value(option) or "") if option else "")

    return action


ACTIONS: Mapping[str, Action] = {
    **NAT,
    "ACCEPT": _plain("is accepted"),
    "DROP": _plain("is silently dropped"),
    "RETURN": _plain("returns to the calling chain (in a built-in chain: to its policy)"),
    "QUEUE": _plain("is handed to a program for its verdict (QUEUE)"),
    "REJECT": handing.reject,
    "AUDIT": _plain("is recorded in the audit log as type {}", "--type"),
    "CHECKSUM": lambda options, _: (
        "gets its checksum " + ("computed" if options.flag("--checksum-fill") else "left alone")
    ),
    "CLASSIFY": _plain("gets traffic class {}", "--set-class"),
    "CLUSTERIP": handing.clusterip,
    "CONNMARK": fields.connmark,
    "CONNSECMARK": fields.connsecmark,
    "CT": handing.ct,
    "DSCP": lambda options, _: "gets its DSCP set to " + (options.value("--set-dscp", "--set-dscp-class") or "?"),
    "ECN": fields.ecn,
    "HL": fields.hops,
    "HMARK": fields.hmark,
    "IDLETIMER": handing.idletimer,
    "LED": handing.led,
    "LOG": handing.log,
    "MARK": fields.mark,
    "NFLOG": handing.nflog,
    "NFQUEUE": handing.nfqueue,
    "NOTRACK": _plain("is not tracked, so neither NAT nor connection states apply to it"),
    "RATEEST": handing.rateest,
    "SECMARK": _plain("gets the security context {}", "--selctx"),
    "SET": handing.ipset,
    "SYNPROXY": handing.synproxy,
    "TCPMSS": fields.tcpmss,
    "TCPOPTSTRIP": _plain("gets the TCP options {} removed", "--strip-options"),
    "TEE": handing.tee,
    "TOS": fields.tos,
    "TPROXY": handing.tproxy,
    "TRACE": _plain("is traced: the kernel logs every rule that it meets from here on"),
    "TTL": fields.hops,
    "ULOG": handing.nflog,
}

# Extensions after which the packet goes on to the next rule (XT_CONTINUE in their sources).
CONTINUING = frozenset({
    "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "CT", "DNPT", "DSCP", "ECN", "HL", "HMARK",
    "IDLETIMER", "LED", "LOG", "MARK", "NFLOG", "NOTRACK", "RATEEST", "SECMARK", "SET", "SNPT", "TCPMSS",
    "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "TTL", "ULOG",
})  # fmt: skip
