"""Rules of Services other than balancing, and causes of losses, in a digest: thousands of service ports share a few
forms, each stored once by its hash."""

from __future__ import annotations

import hashlib

from ipt_explain.compare.services.fabric import Fabric
from ipt_explain.compare.services.losses import LossCause
from ipt_explain.compare.services.views import ServiceView
from ipt_explain.services.ports import TrafficPolicy

POD_NETWORK = "POD-NETWORK"
_ID_LENGTH = 12
_CAUSE = "cause"
_PERHAPS = "perhaps"


class Fabrics:
    """The forms of one digest, by hash."""

    def __init__(self) -> None:
        self.forms: dict[str, tuple[str, ...]] = {}
        self._ids: dict[tuple[str, ...], str] = {}

    def id_of(self, view: ServiceView) -> str | None:
        """The hash of a service port's rules other than balancing; None if it has none, or they depend on the node."""
        form = _fabric_form(view)
        return None if len(form) < 2 else self._id_of(form)

    def id_of_cause(self, cause: LossCause) -> str:
        """The hash of a cause of losses."""
        doubt = () if cause.certain else (_PERHAPS,)
        return self._id_of((_CAUSE, cause.how, cause.verdict, cause.place, cause.rule, cause.dnat, *doubt))

    def _id_of(self, form: tuple[str, ...]) -> str:
        found = self._ids.get(form)
        if found is None:
            content = "\n".join(form).encode("utf-8", "surrogateescape")
            found = self._ids[form] = hashlib.sha256(content).hexdigest()[:_ID_LENGTH]
            self.forms[found] = form
        return found


def cause_of(form: tuple[str, ...]) -> LossCause:
    """The cause of losses that has this form. Raises ValueError if it is none."""
    _, how, verdict, place, rule, dnat, *doubt = form
    return LossCause(how, verdict, place, rule, dnat, not doubt)


def _fabric_form(view: ServiceView) -> Fabric:
    """The rules with placeholders for the service port's own addresses, ports and endpoints."""
    if TrafficPolicy.LOCAL in (view.internal_policy, view.external_policy) or not view.fabric:
        return ()
    words: dict[str, str] = {}
    for (host, port), frontend in view.frontends.items():
        words[str(port)] = "NODE-PORT" if not host else "PORT"
        if host:
            words[host] = words[f"{host}/32"] = words[f"{host}/128"] = frontend.kind.value.upper()
    endpoints = view.endpoints()
    for endpoint in endpoints:
        words[endpoint] = "ENDPOINT"
        host = endpoint.rpartition(":")[0].strip("[]")
        words[f"{host}/32"] = words[f"{host}/128"] = "ENDPOINT-IP"
    if view.masquerade.off_cluster is not None:
        words[view.masquerade.off_cluster] = POD_NETWORK
    lines: dict[str, int] = {}
    for text in view.fabric[1:]:
        line = " ".join(words.get(word, word) for word in text.split(" "))
        lines[line] = lines.get(line, 0) + 1
    per_endpoint = len(endpoints)
    return (view.fabric[0], *(f"{_times(count, per_endpoint, line)}{line}" for line, count in lines.items()))


def _times(count: int, endpoints: int, line: str) -> str:
    """How often a rule occurs: once, once per endpoint, or some other number."""
    if "ENDPOINT" in line and count == endpoints:
        return ""
    return "" if count == 1 and "ENDPOINT" not in line else f"{count}x "
