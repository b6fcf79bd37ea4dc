"""Collecting nodes' rules with the user's own kubectl and permissions.

kube-proxy's pod on a node has the node's network and iptables-save; `kubectl debug` reaches nodes without one. exec may
silently end in the middle of the output, so readers of these texts must check that they are complete.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from ipt_explain.errors import UsageError
from ipt_explain.inputs.limits import INPUT_BYTES
from ipt_explain.inputs.tools import TooLate, TooMuch, find_tool, run_tool
from ipt_explain.records import Record

SAVERS = {"v4": "iptables-save", "v6": "ip6tables-save"}
"""The command to run on each node, by the name of its output."""

OBJECTS = ("services,endpointslices,nodes", "--all-namespaces", "-o", "json")
_API_SECONDS = 120
_DEBUG = ("-i", "--quiet", "--profile=sysadmin", "--image=busybox")
_PAUSE_SECONDS = 0.5
_WAKE_SECONDS = 0.5
_AHEAD = 2
_EXIT_CODE = re.compile(r"command terminated with exit code \d+$")
_NO_IPV6 = re.compile(r"Address family not supported|executable file not found")


class Kubectl(Record):
    """How to call kubectl. `options` come before its command, such as `--context prod`; a call that takes longer than
    `timeout` seconds is abandoned, and retried up to `retries` times."""

    options: tuple[str, ...] = ()
    namespace: str = "kube-system"
    selector: str = "k8s-app=kube-proxy"
    container: str = "kube-proxy"
    timeout: float = 30.0
    retries: int = 1
    debug: bool = False

    def command(self, *words: str) -> list[str]:
        """The command line of a call. Raises UsageError if there is no kubectl."""
        program = find_tool("kubectl")
        if program is None:
            raise UsageError("there is no kubectl on the PATH")
        return [program, *self.options, *words]


class Collected(Record):
    """A node's output: the text of each command by name, or `why` there is none."""

    node: str
    texts: tuple[tuple[str, bytes], ...] = ()
    why: str | None = None


def node_list(kubectl: Kubectl) -> list[str]:
    """The names of the cluster's nodes. Raises UsageError if the API does not answer."""
    return [_name(each) for each in _listed(kubectl, "get", "nodes", "-o", "json")]


def cluster_objects(kubectl: Kubectl) -> bytes:
    """The input of `compare --objects`, as JSON. Raises UsageError if the API does not answer."""
    return _called(kubectl.command("get", *OBJECTS), _API_SECONDS, "kubectl get")


def proxy_pods(kubectl: Kubectl) -> dict[str, str]:
    """kube-proxy's running pod on each node that has one."""
    pods = _listed(kubectl, "get", "pods", "-n", kubectl.namespace, "-l", kubectl.selector, "-o", "json")
    found: dict[str, str] = {}
    for pod in pods:
        node = _text(pod, "spec", "nodeName")
        if node and _text(pod, "status", "phase") in ("", "Running"):
            found[node] = _name(pod)
    return found


def collect(kubectl: Kubectl, nodes: Sequence[str], pods: dict[str, str], at_once: int) -> Iterator[Collected]:
    """The rules of each node, in the order of the nodes, with `at_once` calls in parallel."""
    waiting: deque[Future[Collected]] = deque()
    threads = ThreadPoolExecutor(at_once)
    try:
        for node in nodes:
            waiting.append(threads.submit(_collect, kubectl, node, pods.get(node)))
            if len(waiting) >= at_once * _AHEAD:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        # After Ctrl-C, do not wait for nodes that may not answer.
        threads.shutdown(wait=False, cancel_futures=True)


def _result(collected: Future[Collected]) -> Collected:
    """What a call gave, once it ends. Python does not notice a Ctrl-C that comes just before it begins to wait, so it
    wakes now and then.
    """
    while not collected.done():
        wait((collected,), _WAKE_SECONDS)
    return collected.result()


def _collect(kubectl: Kubectl, node: str, pod: str | None) -> Collected:
    if pod is None and not kubectl.debug:
        where = f"{kubectl.selector} in {kubectl.namespace}"
        return Collected(node, why=f"no running pod of {where} is on it; --debug works without one")
    texts: list[tuple[str, bytes]] = []
    for name, saver in SAVERS.items():
        words = ["exec", "-n", kubectl.namespace, str(pod), "-c", kubectl.container, "--", saver]
        if kubectl.debug:
            words = ["debug", f"node/{node}", *_DEBUG, "--", "chroot", "/host", saver]
        try:
            text = _tried(kubectl, words)
        except UsageError as error:
            if name == "v6" and _NO_IPV6.search(str(error)):
                # If other nodes have IPv6 rules, the comparison reports that this one lacks them.
                continue
            return Collected(node, why=f"{saver}: {error}")
        if text.strip() or name == "v4":
            texts.append((name, text))
    return Collected(node, tuple(texts))


def _tried(kubectl: Kubectl, words: Sequence[str]) -> bytes:
    """The output of a call, with retries."""
    for _ in range(kubectl.retries):
        try:
            return _called(kubectl.command(*words), kubectl.timeout, f"kubectl {words[0]}")
        except UsageError:
            # Ctrl-C ends kubectl, too, and this process while it pauses: no other call is made.
            time.sleep(_PAUSE_SECONDS)
    return _called(kubectl.command(*words), kubectl.timeout, f"kubectl {words[0]}")


def _called(command: Sequence[str], timeout: float, name: str) -> bytes:
    try:
        printed = run_tool(command, timeout, INPUT_BYTES.value())
    except TooLate:
        raise UsageError(f"{name} did not answer within {timeout:g} s") from None
    except TooMuch:
        raise INPUT_BYTES.exceeded(name, "it prints") from None
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None
    if printed.status != 0:
        complaints = printed.complaints.decode("utf-8", "backslashreplace").strip()
        # The command's own message is more useful than the line that kubectl adds.
        lines = (_EXIT_CODE.sub("", complaints).strip() or complaints).splitlines()
        raise UsageError(f"{name} failed: {lines[-1] if lines else f'exit status {printed.status}'}")
    return printed.output


def _listed(kubectl: Kubectl, *words: str) -> list[Any]:
    content = _called(kubectl.command(*words), _API_SECONDS, f"kubectl {' '.join(words[:2])}")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise UsageError(f"kubectl {' '.join(words[:2])} did not print JSON") from None
    items = document.get("items") if isinstance(document, dict) else None
    return items if isinstance(items, list) else []


def _name(item: Any) -> str:
    return _text(item, "metadata", "name")


def _text(item: Any, *path: str) -> str:
    for key in path:
        item = item.get(key) if isinstance(item, dict) else None
    return item if isinstance(item, str) else ""


def wanted_nodes(nodes: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The wanted nodes. Raises UsageError for a name that the cluster does not have."""
    known = list(nodes)
    for name in wanted:
        if name not in known:
            raise UsageError(f"the cluster has no node {name}; it has {', '.join(known[:5])}")
    return [node for node in known if node in wanted] if wanted else known
