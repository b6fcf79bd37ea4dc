"""Finding the node of a file by comparing its path with the others.

`nodes/worker-3/sos_commands/firewall_tables/iptables-save` belongs to worker-3: the part in which paths differ names
the node, unless it is the name of a tool.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_COMMAND = re.compile(r"ip6?tables(?:-legacy|-nft)?(?:_-t_[a-z]+)?(?:_-{1,2}[a-zA-Z-]+)+")
# Parts of file names other than the node's name.
_TOOL = (
    r"(?:ip6?tables|xtables|nft|ipvsadm|ipset)(?:[-_ ]?(?:legacy|nft))?(?:[-_ ](?:save|restore|list|ruleset|rules|"
    r"o|d|t|s|[nvx]*l[nvx]*|[nvx]+|svc|a|j|tables?|nat|filter|mangle|raw|security|line-numbers|dump|dumps))*"
)
_ADDRESSES = r"ip(?:[-_ ](?:o|d|s|addr|address|a|show|list|dev|kube-ipvs0))+"
_WORDS = "digest|dump|dumps|save|rules|ruleset|kube-?proxy|ipv[46]|v[46]|inet6?|firewall|output|stdout"
_ALONE = re.compile(rf"(?:{_TOOL}|{_ADDRESSES}|{_WORDS}|nat|filter|mangle|raw|legacy|nft)", re.IGNORECASE)
_FIRST = re.compile(rf"^(?:{_TOOL}|{_ADDRESSES})[-_. ]+", re.IGNORECASE)
_LAST = re.compile(rf"[-_. ]+(?:{_TOOL}|{_ADDRESSES}|{_WORDS})$", re.IGNORECASE)
_SUFFIX = re.compile(
    rf"\.(?:gz|xz|bz2|zst|tgz|txz|tar|zip|txt|json|log|out|conf|ya?ml|{_TOOL}|{_WORDS})$", re.IGNORECASE
)
# A number of up to four digits belongs to the host: `sosreport-worker-3-…`; numbers of support cases are longer.
_REPORT = re.compile(r"^sosreport-(?P<host>.+?)(?:-\d{5,12})?-\d{4}-\d{2}-\d{2}-[a-z0-9]{5,10}(?:-[a-z]+)?$")
_NODE_FOLDERS = frozenset({"node", "nodes", "host", "hosts"})
# Folders that every node has in such collections.
_COMMON = frozenset({"sos_commands", "firewall_tables", "networking", "network", "host_service_logs", "commands"})


def node_names(paths: Sequence[str]) -> list[str]:
    """The node of each path: the file's name without the tool's, else the folders in which they differ."""
    stems = [_stem(path) for path in paths]
    folders = [_folders(path) for path in paths]
    found: list[str] = [""] * len(paths)
    marked = [_below_nodes(each) for each in folders]
    unnamed: list[int] = []
    named: list[int] = []
    for index, stem in enumerate(stems):
        if marked[index]:
            found[index] = marked[index]
        else:
            (named if stem else unnamed).append(index)
    # If all have one stem, as in `node-1/today.txt` and `node-2/today.txt`, use the folders.
    if len({stems[index] for index in named}) == 1 and len({folders[index] for index in named}) > 1:
        named, unnamed = [], sorted(named + unnamed)
    for index, name in zip(unnamed, _by_folders([folders[index] for index in unnamed])):
        found[index] = name or stems[index] or paths[index]
    for index in named:
        found[index] = stems[index]
    return found


def file_name(path: str) -> str:
    """A single file's node: its name without the tool's, else its folder's name."""
    return node_names([path])[0]


def is_tools(name: str) -> bool:
    """Whether a file is named after a tool, not a node: `iptables-save.txt`."""
    return not _without_tool(name)


def sosreport_command(path: str) -> str | None:
    """The command after which sosreport named a file: `iptables_-t_nat_-nvL` -> `iptables -t nat -nvL`."""
    found = _COMMAND.fullmatch(path.rpartition("/")[2])
    return None if found is None else found[0].replace("_", " ")


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _stem(path: str) -> str:
    parts = _parts(path)
    return _without_tool(parts[-1]) if parts else ""


def _without_tool(name: str) -> str:
    """`worker-0_iptables.txt` -> `worker-0`; "" for `ip6tables_-t_nat_-nvL`."""
    while found := _SUFFIX.search(name):
        name = name[: found.start()]
    # sosreport writes a command line with underscores: `iptables_-t_nat_-nvL`.
    plain = re.sub(r"[_ ]-{1,2}", "_", name)
    if _ALONE.fullmatch(plain):
        return ""
    while (shorter := _LAST.sub("", _FIRST.sub("", name))) != name and shorter:
        name = shorter
    return "" if _ALONE.fullmatch(name) else _host(name)


def _host(name: str) -> str:
    """The host in a sosreport's name; any other name unchanged."""
    report = _REPORT.match(name)
    return report["host"] if report else name


def _folders(path: str) -> tuple[str, ...]:
    """The folders of a path, without common ones; an archive's name counts as a folder."""
    found: list[str] = []
    for part in _parts(path)[:-1]:
        name = _without_tool(part)
        # In `sosreport-a.tar.xz/sosreport-a/…` the archive and its only folder count once.
        if name and part not in _COMMON and (not found or found[-1] != name):
            found.append(name)
    return tuple(found)


def _below_nodes(folders: tuple[str, ...]) -> str:
    """The folder right below the last `nodes/` that has one."""
    for index in range(len(folders) - 2, -1, -1):
        if folders[index].lower() in _NODE_FOLDERS:
            return folders[index + 1]
    return ""


def _by_folders(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """For each path the folders in which it differs from others; if all are equal, the last folder."""
    varying = [
        len({path[depth] if depth < len(path) else "" for path in paths}) > 1
        for depth in range(max(map(len, paths), default=0))
    ]
    names = []
    for path in paths:
        differing = [part for part, varies in zip(path, varying) if varies]
        names.append("/".join(differing) or (path[-1] if path else ""))
    return names
