"""Files of many nodes: directories and globs expanded, and which node each file is of."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from ipt_explain.errors import UsageError

# What file names say beside the node's name, in any order and number.
_SUFFIXES = frozenset(
    {
        "gz", "txt", "json", "digest", "dump", "save", "rules", "log", "out", "v4", "v6", "ipv4", "ipv6", "iptables",
        "ip6tables", "iptables-save", "ip6tables-save", "iptables-legacy-save", "iptables-nft-save",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A path and the node that it is of. `given` tells that the command line named the node (`NAME=PATH`)."""

    node: str
    path: str
    given: bool


def node_files(arguments: Iterable[str]) -> list[NodeFile]:
    """The files that arguments name: a path, `NAME=PATH`, a directory (all files in it) or a glob.

    Raises UsageError for a directory without files and a glob that fits none.
    """
    found: list[NodeFile] = []
    for argument in arguments:
        name, equals, rest = argument.partition("=")
        given = bool(equals and name and rest) and not os.path.exists(argument) and "/" not in name
        path = rest if given else argument
        for each in _expanded(path):
            found.append(NodeFile(name if given else node_name(each), each, given))
    return found


def node_name(path: str) -> str:
    """A node's name from its file's: `dumps/node-1.digest.json` is node-1, and so is `node-1/iptables-save.txt`."""
    pure = PurePath(path)
    for part in (pure.name, pure.parent.name):
        name = part
        while "." in name and name.rpartition(".")[2] in _SUFFIXES:
            name = name.rpartition(".")[0]
        if name and name not in _SUFFIXES:
            return name
    return pure.name or path


def _expanded(path: str) -> list[str]:
    if path == "-" or os.path.isfile(path):
        return [path]
    if os.path.isdir(path):
        files = sorted(str(each) for each in Path(path).iterdir() if each.is_file() and not each.name.startswith("."))
        if not files:
            raise UsageError(f"{path}: there is no file in this directory")
        return files
    if glob.has_magic(path):
        files = sorted(each for each in glob.glob(path) if os.path.isfile(each))
        if not files:
            raise UsageError(f"{path}: no file fits")
        return files
    return [path]
