"""The node's own rules: what each iptables-save on the machine prints.

A kernel can hold two sets of rules for each family, one behind the legacy interface and one behind nf_tables, and a
packet passes both. Each has a tool of its own; plain `iptables-save` is one of the two, and `--version` tells which
(iptables 1.8 and later print `(legacy)` or `(nf_tables)`; earlier releases knew the legacy one only).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ipt_explain.errors import UsageError
from ipt_explain.inputs.files import InputText
from ipt_explain.inputs.limits import INPUT_BYTES, amount_text
from ipt_explain.inputs.tools import TooLate, TooMuch, find_tool, run_tool

PROC = Path("/proc/net")

TIMEOUT_SECONDS = 120.0
"""How long a tool may take: iptables-nft-save needs a minute or so for some 100,000 rules."""

_VERSION_TIMEOUT_SECONDS = 10.0
_LONGEST_VERSION = 1 << 12

# Where iptables lives on systems that keep these folders out of an ordinary user's PATH.
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

# iptables-nft-save prints it where legacy rules exist too; here they are read as well.
_OTHER_INTERFACE = re.compile(r"# Warning: ip6?tables-legacy tables present")


class _Interface(Enum):
    LEGACY = "legacy"
    NFT = "nf_tables"


@dataclass(frozen=True, slots=True)
class _Tool:
    name: str
    path: str
    interface: _Interface


@dataclass(frozen=True, slots=True)
class LiveRules:
    """What the tools printed, named by tool, and notes for the reader: what was run, skipped, or failed."""

    inputs: tuple[InputText, ...]
    notes: tuple[str, ...]


class _Refused(Exception):
    """A tool that could not do its work; `for_rights` where root could have done it."""

    def __init__(self, reason: str, for_rights: bool = False) -> None:
        super().__init__(reason)
        self.for_rights = for_rights


def read_live(
    search_path: str | None = None, proc: Path = PROC, timeout: float = TIMEOUT_SECONDS
) -> LiveRules:
    """Run every iptables-save of the machine, both families and both interfaces, with counters.

    `search_path` is where tools are looked for (default: PATH and the system's folders), `timeout` is in seconds
    and holds for each. Raises UsageError where none could be run, or all that ran had nothing to say.
    """
    if search_path is None:
        search_path = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    inputs: list[InputText] = []
    ran: list[str] = []
    notes: list[str] = []
    lacks_rights = False
    for family in ("iptables", "ip6tables"):
        tools = list(_tools(family, search_path))
        if not tools:
            notes.append(f"{family}-save: not found on this machine")
        for tool in tools:
            try:
                text, warnings = _run(tool, _legacy_tables(proc, family), timeout)
            except _Refused as refusal:
                lacks_rights |= refusal.for_rights
                notes.append(f"{tool.name}: {refusal}")
                continue
            notes.extend(f"{tool.name}: {line}" for line in warnings)
            if text:
                ran.append(f"{tool.name} ({tool.interface.value})")
                inputs.append(InputText(tool.name, text))
            else:
                notes.append(f"{tool.name}: there are no {tool.interface.value} tables")
    if not inputs:
        raise UsageError(_nothing_read(notes, lacks_rights))
    return LiveRules(tuple(inputs), ("read " + ", ".join(ran), *notes))


def _tools(family: str, search_path: str) -> Iterator[_Tool]:
    """One tool for each interface that the machine has one for; the plain name first, as it is what people run."""
    seen: set[_Interface] = set()
    for name in (f"{family}-save", f"{family}-legacy-save", f"{family}-nft-save"):
        path = find_tool(name, search_path)
        if path is None:
            continue
        interface = _interface(name, path)
        if interface not in seen:
            seen.add(interface)
            yield _Tool(name, path, interface)


def _interface(name: str, path: str) -> _Interface:
    if name.endswith("-nft-save"):
        return _Interface.NFT
    if name.endswith("-legacy-save"):
        return _Interface.LEGACY
    try:
        done = run_tool([path, "--version"], _VERSION_TIMEOUT_SECONDS, _LONGEST_VERSION)
    except (OSError, TooLate, TooMuch):
        return _Interface.LEGACY
    return _Interface.NFT if b"nf_tables" in done.output else _Interface.LEGACY


def _legacy_tables(proc: Path, family: str) -> Path:
    """The kernel's list of the legacy tables that exist in this network namespace."""
    return proc / ("ip_tables_names" if family == "iptables" else "ip6_tables_names")


def _run(tool: _Tool, legacy_tables: Path, timeout: float) -> tuple[str, list[str]]:
    """What the tool prints on standard output, and its warnings."""
    if tool.interface is _Interface.LEGACY:
        _require_tables(legacy_tables)
    try:
        done = run_tool([tool.path, "-c"], timeout, INPUT_BYTES.value(), {**os.environ, "LC_ALL": "C"})
    except TooLate:
        raise _Refused(f"no answer within {timeout:g} seconds") from None
    except TooMuch:
        most = amount_text(INPUT_BYTES.value(), INPUT_BYTES.unit)
        raise _Refused(f"it printed more than {most}; {INPUT_BYTES.variable} sets another limit") from None
    except OSError as error:
        raise _Refused(f"cannot be run: {error.strerror}") from None
    said = done.complaints.decode("utf-8", "replace").splitlines()
    warnings = [line for line in said if line.strip() and not _OTHER_INTERFACE.match(line)]
    if done.status != 0:
        reason = warnings[0] if warnings else f"failed with status {done.status}"
        raise _Refused(reason, for_rights="ermission denied" in reason or "not permitted" in reason)
    return done.output.decode("utf-8", "surrogateescape"), warnings


def _require_tables(names: Path) -> None:
    """The legacy tools load kernel modules to look for tables, so they are run only where the kernel lists some."""
    try:
        listed = names.read_bytes().split()
    except PermissionError:
        raise _Refused(f"{names} cannot be read: permission denied", for_rights=True) from None
    except OSError:
        listed = []
    if not listed:
        raise _Refused("not run, as the kernel has no legacy tables here")


def _nothing_read(notes: list[str], lacks_rights: bool) -> str:
    if lacks_rights:
        reason = "--live needs the right to read the node's rules: run it as root (sudo), or with CAP_NET_ADMIN"
    else:
        reason = "--live found no rules: is this the node's own network namespace, and is iptables installed?"
    return "\n  ".join((reason, *notes))
