"""A minimal API server for kubectl: discovery, lists, single pods, and exec by WebSocket."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
_PROTOCOL = "v5.channel.k8s.io"
_STDOUT, _STDERR, _STATUS = 1, 2, 3
_BINARY, _CLOSE = 0x82, 0x88

Answer = tuple[bytes, str | None]
"""A command's output, and why it failed, or None."""

_RESOURCES = {
    "v1": (("nodes", "Node", False), ("pods", "Pod", True), ("services", "Service", True)),
    "discovery.k8s.io/v1": (("endpointslices", "EndpointSlice", True),),
}


class ApiServer(ThreadingHTTPServer):
    """Serves `lists` (objects by resource), and `execute` by pod and words. `asked` are the paths of all requests."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, lists: Mapping[str, list[Any]], execute: Callable[[str, list[str]], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lists = lists
        self.execute = execute
        self.asked: list[str] = []

    def kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig file for this server."""
        path = folder / "kubeconfig"
        server = {"server": f"http://127.0.0.1:{self.server_address[1]}"}
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1", "kind": "Config", "current-context": "test",
                    "clusters": [{"name": "test", "cluster": server}],
                    "users": [{"name": "test", "user": {}}],
                    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                }
            )
        )  # fmt: skip
        return path


@contextmanager
def running(server: ApiServer) -> Iterator[ApiServer]:
    """The server, answering until the block ends."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.asked.append(self.path)
        parts = url.path.strip("/").split("/")
        if url.path == "/api":
            self._send({"kind": "APIVersions", "versions": ["v1"]})
        elif url.path == "/apis":
            version = {"groupVersion": "discovery.k8s.io/v1", "version": "v1"}
            group = {"name": "discovery.k8s.io", "versions": [version], "preferredVersion": version}
            self._send({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})
        elif (place := url.path.partition("/")[2].partition("/")[2]) in _RESOURCES:
            self._send(_resource_list(place))
        elif parts[-1] == "exec":
            self._exec(parts[-2], parse_qs(url.query))
        elif parts[-1] in self.server.lists:
            self._send({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": self.server.lists[parts[-1]]})
        else:
            self._one(parts)

    def _one(self, parts: list[str]) -> None:
        objects = self.server.lists.get(parts[-2] if len(parts) > 1 else "", [])
        found = next((each for each in objects if each["metadata"]["name"] == parts[-1]), None)
        if found is not None:
            self._send(found)
            return
        message = f'{"/".join(parts[-2:])} not found'
        self._send({"kind": "Status", "status": "Failure", "message": message, "reason": "NotFound", "code": 404}, 404)

    def _send(self, document: Any, code: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _exec(self, pod: str, query: Mapping[str, list[str]]) -> None:
        key = self.headers.get("Sec-WebSocket-Key", "")
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.send_header("Sec-WebSocket-Protocol", _PROTOCOL)
        self.end_headers()
        # kubectl loses output that arrives before its streams are ready, and nothing shows when they are. Real
        # containers also take some time to start a command.
        time.sleep(0.3)
        output, why = self.server.execute(pod, query["command"])
        for start in range(0, len(output), 1 << 15):
            self._frame(_BINARY, bytes([_STDOUT]) + output[start : start + (1 << 15)])
        status: dict[str, Any] = {"metadata": {}, "status": "Success"}
        if why is not None:
            self._frame(_BINARY, bytes([_STDERR]) + why.encode())
            causes = [{"reason": "ExitCode", "message": "1"}]
            status = {"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
        self._frame(_BINARY, bytes([_STATUS]) + json.dumps(status).encode())
        self._frame(_CLOSE, struct.pack(">H", 1000))
        self.close_connection = True

    def _frame(self, opcode: int, content: bytes) -> None:
        length = len(content)
        head = bytes([opcode, length]) if length < 126 else struct.pack(">BBH", opcode, 126, length)
        self.wfile.write(head + content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


def _resource_list(group_version: str) -> Any:
    resources = [
        {"name": name, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]}
        for name, kind, namespaced in _RESOURCES[group_version]
    ]
    if group_version == "v1":
        resources.append(
            {"name": "pods/exec", "singularName": "", "namespaced": True, "kind": "PodExecOptions", "verbs": ["create", "get"]}
        )
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}
