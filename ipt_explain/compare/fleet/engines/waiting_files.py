"""Files of nodes that wait, while an archive is read, for the other files of their node.

An archive may hold all files of one tool before those of the next. Dumps of many nodes would then fill the memory, so
waiting files are compressed, and beyond a limit some nodes are put off until the archive is read again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from ipt_explain.compare.fleet.nodes import NodeJob
from ipt_explain.inputs.nodes.sources import SourceFile
from ipt_explain.inputs.nodes.unreadable import UnreadableFile

Contents = tuple[tuple[SourceFile, "bytes | UnreadableFile"], ...]
"""A node's files."""

_FASTEST = 1


class WaitingFiles:
    """The files read so far, compressed, of `most` bytes in all unless a single node has more. `put_off` are the nodes
    whose files did not fit."""

    def __init__(self, most: int) -> None:
        self.put_off: list[NodeJob] = []
        self._most = most
        self._size = 0
        self._files: dict[str, dict[int, bytes | UnreadableFile]] = {}
        self._jobs: dict[str, NodeJob] = {}
        self._gone: set[str] = set()

    def add(self, job: NodeJob, entry: SourceFile, content: bytes | UnreadableFile) -> Contents | None:
        """Add a file. If it is the last one of its node, give all files of the node, ordered by path."""
        if job.node in self._gone:
            return None
        waiting = self._files.setdefault(job.node, {})
        self._jobs[job.node] = job
        if len(waiting) + 1 == len(job.entries):
            self._drop(job.node)
            return tuple((each, content if each is entry else _unpacked(waiting[id(each)])) for each in job.entries)
        packed = content if isinstance(content, UnreadableFile) else zlib.compress(content, _FASTEST)
        waiting[id(entry)] = packed  # one path may be asked for twice
        self._size += _size([packed])
        while self._size > self._most and len(self._files) > 1:
            latest = next(reversed(self._files))
            self.put_off.insert(0, self._jobs[latest])
            self._gone.add(latest)
            self._drop(latest)
        return None

    def _drop(self, node: str) -> None:
        self._size -= _size(self._files.pop(node).values())
        del self._jobs[node]


def _size(contents: Iterable[bytes | UnreadableFile]) -> int:
    return sum(len(each) for each in contents if isinstance(each, bytes))


def _unpacked(content: bytes | UnreadableFile) -> bytes | UnreadableFile:
    return content if isinstance(content, UnreadableFile) else zlib.decompress(content)
