"""`--objects`: a file of the cluster's API objects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from ipt_explain.errors import UsageError

if TYPE_CHECKING:
    from ipt_explain.analyzers.selection import Naming
    from ipt_explain.compare.objects.model import ApiObjects
    from ipt_explain.model import Dump


def read_cluster(file: str, others: Sequence[str]) -> ApiObjects:
    """The API objects from a file, or from standard input unless one of the `others` is that."""
    from ipt_explain.compare.objects.reading import read_objects
    from ipt_explain.inputs import read_inputs

    if file == "-" and ("-" in others or not others):
        raise UsageError("standard input (-) can be read only once: give the objects or the dump as a file")
    return read_objects(read_inputs((file,))[0].text, file)


def naming(file: str | None, dumps: Sequence[Dump]) -> Naming | None:
    """What names the dumps' virtual servers by a file of API objects; None without one."""
    if file is None:
        return None
    from ipt_explain.compare.objects.server_names import with_names

    return partial(with_names, objects=read_cluster(file, [dump.source for dump in dumps]))
