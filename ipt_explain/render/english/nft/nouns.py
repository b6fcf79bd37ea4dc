"""nftables' expressions as nouns: `its destination address`, `a random number below 3`."""

from __future__ import annotations

from ipt_explain.model import nft
from ipt_explain.model.nft.printing import expression_text
from ipt_explain.words import both, counted, either

_MOST_ELEMENTS = 8
_FIELDS = {
    "saddr": "source address",
    "daddr": "destination address",
    "sport": "source port",
    "dport": "destination port",
    "protocol": "protocol",
    "nexthdr": "protocol",
}
_META = {
    "mark": "mark",
    "l4proto": "protocol",
    "iifname": "incoming interface",
    "iif": "incoming interface",
    "oifname": "outgoing interface",
    "oif": "outgoing interface",
}
_TRANSPORTS = frozenset({"th", "tcp", "udp", "sctp", "dccp", "udplite"})


def noun(expression: nft.Expression) -> str:
    """An expression as a noun, without an article."""
    if isinstance(expression, nft.Payload):
        network = expression.protocol in ("ip", "ip6")
        if expression.field in _FIELDS and (network or expression.protocol in _TRANSPORTS):
            return _FIELDS[expression.field]
    if isinstance(expression, nft.Meta) and expression.key in _META:
        return _META[expression.key]
    if isinstance(expression, nft.Conntrack) and expression.key in ("state", "status", "mark"):
        return f"connection's {expression.key}"
    if isinstance(expression, nft.Fib) and expression.result == "type" and len(expression.flags) == 1:
        return f"kind of {'source' if 'saddr' in expression.flags else 'destination'} address"
    if isinstance(expression, nft.Concatenation):
        return both([noun(part) for part in expression.parts])
    return f"`{expression_text(expression)}`"


def drawn(numbers: nft.Numgen) -> str:
    """A generated number in words."""
    first, last = numbers.offset, numbers.offset + numbers.modulus - 1
    return (
        f"a random number from {first} to {last}" if numbers.random else f"a counter that goes from {first} to {last}"
    )


def held(data: nft.SetData, table: nft.Table | None, beside: nft.Expression, kind: str = "set") -> str:
    """A set or map: by its name and size, or written out."""
    if isinstance(data, nft.SetReference):
        named = None if table is None else table.sets.get(data.name)
        if named is None:
            return f"{kind} {data.name}"
        if named.elided:
            return f"{kind} {data.name} (only partly shown in this input)"
        size = counted(len(named.elements), "element") if named.elements else "empty"
        return f"{kind} {data.name} ({size})"
    keys = [value(element.key, beside) for element in data.elements[:_MOST_ELEMENTS]]
    if len(data.elements) > _MOST_ELEMENTS:
        return f"{', '.join(keys)} or {len(data.elements) - _MOST_ELEMENTS:,} more"
    return either(keys)


def value(constant: nft.Expression, beside: nft.Expression | None = None) -> str:
    """A constant in words."""
    if isinstance(constant, nft.SetLiteral):
        return held(constant, None, beside or constant)
    if isinstance(constant, nft.Range):
        return f"{value(constant.first, beside)} to {value(constant.last, beside)}"
    if isinstance(constant, nft.Concatenation) and isinstance(beside, nft.Concatenation):
        return " . ".join(value(*pair) for pair in zip(constant.parts, beside.parts))
    if isinstance(constant, int) and beside in (nft.Meta("mark"), nft.Conntrack("mark")):
        return f"{constant:#x}"
    return expression_text(constant, None if isinstance(constant, str) else beside)
