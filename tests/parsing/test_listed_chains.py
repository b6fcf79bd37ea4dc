"""Chains of `iptables -L` that look like others are read at once, exactly as row by row."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_explain.model import Dump
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.listings.chain_forms import ChainForms

_WITH_COUNTS = " pkts bytes target     prot opt in     out     source               destination         "
_COLUMNS = {
    "": "target     prot opt source               destination         ",
    "n": "num  target     prot opt source               destination         ",
    "v": _WITH_COUNTS,
    "nv": f"num {_WITH_COUNTS}",
}
_ROWS = [
    "KUBE-MARK-MASQ  0    --  {i}10.244.{a}.{b}         0.0.0.0/0           ",
    "DNAT       6    --  {i}0.0.0.0/0            0.0.0.0/0            tcp to:10.244.{a}.{b}:80{a}",
    "KUBE-SEP-{a}  all  --  {i}0.0.0.0/0            0.0.0.0/0            /* demo/web{b} -> x */ statistic mode random probability 0.{a}",
    "KUBE-SVC-{a}  tcp  --  {i}!10.0.0.0/8          10.96.0.{b}           /* demo/web */ tcp dpt:80{a}",
]  # fmt: skip
_CHANGES = [
    None, ("KUBE-MARK-MASQ", "ACCEPT"), ("KUBE-SEP-", "RETURN"), ("0.0.0.0/0 ", "anywhere "), ("10.244.", "!10.244."),
    ("10.96.0.", "*10.96.0."), ("KUBE-SEP-", "KUBE SEP-"), ("tcp to:", "[goto] tcp to:"), ("--", "-f"), ("*      *", "cni0   *"),
    ("0    --", "0  --"), ("\n\n", "\n \n"), ("\n\n", "\n"), ("(1 ref", "(policy ref"), ("demo/web", "demo ö/web"),
    ("80", "80 "), ("0     0 ", "12K   3M "), ("tcp  --", "--  --"), ("/* demo", "/* demo */ quota: 5 bytes /* x"), (" -> x", " *"),
    ("\nChain", "\n# a note\nChain"), ("probability", "what"), ("KUBE-SEP-", "tcp"), ("dpt:", "dpts:1:"), ("Chain ", " Chain "),
]  # fmt: skip


def _content(dump: Dump) -> list[object]:
    return [
        (ruleset.family, name, table.extent, chain.name, chain.extent, chain.line, chain.policy,
         [(rule.text, rule.line, rule.counters, rule.shape.hidden) for rule in chain.rules])
        for ruleset in dump.rulesets
        for name, table in ruleset.tables.items()
        for chain in table.chains.values()
    ]  # fmt: skip


def _listing(style: str, chains: list[tuple[list[int], int]]) -> str:
    text = ["Chain PREROUTING (policy ACCEPT 0 packets, 0 bytes)", _COLUMNS[style], ""]
    for number, (rows, change) in enumerate(chains):
        block = [f"Chain KUBE-X-{number} (1 references)", _COLUMNS[style]]
        for place, row in enumerate(rows):
            start = (f"{place + 1:<4} " if "n" in style else "") + ("    0     0 " if "v" in style else "")
            interfaces = "*      *       " if "v" in style else ""
            block.append(start + _ROWS[row].format(a=number % 9 + 1, b=number * 7 % 250, i=interfaces))
        made = "\n".join(block) + "\n\n"
        old_new = _CHANGES[change]
        text.append((made.replace(*old_new, 1) if old_new else made).removesuffix("\n"))
    return "\n".join(text)


def _both(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[object], int]:
    """What is read, the same as row by row, and how many chains were read at once."""
    at_once = 0
    read = ChainForms.read

    def counting(self: ChainForms, *where: object) -> object:
        nonlocal at_once
        found = read(self, *where)  # type: ignore[arg-type]
        at_once += found is not None
        return found

    with monkeypatch.context() as patch:
        patch.setattr(ChainForms, "read", counting)
        fast = read_dump(text, lenient=True)
    with monkeypatch.context() as patch:
        patch.setattr(ChainForms, "read", lambda *_: None)
        slow = read_dump(text, lenient=True)
    assert _content(fast) == _content(slow)
    assert fast.warnings == slow.warnings
    return _content(fast), at_once


@pytest.mark.parametrize("style", _COLUMNS)
def test_chains_of_a_form_are_read_at_once(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, at_once = _both(_listing(style, [([0, 1], 0), ([3, 2], 0)] * 8), monkeypatch)
    assert (len(content), at_once) == (17, 7)  # the last one may go on


@pytest.mark.parametrize("style", _COLUMNS)
@pytest.mark.parametrize("change", range(len(_CHANGES)))
@pytest.mark.parametrize("rows", [[0, 1], [3, 2]])
def test_a_chain_that_differs_is_read_as_row_by_row(
    style: str, change: int, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _both(_listing(style, [(rows, 0)] * 5 + [(rows, change)] * 6 + [(rows, 0)] * 2), monkeypatch)


@settings(max_examples=100)
@given(
    st.sampled_from(sorted(_COLUMNS)),
    st.lists(
        st.tuples(st.sampled_from([[0, 1], [3, 2], [2], [1], [3, 2, 2], []]), st.sampled_from([0] * 30 + list(range(len(_CHANGES))))),
        min_size=12, max_size=40,
    ),
)  # fmt: skip
def test_any_chains_are_read_as_row_by_row(style: str, chains: list[tuple[list[int], int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        _both(_listing(style, chains), patch)
