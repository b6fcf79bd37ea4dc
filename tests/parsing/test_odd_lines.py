"""Lines unlike those of iptables-save are found wherever they are, though long texts are not searched for them."""

from __future__ import annotations

import pytest

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.parsing import read_dump
from ipt_explain.parsing.iptables import clearing

_LONG = 2 * clearing._TAIL // len("-A X -s 10.0.0.1/32 -j ACCEPT\n")


def _table(odd: str) -> str:
    """A long text with odd lines in the middle of a table."""
    rules = "-A X -s 10.0.0.1/32 -j ACCEPT\n" * _LONG
    return f"*nat\n:PREROUTING ACCEPT [0:0]\n:X - [0:0]\n:Y - [0:0]\n{rules}{odd}{rules}COMMIT\n"


def _told(text: str) -> tuple[str, ...]:
    try:
        dump = read_dump(text)
    except DumpSyntaxError as error:
        return (str(error),)
    return (dump.to_text(), *dump.warnings, str(len(dump.node.sets)))


@pytest.mark.parametrize(
    "odd",
    [
        "[root@node ~]# kubectl get svc -n demo web -o wide\n",
        "  -A Y -s 10.0.0.2/32\n    -j ACCEPT\n",
        "> -A Y -s 10.0.0.2/32 -j ACCEPT\n",
        "iptables -A Y -s 10.0.0.2/32 -j ACCEPT\n",
        "create SET hash:ip family inet hashsize 1024 maxelem 65536\nadd SET 10.0.0.2\n",
        "-A -t 10.0.0.1:80 -s rr\n",
        '-A Y -m comment --comment "one\ntwo" -j ACCEPT\n',
        '-A Y -m comment --comment "one\n-A -t 10.0.0.1:80 -s rr\ntwo" -j ACCEPT\n',
        '-A Y -m comment --comment "one\\" two" -j ACCEPT\n' * 20 + '-A Y -m comment --comment "o\\"\n  two" -j ACCEPT\n',
        "-A Y -s 10.0.0.2/32 \\\n  -j ACCEPT\n",
        "-A Y -j ACCEPT -A Y -j RETURN\n",
        "COMMIT\n*nat\nChain Y (1 references)\ntarget     prot opt source               destination\n",
    ],
)
def test_they_are_found_in_the_middle_of_a_long_text(odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _table(odd)
    found = _told(text)
    monkeypatch.setattr(clearing, "_TAIL", len(text))  # all of it is searched first
    assert found == _told(text)


def test_a_text_without_odd_lines_is_not_searched_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []

    def search(text: str, start: int = 0, end: int | None = None) -> bool:
        searched.append((len(text) if end is None else end) - start)
        return False

    monkeypatch.setattr(clearing, "has_odd_lines", search)
    read_dump(_table(""))
    assert searched == [clearing._TAIL]
