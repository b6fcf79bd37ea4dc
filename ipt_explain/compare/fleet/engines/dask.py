"""Digests of many nodes on a Dask cluster: one task per node, with results in the order of the nodes.

Workers open URLs themselves; this machine's files are sent to them. A lost worker is replaced and its task repeated; a
dump that kills one worker after another is reported.
"""

from __future__ import annotations

import pickle
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ipt_explain.compare.fleet.engines.making import Made, Maker
from ipt_explain.compare.fleet.engines.processes import Task, digest_of_task
from ipt_explain.compare.fleet.nodes import NotCompared
from ipt_explain.errors import UsageError

if TYPE_CHECKING:
    from ipt_explain.compare.objects.model import ApiObjects

_RETRIES = 2
_AHEAD = 4
"""Tasks to submit per thread of the cluster before waiting for the oldest."""

_CONNECT_SECONDS = "20s"

_makers: dict[bool, Maker] = {}


def made_by_dask(
    work: Iterable[Task], lenient: bool, address: str, objects: ApiObjects | None = None
) -> Iterator[Made]:
    """Digests made by the workers of the cluster whose scheduler has this address.

    Raises UsageError if Dask is not installed or the scheduler does not answer.
    """
    try:
        import distributed
    except ImportError:
        raise UsageError("--dask needs Dask: pip install 'ipt-explain[fleet]'") from None
    library: Any = distributed  # has no type annotations
    try:
        client = library.Client(address, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        shared = None if objects is None else client.scatter(objects, broadcast=True)
        ahead = _AHEAD * max(1, sum(client.nthreads().values()))

        def submit(task: Task) -> Any:
            return client.submit(_work, task, lenient, shared, pure=False, retries=_RETRIES)

        waiting: deque[tuple[Task, Any]] = deque()
        for task in work:
            waiting.append((task, submit(task)))
            if len(waiting) >= ahead:
                yield _result(*waiting.popleft(), [future for _, future in waiting], submit)
        while waiting:
            yield _result(*waiting.popleft(), [future for _, future in waiting], submit)


def _result(task: Task, future: Any, others: list[Any], submit: Callable[[Task], Any]) -> Made:
    """A task's digest. A failure on the cluster is reported for its node and does not stop the others."""
    import distributed
    from distributed import KilledWorker

    library: Any = distributed
    entry = task.job.entries[0]
    try:
        try:
            packed = future.result()
        except KilledWorker:
            # Another dump may have killed its workers: try again with nothing else running.
            library.wait(others)
            packed = submit(task).result()
        made = pickle.loads(zlib.decompress(packed))
    except KilledWorker:
        why = "reading it killed the workers that tried: too little memory?"
    except Exception as error:
        why = f"no worker could read it: {type(error).__name__}: {error}"
    else:
        assert isinstance(made, Made)
        return made
    return Made(task.job.node, None, entry.path, (NotCompared(task.job.node, why, path=entry.path),))


def _work(task: Task, lenient: bool, objects: ApiObjects | None) -> bytes:
    """Runs on a worker: the digest, packed to send it back."""
    maker = Maker(lenient, objects) if objects is not None else _makers.setdefault(lenient, Maker(lenient))
    return zlib.compress(pickle.dumps(digest_of_task(maker, task)), 1)
