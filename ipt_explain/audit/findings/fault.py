"""What a rule reports: the fault and its place. The runner adds who reports it and in which source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_explain.audit.findings.place import NOWHERE, Place
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.records import dataclass

if TYPE_CHECKING:
    from ipt_explain.audit.backends import BackendContext

RESTART = "Restart kube-proxy on this node: it rewrites the chain."
"""What to do about most faults of one chain."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as a rule reports it.

    `message` says what is wrong and what it does to traffic, in words and numbers; `help` says what to do. `related`
    are other lines that show it. `severity` replaces the rule's own if this case is more or less severe. `key`
    distinguishes several faults at one place (otherwise their fingerprints differ only by order). `context` is for
    rules that check the dump as a whole; others leave it None. `services` are all that one cause hits, if several.
    """

    message: str
    help: str
    at: Place = NOWHERE
    service: str | None = None
    related: tuple[int, ...] = ()
    severity: Severity | None = None
    key: str = ""
    context: BackendContext | None = None
    services: tuple[str, ...] = ()
