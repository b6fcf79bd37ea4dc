"""Digests of many nodes on this machine, made by this process or several.

Their order does not depend on the number of processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from ipt_explain.compare.fleet.engines.making import Made, Maker
from ipt_explain.compare.fleet.engines.waiting_files import Contents, WaitingFiles
from ipt_explain.compare.fleet.nodes import NodeJob, NotCompared
from ipt_explain.compare.objects.model import ApiObjects
from ipt_explain.inputs.nodes.sources import Sources
from ipt_explain.inputs.nodes.urls import is_url
from ipt_explain.records import Record

_AHEAD = 3
"""Jobs to submit per process before waiting for the oldest."""

_MOST_WAITING = 256 << 20
"""Bytes of files, packed, that may wait for the other files of their nodes."""


def available_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


class Task(Record):
    """A job, with the contents of files that only the first process can read (archives, standard input)."""

    job: NodeJob
    contents: Contents | None = None


def tasks(sources: Sources, jobs: Iterable[NodeJob], elsewhere: bool) -> Iterator[Task]:
    """The jobs as tasks: first those of plain files, then those in archives, each as soon as all its files are read.
    An archive with too many files of one node far from each other is read several times.

    If they run `elsewhere`, on other machines, only URLs can be opened there.
    """
    through_archives: list[NodeJob] = []
    for job in jobs:
        if any(entry.in_archive or entry.path == "-" for entry in job.entries):
            through_archives.append(job)
        elif elsewhere and not all(is_url(entry.path) for entry in job.entries):
            yield Task(job, tuple(sources.contents(job.entries)))
        else:
            yield Task(job)
    while through_archives:
        waiting = WaitingFiles(_MOST_WAITING)
        owner = {id(entry): job for job in through_archives for entry in job.entries}
        for entry, content in sources.contents([entry for job in through_archives for entry in job.entries]):
            contents = waiting.add(owner[id(entry)], entry, content)
            if contents is not None:
                yield Task(owner[id(entry)], contents)
        through_archives = waiting.put_off


def made_here(work: Iterable[Task], lenient: bool, objects: ApiObjects | None) -> Iterator[Made]:
    """Digests made by this process, one after the other."""
    maker = Maker(lenient, objects)
    for task in work:
        yield digest_of_task(maker, task)


def made_by_processes(
    work: Iterable[Task], lenient: bool, processes: int, objects: ApiObjects | None = None
) -> Iterator[Made]:
    """Digests made by several processes. A dump that kills one is reported, and the other work is repeated."""
    waiting: deque[tuple[Task, Future[Made]]] = deque()
    pool = _Pool(lenient, processes, objects)
    try:
        for task in work:
            waiting.append((task, pool.submit(task)))
            if len(waiting) >= processes * _AHEAD:
                yield from _next(waiting, pool)
        while waiting:
            yield from _next(waiting, pool)
    finally:
        pool.close()


def _next(waiting: deque[tuple[Task, Future[Made]]], pool: _Pool) -> Iterator[Made]:
    """The oldest task's digest."""
    task, future = waiting.popleft()
    try:
        yield future.result()
    except BrokenProcessPool:
        # Any task in progress may have killed its process: run each alone.
        again = [task, *(each for each, _ in waiting)]
        waiting.clear()
        pool.renew()
        for each in again:
            yield pool.alone(each)


class _Pool:
    def __init__(self, lenient: bool, processes: int, objects: ApiObjects | None) -> None:
        self._lenient = lenient
        self._objects = objects
        self._processes = processes
        self._executor = self._new(processes)

    def _new(self, processes: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(processes, initializer=_begin, initargs=(self._lenient, self._objects))

    def submit(self, task: Task) -> Future[Made]:
        """Submit a task."""
        try:
            return self._executor.submit(_work, task)
        except BrokenProcessPool as error:
            failed: Future[Made] = Future()
            failed.set_exception(error)
            return failed

    def renew(self) -> None:
        """Start over with new processes."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._new(self._processes)

    def alone(self, task: Task) -> Made:
        """The task's digest, made by a separate process."""
        with self._new(1) as executor:
            try:
                return executor.submit(_work, task).result()
            except BrokenProcessPool:
                why = "reading it killed the process: too little memory?"
                path = task.job.entries[0].path
                return Made(task.job.node, None, path, (NotCompared(task.job.node, why, path=path),))

    def close(self) -> None:
        """End all processes."""
        self._executor.shutdown(wait=False, cancel_futures=True)


_maker: Maker


def _begin(lenient: bool, objects: ApiObjects | None) -> None:
    global _maker  # noqa: PLW0603 (each process has one, to remember what it read last)
    _maker = Maker(lenient, objects)
    # Ctrl-C stops the first process, and the others end with it, however it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_first, daemon=True).start()


def _end_with_the_first() -> None:
    first = multiprocessing.parent_process()
    if first is not None:
        wait([first.sentinel])
        os._exit(1)


def _work(task: Task) -> Made:
    return digest_of_task(_maker, task)


def digest_of_task(maker: Maker, task: Task) -> Made:
    """A task's digest."""
    contents = task.contents
    if contents is None:
        contents = tuple(Sources(()).contents(task.job.entries))
    return maker.make(task.job, contents)
