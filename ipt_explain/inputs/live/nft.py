"""Native nftables rules: `nft list ruleset` without the tables that iptables-save has already printed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ipt_explain.inputs.files import InputText
from ipt_explain.inputs.live.output import ToolOutput
from ipt_explain.inputs.live.running import Refused, output_of
from ipt_explain.inputs.tools import find_tool

_TABLE = re.compile(r"table (\S+) (\S+)\s*$", re.MULTILINE)
_SAVED = re.compile(r"^\*(\S+)", re.MULTILINE)


def read_nft(output: ToolOutput, search_path: str, timeout: float) -> None:
    """Read every table except those that iptables-save printed, so that no rule is read twice."""
    path = find_tool("nft", search_path)
    if path is None:
        return
    try:
        listed, _ = output_of([path, "list", "tables"], timeout)
        known = _saved_tables(output.inputs)
        wanted = [table for table in _TABLE.findall(listed) if table not in known]
        if len(wanted) == len(_TABLE.findall(listed)) and wanted:
            text, _ = output_of([path, "list", "ruleset"], timeout)
        else:
            text = "".join(output_of([path, "list", "table", *table], timeout)[0] for table in wanted)
    except Refused as refusal:
        output.refused("nft", refusal)
        return
    if text.strip():
        output.add("nft", text, f"nft ({', '.join(' '.join(table) for table in wanted)})")
    elif not output.inputs:
        output.notes.append("nft: there are no tables")


def _saved_tables(inputs: Iterable[InputText]) -> set[tuple[str, str]]:
    """The tables of nf_tables, as (family, name), that an iptables-save printed."""
    return {
        ("ip6" if text.name.startswith("ip6") else "ip", name)
        for text in inputs
        if "nf_tables" in text.text[:200]
        for name in _SAVED.findall(text.text)
    }
