"""`--objects`: a file of the cluster's API objects."""

from __future__ import annotations

from collections.abc import Sequence
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
    """What adds the names in a file of API objects to the dumps' explanation; None without one."""
    return None if file is None else naming_by(read_cluster(file, [dump.source for dump in dumps]), dumps)


def naming_by(objects: ApiObjects, dumps: Sequence[Dump]) -> Naming:
    """What adds the names in API objects to the dumps' explanation."""
    from ipt_explain.compare.objects.knowledge import Knowledge

    return Knowledge.of(objects, dumps).add_to
