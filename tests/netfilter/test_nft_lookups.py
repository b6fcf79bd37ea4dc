"""Sets of nftables looked up for many packets at once, against each element compared with each packet."""

from __future__ import annotations

import pytest

from ipt_explain.columns import Columns
from ipt_explain.model import Family, nft
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.nft.constants import Datatype
from ipt_explain.netfilter.nft.lookups import Elements
from ipt_explain.netfilter.nft.values import UNKNOWN, Reading
from ipt_explain.netfilter.packet import Connection, Node, PacketState
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Whereabouts

KINDS = (Datatype.ADDRESS, Datatype.ADDRESS, Datatype.PROTOCOL, Datatype.NUMBER)
PLACES = [(f"10.0.0.{host}", protocol, port) for host in range(6) for protocol in ("tcp", "udp") for port in (80, 443)]
KEYS = [nft.Concatenation((address, address, protocol, port)) for address, protocol, port in PLACES]
BASE = 10 << 24
STATE = PacketState(
    connection=Connection(Family.IPV4, 6, BASE, None, local=False, in_interface=None),
    node=Node(frozenset()), hook=Hook.POSTROUTING, source=BASE, source_port=None, in_interface=None,
)  # fmt: skip
SOURCES: list[Reading] = [
    Whereabouts("a pod", Family.IPV4, ordinary=True),
    Whereabouts("the node", Family.IPV4, apart=frozenset({BASE + 1, BASE + 2})),
    Whereabouts("near", Family.IPV4, within=((BASE + 4, 0xFFFFFFFE),)),
    Whereabouts("far", Family.IPV4, outside=((BASE, 0xFFFFFFFC),)),
    UNKNOWN,
]


def _in_columns(keys: list[nft.Concatenation]) -> Columns[nft.Element]:
    columns = nft.Concatenations([list(part) for part in zip(*[key.parts for key in keys])])
    return Columns(nft.Element, {"key": columns, "line": (0,) * len(keys)})


@pytest.mark.parametrize("source", SOURCES, ids=str)
@pytest.mark.parametrize("odd", [[], [nft.Concatenation(("10.0.0.0", nft.Range("10.0.0.0", "10.0.0.9"), "tcp", 80))]])
def test_keys_in_columns_are_found_as_each_element_says(source: Reading, odd: list[nft.Concatenation]) -> None:
    keys = [*KEYS, *odd]
    elements, alone = Elements(_in_columns(keys), KINDS, True), Elements([nft.Element(key) for key in keys], KINDS, True)
    packets = [(BASE + host, 6, port) for host in range(8) for port in (80, 8080)]
    columns: list[list[Reading]] = [[source] * len(packets), *[list(part) for part in zip(*packets)]]
    fitting = elements.fitting(columns, STATE) or [False] * len(packets)
    for fits, *key in zip(fitting, *columns):
        slow = [
            number
            for number, element in enumerate(alone.elements)
            if element.key in KEYS and alone._fits(element, tuple(key), STATE) is not Truth.NO
        ]
        assert fits == bool(slow)
        assert elements.find(key, STATE) == alone.find(key, STATE)
        assert set(slow) <= set(elements.places(tuple(key), STATE)[0])


def test_the_first_of_equal_elements_is_found() -> None:
    elements = Elements(_in_columns([*KEYS, *KEYS]), KINDS, True)
    assert elements.places((BASE + 1, BASE + 1, 17, 443), STATE) == ((), KEYS.index(nft.Concatenation(("10.0.0.1", "10.0.0.1", "udp", 443))))
    assert elements.places((BASE + 1, BASE + 2, 17, 443), STATE) == ((), None)
