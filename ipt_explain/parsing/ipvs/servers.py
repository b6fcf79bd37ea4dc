"""Converting lines of ipvsadm to virtual servers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ipt_explain.model import Family
from ipt_explain.model.node.ipvs import Forwarding, Persistence, RealServer, VirtualServer
from ipt_explain.parsing.ipvs.numbers import family_of_host, host_and_port, mark_number, prefix_length
from ipt_explain.parsing.line_forms import LineForm, ReadLine

_SAVED_PROTOCOLS = {"TCP_SERVICE": "tcp", "UDP_SERVICE": "udp", "SCTP_SERVICE": "sctp"}
_SAVED_FORWARDING = {
    "MASQUERADING": Forwarding.MASQUERADING,
    "GATEWAYING": Forwarding.ROUTING,
    "IPIP": Forwarding.TUNNEL,
}

_WHOLE_ADDRESS = "FFFFFFFF"

_Key = tuple[Family, str | None, str | int, int]


class _Draft:
    """A virtual server while it is read. `line` is None if only its real servers name it."""

    def __init__(self, key: _Key, line: ReadLine, number: int) -> None:
        self.key = key
        self.scheduler = line.get("SCHEDULER")
        self.flags = line.all("SCHED_FLAG")
        self.persistence = _persistence(key[0], line)
        self.number = number
        self.real_servers: dict[tuple[str, int], RealServer] = {}

    def build(self) -> VirtualServer:
        family, protocol, place, port = self.key
        marked = isinstance(place, int)
        return VirtualServer(
            family,
            protocol,
            None if marked else str(place),
            None if marked else port,
            int(place) if marked else None,
            self.scheduler,
            self.flags,
            self.persistence,
            tuple(self.real_servers.values()),
            self.number,
        )


class ServerReader:
    """Reads lines of `ipvsadm-save`, `ipvsadm -L` and /proc/net/ip_vs, and merges servers that several show."""

    def __init__(self) -> None:
        self.seen = False
        self.connections = 0
        self.orphans = 0
        self._cut = self._headed = False
        self._drafts: dict[_Key, _Draft] = {}
        self._current: _Draft | None = None
        self._last_name: tuple[str, ...] = ()
        self._last_named: _Draft | None = None

    @property
    def whole(self) -> bool:
        """Whether all servers of the node may be shown: `ipvsadm -L` of one of them prints no version."""
        return not self.orphans and not self._cut

    def take(self, line: ReadLine, number: int) -> None:
        """Read one line. Raises ValueError for invalid numbers and addresses."""
        kind = line.form.kind
        if kind in ("connection", "connection_heading"):
            self.connections += 1
            return
        self.seen = True
        if kind == "heading":
            self._headed = self._headed or line.words[0].startswith("IP ")
        if kind == "listed_service" and not self._headed:
            self._cut = True
        if kind == "saved_service" or kind == "listed_service":
            self._open(_key(line), line, number)
        elif kind == "saved_server":
            self._add_to(self._named(line, number), line, number)
        elif kind == "listed_server":
            if self._current is None:
                self.orphans += 1
            else:
                self._add_to(self._current, line, number)

    def take_saved(self, form: LineForm, rows: Sequence[tuple[str, ...]], number: int) -> None:
        """Read lines of `ipvsadm-save` about one virtual server's real servers. Raises ValueError for invalid ones."""
        place, weight, upper = [form.first.get(each) for each in ("SERVER", "WEIGHT", "UPPER")]
        forwarding = _forwarding(form)
        found: dict[tuple[str, int], RealServer] = {}
        for line, words in enumerate(rows, number):
            host, port = host_and_port(words[place or 0])
            most = None if upper is None else int(words[upper])
            weighs = 1 if weight is None else int(words[weight])
            found[host, port] = RealServer(host, port, forwarding, weighs, line, most)
        self.seen = True
        self._named(ReadLine(form, rows[0]), number).real_servers.update(found)

    def end(self) -> None:
        """End this output: what follows belongs to another."""
        self._current = None

    def servers(self) -> tuple[VirtualServer, ...]:
        """All virtual servers, in the order of their first mention."""
        return tuple(draft.build() for draft in self._drafts.values())

    def _open(self, key: _Key, line: ReadLine, number: int) -> None:
        draft = _Draft(key, line, number)
        known = self._drafts.get(key)
        if known is None or known.scheduler is None or draft.scheduler is not None:
            self._drafts[key] = draft
        self._current = draft
        self._last_named = None

    def _named(self, line: ReadLine, number: int) -> _Draft:
        """The virtual server that a line of `-a` names, nearly always that of the line above."""
        name = line.words[1:3]
        if name != self._last_name or self._last_named is None:
            key = _key(line)
            if key not in self._drafts:
                self._drafts[key] = _Draft(key, line, number)
            self._last_name, self._last_named = name, self._drafts[key]
        return self._last_named

    def _add_to(self, draft: _Draft, line: ReadLine, number: int) -> None:
        host, port = host_and_port(line.word("SERVER"))
        draft.real_servers[host, port] = _REAL_SERVERS[line.form.kind](host, port, line, number)


def _saved_real_server(host: str, port: int, line: ReadLine, number: int) -> RealServer:
    weight, upper = int(line.get("WEIGHT") or 1), line.get("UPPER")
    return RealServer(host, port, _forwarding(line.form), weight, number, None if upper is None else int(upper))


@lru_cache(maxsize=64)
def _forwarding(form: LineForm) -> Forwarding:
    # ipvsadm's defaults are direct routing and weight 1.
    return next((way for terminal, way in _SAVED_FORWARDING.items() if terminal in form.first), Forwarding.ROUTING)


def _listed_real_server(host: str, port: int, line: ReadLine, number: int) -> RealServer:
    way = line.get("FORWARDING")
    if way is None:
        return RealServer(host, port, None, None, number)
    return RealServer(host, port, Forwarding(way), int(line.word("WEIGHT")), number)


_REAL_SERVERS = {"saved_server": _saved_real_server, "listed_server": _listed_real_server}


def _key(line: ReadLine) -> _Key:
    mark = line.get("FWMARK")
    if mark is not None:
        family = Family.IPV6 if line.has("IPV6") or line.has("LISTED_IPV6") else Family.IPV4
        return family, None, mark_number(mark), 0
    host, port = host_and_port(line.word("VIRTUAL"))
    protocol = line.get("PROTOCOL")
    if protocol is None:
        protocol = next(name for terminal, name in _SAVED_PROTOCOLS.items() if line.has(terminal))
    return family_of_host(host), protocol.lower(), host, port


def _persistence(family: Family, line: ReadLine) -> Persistence | None:
    seconds, mask, hex_mask = line.get("SECONDS"), line.get("MASK"), line.get("HEX_MASK")
    if seconds is None:
        return None
    if mask is None and hex_mask is not None and family is Family.IPV4 and hex_mask != _WHOLE_ADDRESS:
        mask = hex_mask
    return Persistence(int(seconds), None if mask is None else prefix_length(mask))
