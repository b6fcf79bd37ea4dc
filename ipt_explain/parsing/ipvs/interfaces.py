"""Converting lines of `ip addr` to addresses of interfaces."""

from __future__ import annotations

from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.model.node.interfaces import InterfaceAddress
from ipt_explain.parsing.ipvs.numbers import checked_host, family_of_host
from ipt_explain.parsing.line_forms import ReadLine


class AddressReader:
    """Reads lines of `ip addr`, `ip -o addr` and `ip -br addr`."""

    def __init__(self) -> None:
        self.seen = False
        self.orphans = 0
        self.interfaces: dict[str, None] = {}
        self._addresses: dict[tuple[str, str], InterfaceAddress] = {}
        self._current: str | None = None

    @property
    def addresses(self) -> tuple[InterfaceAddress, ...]:
        """All addresses, in the order shown."""
        return tuple(self._addresses.values())

    @property
    def awaits_detail(self) -> bool:
        """Whether an indented line would continue an interface."""
        return self._current is not None

    def take(self, line: ReadLine, number: int) -> None:
        """Read one line. Raises ValueError for invalid addresses."""
        kind = line.form.kind
        if kind == "detail":
            return
        self.seen = True
        if kind == "address":
            if self._current is None:
                # After `ip addr | grep inet` only the label at the end of the line names the interface.
                self.orphans += 1
                rest = (line.get("REST") or "").split()
                self._add(rest[-1] if rest else "", line.word("ADDRESS"), number)
            else:
                self._add(self._current, line.word("ADDRESS"), number)
            return
        name = line.word("BRIEF_INTERFACE" if kind == "brief" else "INTERFACE")
        self.interfaces[name] = None
        self._current = name if kind == "link" else None
        if kind == "address_of":
            self._add(name, line.word("ADDRESS"), number)
        elif kind == "brief":
            for address in line.all("ADDRESS"):
                self._add(name, address, number)

    def end(self) -> None:
        """End this output: what follows belongs to another."""
        self._current = None

    def _add(self, interface: str, text: str, number: int) -> None:
        host, slash, length = text.partition("/")
        family = family_of_host(checked_host(host))
        if slash and int(length[:4]) > ADDRESS_BITS[family]:
            raise ValueError(f"{text[:60]} is not a network")
        prefix_length = int(length) if slash else None
        self._addresses[interface, host] = InterfaceAddress(interface, host, prefix_length, family, number)
