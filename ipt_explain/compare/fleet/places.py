"""Where the files of nodes are, to tell which other files should be a node's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.inputs.nodes.names import is_tools, node_names
from ipt_explain.inputs.nodes.sources import SourceFile


class NodePlaces:
    """Where files with rules are: their paths without one of their parts. Files that differ in one part are the same
    file on different nodes."""

    def __init__(self, accepted: Iterable[SourceFile]) -> None:
        paths = {path for entry in accepted for path in (entry.path, entry.container)}
        self._places = {place for path in paths for place in _places(path)}

    def has_like(self, path: str) -> bool:
        """Whether a file there should have rules."""
        if not self._places:
            return True
        return is_tools(path.rpartition("/")[2]) or not self._places.isdisjoint(_places(path))


def _places(path: str) -> Iterator[tuple[str, ...]]:
    parts = path.split("/")
    suffix = parts[-1].partition(".")[2] if len(parts[-1].split(".")) == 2 else parts[-1].rpartition(".")[2]
    for index in range(len(parts) - 1):
        yield (*parts[:index], "*", *parts[index + 1 :])
    yield (*parts[:-1], f"*.{suffix}")


class NodeFolders:
    """The folders that have one folder for each node."""

    def __init__(self, named: Iterable[tuple[SourceFile, str]]) -> None:
        # By folder and folder in it, the nodes of the files there.
        self._nodes: dict[str, dict[str, set[str]]] = {}
        for entry, node in named:
            folder = entry.container.rpartition("/")[0]
            while folder:
                parent = folder.rpartition("/")[0]
                self._nodes.setdefault(parent, {}).setdefault(folder, set()).add(node)
                folder = parent

    def has_like(self, folder: str) -> bool:
        """Whether the folders beside this one are of one node each."""
        beside = self._nodes.get(folder.rpartition("/")[0], {})
        if not beside or any(len(nodes) > 1 for nodes in beside.values()):
            return False
        nodes = set().union(*beside.values())
        return len(nodes) > 1 or nodes == {named_by_folder(next(iter(beside)))}


def named_by_folder(path: str) -> str:
    """The node of a folder or an archive with this path."""
    return node_names([f"{path}/iptables-save"])[0]
