"""The functions of the public API: `ipt_explain.parse`, `explain`, `audit` and `trace`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipt_explain.audit.findings.finding import Finding
    from ipt_explain.model import Dump
    from ipt_explain.services.explanation import Explanation
    from ipt_explain.trace import Packet, Trace


def parse(text: str | bytes, source: str = "-", lenient: bool = False) -> Dump:
    """Read a dump.

    `text` is the output of iptables-save, ip6tables-save or `iptables -S`, input for iptables-restore, or bare rule
    lines; bytes may be gzip. `source` names it in messages. Raises DumpSyntaxError for lines that are not
    iptables-save syntax, unless `lenient`, which skips them and counts them in `Dump.warnings`.
    Raises UsageError for bytes that are not text. Both are IptExplainErrors.
    """
    from ipt_explain.inputs import decode
    from ipt_explain.parsing import read_dump

    if isinstance(text, bytes):
        text = decode(text, source)
    return read_dump(text.removeprefix("\ufeff"), source=source, lenient=lenient)


def explain(dump: Dump) -> Explanation:
    """What the rules do with every Service: frontends, endpoints and their probabilities, affinity, masquerading."""
    from ipt_explain.analyzers import explain

    return explain(dump)


def audit(dump: Dump) -> list[Finding]:
    """All findings, most severe first. A healthy dump has none."""
    from ipt_explain.audit import audit

    return audit(dump)


def trace(
    dump: Dump,
    packet: Packet,
    local_addresses: Iterable[str] = (),
    out_interface: str | None = None,
    returning: str | None = None,
    assume: Iterable[str] = (),
) -> Trace:
    """Where a packet ends up: outcomes whose probabilities sum to 1, each with the rules that led there.

    `local_addresses` are the node's own, which `addrtype LOCAL` and node ports match; `out_interface` is where the
    packet leaves the node, None if unknown. `returning` is the endpoint (`IP:PORT`) that the client was sent to before;
    `assume` answers questions that the dump leaves open, as `TEXT=yes` or `TEXT=no`. Raises UsageError for an
    impossible packet.
    """
    from ipt_explain.trace import trace

    return trace(dump, packet, tuple(local_addresses), out_interface, returning, tuple(assume))
