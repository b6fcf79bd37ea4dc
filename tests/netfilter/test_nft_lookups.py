"""Sets of nftables looked up for many packets at once, against each element compared with each packet."""

from __future__ import annotations

import random

import pytest

from ipt_explain.columns import Columns
from ipt_explain.model import Family, nft
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.nft.lookups import Elements
from ipt_explain.netfilter.nft.values.constants import Datatype
from ipt_explain.netfilter.nft.values.kinds import UNKNOWN, Reading
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


def _intervals(seed: int, count: int) -> list[nft.Expression]:
    """Disjoint networks, ranges and single addresses, in a random order."""
    luck = random.Random(seed)
    keys: list[nft.Expression] = []
    for number in luck.sample(range(256), count):
        kinds = (
            nft.Prefix(f"10.0.{number}.0", luck.choice((24, 25, 30))),
            nft.Range(f"10.0.{number}.5", f"10.0.{number}.{luck.randint(6, 255)}"),
            f"10.0.{number}.7",
        )
        keys.append(luck.choice(kinds))
    return keys


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("wildcard", [False, True])
def test_intervals_that_are_searched_are_found_as_each_element_says(seed: int, wildcard: bool) -> None:
    keys = [*_intervals(seed, 40), *([nft.WILDCARD] if wildcard else [])]
    searched, compared = (Elements([nft.Element(key) for key in keys], (Datatype.ADDRESS,), True) for _ in range(2))
    assert searched.intervals is not None
    compared.intervals = compared.wide_intervals = None
    luck = random.Random(seed)
    networks = [(BASE + (luck.randrange(256) << 8), 0xFFFFFFFF ^ ((1 << luck.choice((1, 4, 8, 10))) - 1)) for _ in range(30)]
    unknown = [Whereabouts("one", Family.IPV4, within=((value & mask, mask),)) for value, mask in networks]
    unknown += [Whereabouts("away", Family.IPV4, outside=((value & mask, mask),)) for value, mask in networks]
    unknown += [each for each in SOURCES if isinstance(each, Whereabouts)]
    for key in [*unknown, *[BASE + luck.randrange(1 << 16) for _ in range(300)]]:
        assert searched.places((key,), STATE) == compared.places((key,), STATE)
        assert searched.holds((key,), STATE) is compared.holds((key,), STATE)


def test_intervals_that_overlap_are_compared_in_order() -> None:
    keys = [nft.Prefix("10.0.0.0", 24), nft.Prefix("10.0.0.0", 16), *(nft.Prefix(f"10.{n}.0.0", 16) for n in range(1, 6))]
    elements = Elements([nft.Element(key) for key in keys], (Datatype.ADDRESS,), True)
    assert elements.intervals is None
    assert elements.places((BASE + 1,), STATE) == ((), 0)


def test_a_large_set_is_not_compared_element_by_element(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[object] = []
    monkeypatch.setattr(Elements, "_fits", lambda self, element, key, state: compared.append(key) or Truth.UNKNOWN)
    keys = [nft.Prefix(f"10.{first}.{second}.0", 24) for first in range(32) for second in range(0, 256, 2)]
    elements = Elements([nft.Element(key) for key in keys], (Datatype.ADDRESS,), True)
    for key in range(BASE, BASE + (32 << 16), 1 << 12):
        assert elements.holds((key,), STATE) is Truth.of(key >> 8 & 1 == 0)
    for source in SOURCES[1:4]:
        assert elements.holds((source,), STATE) is Truth.UNKNOWN
    assert len(compared) < 8
    banned = Elements([nft.Element(f"10.0.{host >> 8}.{host & 255}") for host in range(4096)], (Datatype.ADDRESS,), True)
    assert banned.holds((SOURCES[0],), STATE) is Truth.NO  # no rule for a single address means an ordinary pod
    assert banned.holds((SOURCES[1],), STATE) is Truth.UNKNOWN
    assert len(compared) < 10
