"""Digests of many nodes on a Dask cluster: one task per node, with results in the order of the nodes.

Workers open URLs themselves; this machine's files are sent to them. A task whose worker is lost is repeated by another.
A dump that kills one worker after another is reported, and so are those that are left when no worker is.
"""

from __future__ import annotations

import pickle
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from ipt_explain.compare.fleet.engines.making import Made, Maker
from ipt_explain.compare.fleet.engines.processes import Task, digest_of_task
from ipt_explain.compare.fleet.nodes import NotCompared
from ipt_explain.errors import UsageError
from ipt_explain.inputs.limits import DASK_SECONDS
from ipt_explain.words import counted

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
        cluster = _Cluster(library)
        shared = None if objects is None else cluster.shared(client, objects, address)
        ahead = _AHEAD * max(1, sum(client.nthreads().values()))

        def submit(task: Task) -> Any:
            return client.submit(_work, task, lenient, shared, pure=False, retries=_RETRIES)

        waiting: deque[tuple[Task, Any]] = deque()
        for task in work:
            waiting.append((task, submit(task)))
            if len(waiting) >= ahead:
                yield cluster.made(*waiting.popleft(), [future for _, future in waiting], submit)
        while waiting:
            yield cluster.made(*waiting.popleft(), [future for _, future in waiting], submit)


class _NoProgress(Exception):
    """The cluster does nothing more."""


class _Cluster:
    """The results of a cluster's workers. If it finishes nothing for some time, what it still has to do is given up
    without further waiting."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._limit = DASK_SECONDS.value()
        self._patience = self._limit

    def shared(self, client: Any, objects: ApiObjects, address: str) -> Any:
        """The objects, sent to the workers once. Raises UsageError if there are none."""
        try:
            return client.scatter(objects, broadcast=True, timeout=self._limit)
        except self._library.TimeoutError:
            raise UsageError(f"the Dask cluster at {address} has no workers") from None

    def made(self, task: Task, future: Any, others: list[Any], submit: Callable[[Task], Any]) -> Made:
        """A task's digest. A failure on the cluster is reported for its node and does not stop the others."""
        entry = task.job.entries[0]
        killed = self._library.KilledWorker
        try:
            try:
                packed = self._result(future, others)
            except killed:
                # Another dump may have killed its workers: try again with nothing else running.
                for each in others:
                    self._wait(each, others)
                packed = self._result(submit(task), [])
            made = pickle.loads(zlib.decompress(packed))
        except killed:
            why = "reading it killed the workers that tried: too little memory?"
        except _NoProgress:
            why = (
                f"given up: no worker of the Dask cluster finished anything for {counted(self._limit, 'second')}; "
                f"{DASK_SECONDS.variable}={10 * self._limit} waits longer"
            )
        except CancelledError:
            self._patience = 0
            why = "the connection to the Dask scheduler was lost"
        except Exception as error:
            why = f"no worker could read it: {type(error).__name__}: {error}"
        else:
            assert isinstance(made, Made)
            return made
        return Made(task.job.node, None, entry.path, (NotCompared(task.job.node, why, path=entry.path),))

    def _result(self, future: Any, others: list[Any]) -> bytes:
        self._wait(future, others)
        packed: bytes = future.result()
        return packed

    def _wait(self, future: Any, others: list[Any]) -> None:
        """Wait until it is done. Raises _NoProgress if neither it nor any of the others gets done in time."""
        while not future.done():
            pending = [each for each in (future, *others) if not each.done()]
            try:
                self._library.wait(pending, timeout=self._patience, return_when="FIRST_COMPLETED")
            except self._library.TimeoutError:
                self._patience = 0
                raise _NoProgress from None
            self._patience = self._limit


def _work(task: Task, lenient: bool, objects: ApiObjects | None) -> bytes:
    """Runs on a worker: the digest, packed to send it back."""
    maker = Maker(lenient, objects) if objects is not None else _makers.setdefault(lenient, Maker(lenient))
    return zlib.compress(pickle.dumps(digest_of_task(maker, task)), 1)
