"""One process, several, a Dask cluster: the same bytes, and whatever kills a worker is named."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipt_explain.cli.main import run
from ipt_explain.collector import collector_paused
from ipt_explain.compare.fleet.engines.making import Made, Maker
from ipt_explain.compare.fleet.engines.processes import Task, made_by_processes
from ipt_explain.compare.fleet.nodes import NodeJob
from ipt_explain.inputs.nodes.kinds import FileKind
from ipt_explain.inputs.nodes.sources import SourceFile
from tests.cli.program import ROOT
from tests.compare.helpers import scenario
from tests.fleets.planting import healthy, write

HEALTHY = scenario("1.30/basic").ipv4.encode()


class Poison:
    """What ends a worker that unpacks it, as a dump beyond its memory does."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _poison, ()


def _poison() -> Poison:
    if multiprocessing.current_process().name != "MainProcess":
        os._exit(1)
    return Poison()  # Dask's scheduler, in this process here, unpacks tasks, too


def _tasks(*poisoned: int) -> Iterator[Task]:
    for number in range(12):
        entry = SourceFile(f"node-{number}.txt", f"node-{number}.txt", FileKind.SAVE)
        content: Any = Poison() if number in poisoned else HEALTHY
        yield Task(NodeJob(f"node-{number}", (entry,)), ((entry, content),))


def _check(made: list[Made], *poisoned: int) -> None:
    assert [each.node for each in made] == [f"node-{number}" for number in range(12)]
    assert [each.digest is None for each in made] == [number in poisoned for number in range(12)]
    for number in poisoned:
        (why,) = made[number].not_compared
        assert "killed" in why.why


def test_memory_does_not_grow_with_nodes() -> None:
    maker = Maker(False)
    with collector_paused():  # as each command runs
        for number in range(12):
            entries = [
                SourceFile(f"{number}{suffix}", f"{number}{suffix}", FileKind.SAVE) for suffix in healthy(number)
            ]
            texts = [text.encode() for text in healthy(number).values()]
            assert maker.make(NodeJob(str(number), tuple(entries)), list(zip(entries, texts))).digest is not None
        assert gc.get_count()[0] < 300_000  # one node makes some 40,000 objects in cycles


def test_a_dump_that_kills_its_process_is_named_and_costs_no_other() -> None:
    _check(list(made_by_processes(_tasks(1, 7), lenient=False, processes=2)), 1, 7)


def test_processes_end_with_the_first() -> None:
    code = """
import os, signal
from ipt_explain.compare.fleet.engines.processes import made_by_processes
from tests.fleets.test_engines import _tasks
next(made_by_processes(_tasks(), lenient=False, processes=2))
os.kill(os.getpid(), signal.SIGKILL)
"""
    # Each process holds an end of the pipe, so reading ends when all of them have ended.
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False, cwd=ROOT, timeout=300)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A Dask cluster on this machine, of more workers than the tests kill: a worker that dies while it starts is never
    replaced."""
    import_dask()
    import dask

    # The fewer workers a task may kill, the likelier is it that one dies for another's fault.
    dask.config.set({"distributed.scheduler.allowed-failures": 0, "distributed.comm.timeouts.connect": "300s"})
    with local_cluster(4) as found:
        yield found


def import_dask() -> Any:
    """Dask's library, or skip the test."""
    return pytest.importorskip("distributed", reason="Dask is not installed")


def local_cluster(workers: int) -> Any:
    """A Dask cluster on this machine."""
    return import_dask().LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    )


def test_dask_prints_what_one_process_prints(cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, 12)
    printed = set()
    for options in (("--jobs", "1"), ("--jobs", "2"), ("--dask", cluster.scheduler_address)):
        assert run(["compare", "--nodes", "-o", "json", *options, str(tmp_path)]) == 1
        captured = capsys.readouterr()
        printed.add((captured.out, captured.err))
    assert len(printed) == 1


def test_workers_open_urls(cluster: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    for number in range(4):
        (tmp_path / f"node-{number}.txt").write_bytes(HEALTHY)
    for source in (f"file://{tmp_path}/*.txt", f"file://{tmp_path}"):
        for options in ((), ("--dask", cluster.scheduler_address)):
            assert run(["compare", "--nodes", *options, source]) == 0
            assert capsys.readouterr().out.startswith("4 nodes agree on all 4 service ports")


def test_a_poisoned_dump_and_a_lost_worker(cluster: Any) -> None:
    from ipt_explain.compare.fleet.engines.dask import made_by_dask

    made: list[Made] = []
    for each in made_by_dask(_tasks(5), False, cluster.scheduler_address):
        if not made:
            # A worker is lost while the others' work is under way.
            worker = next(iter(cluster.workers.values()))
            with contextlib.suppress(Exception):
                os.kill(worker.pid, 9)
        made.append(each)
    _check(made, 5)


def test_a_cluster_that_finishes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import_dask()
    from ipt_explain.compare.fleet.engines.dask import made_by_dask

    monkeypatch.setenv("IPT_EXPLAIN_MAX_DASK_SECONDS", "1")
    with local_cluster(0) as idle:
        made = list(made_by_dask(_tasks(), False, idle.scheduler_address))
    assert [each.node for each in made] == [f"node-{number}" for number in range(12)]
    for each in made:
        (why,) = each.not_compared
        assert why.reason == (
            f"{each.node}.txt: given up: no worker of the Dask cluster finished anything for 1 second; "
            "IPT_EXPLAIN_MAX_DASK_SECONDS=10 waits longer"
        )


def test_a_lost_scheduler_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    import_dask()
    from ipt_explain.compare.fleet.engines.dask import made_by_dask

    def work(cluster: Any) -> Iterator[Task]:
        for number, task in enumerate(_tasks()):
            if number == 1:
                cluster.close()
            yield task

    idle = local_cluster(0)
    made = list(made_by_dask(work(idle), False, idle.scheduler_address))
    assert [each.digest for each in made] == [None] * 12
    assert made[0].not_compared[0].why == "the connection to the Dask scheduler was lost"


def test_a_cluster_without_workers_cannot_judge_by_objects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_dask()
    monkeypatch.setenv("IPT_EXPLAIN_MAX_DASK_SECONDS", "1")
    (tmp_path / "a.txt").write_bytes(HEALTHY)
    (tmp_path / "objects.json").write_text('{"kind": "List", "items": []}')
    objects = str(tmp_path / "objects.json")
    with local_cluster(0) as idle:
        options = ("--objects", objects, "--dask", idle.scheduler_address)
        assert run(["compare", "--nodes", *options, str(tmp_path / "a.txt")]) == 2
    assert capsys.readouterr().err == f"ipt-explain: the Dask cluster at {idle.scheduler_address} has no workers\n"


def test_a_missing_scheduler_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_dask()
    monkeypatch.setattr("ipt_explain.compare.fleet.engines.dask._CONNECT_SECONDS", "1s")
    (tmp_path / "a.txt").write_bytes(HEALTHY)
    assert run(["compare", "--nodes", "--dask", "tcp://127.0.0.1:9", str(tmp_path)]) == 2
    assert "no Dask scheduler answers" in capsys.readouterr().err
