"""What a part of a dump does not show is no difference; what it shows otherwise is one."""

from __future__ import annotations

import functools
import re
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ipt_explain.compare.differences import DifferenceKind
from ipt_explain.compare.dumps import NodeView, compare_nodes, node_view
from ipt_explain.parsing import read_dump
from tests.kube_corpus import scenarios

_RULE = re.compile(r"(?:\[\d+:\d+\] )?-A (\S+) ")
_examples = settings(
    derandomize=True,  # the same examples wherever the tests run
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow],
    phases=set(Phase) - {Phase.explain},
)


@functools.cache
def _dumps() -> tuple[str, ...]:
    texts = [text for scenario in scenarios() for text in scenario.dumps.values() if "-A KUBE-SVC-" in text]
    small = sorted((text for text in texts if len(text) < 40_000), key=len)
    return tuple(small[:: len(small) // 5])


@functools.cache
def _known(text: str) -> NodeView:
    return _view("whole", text)


def _view(name: str, text: str) -> NodeView:
    return node_view(name, [read_dump(text, source=name)])


def _differences(whole: str, part: str) -> list[tuple[DifferenceKind, str | None]]:
    """What is found either way round."""
    one, other = _known(whole), _view("part", part)
    found = [*compare_nodes(one, other).differences, *compare_nodes(other, one).differences]
    return [(each.kind, each.service) for each in found]


_dump = st.sampled_from(range(5)).map(lambda number: _dumps()[number])
_place = st.floats(0, 1, exclude_max=True)


@_examples
@given(_dump, _place, _place)
def test_some_lines_of_a_dump_in_a_row(dump: str, begin: float, end: float) -> None:
    lines = dump.splitlines(keepends=True)
    first = int(begin * len(lines))
    part = "".join(lines[first : first + 1 + int(end * len(lines))])
    if any(map(_RULE.match, part.splitlines())):
        assert _differences(dump, part) == []


@_examples
@given(_dump, st.integers(0, 1 << 30).map(Random), st.sampled_from([0.1, 0.4, 0.8]))
def test_some_rules_of_a_dump(dump: str, chance: Random, part: float) -> None:
    """But its runs of balancing rules whole or not at all: what is left of one may look whole."""
    gone = {name for name in sorted(set(re.findall(r"-A (KUBE-S(?:VC|VL)-\S+) ", dump))) if chance.random() < part}
    lines = [line for line in dump.splitlines(keepends=True) if _RULE.match(line)]
    chains = ((line, line.partition("-A ")[2].split(" ")[0]) for line in lines)
    kept = [line for line, chain in chains if chain not in gone and (chain.startswith("KUBE-SV") or chance.random() > part)]
    if kept:
        assert _differences(dump, "".join(kept)) == []


@pytest.mark.parametrize("table", ["nat", "filter"])
def test_one_table_of_a_dump(table: str) -> None:
    for dump in _dumps():
        found = re.search(rf"\*{table}\n.*?COMMIT\n", dump, re.DOTALL)
        assert found is not None
        assert _differences(dump, found[0]) == []


_FRONT = '-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "a/b cluster IP" -m tcp --dport 80 -j KUBE-SVC-A\n'


def _service(*endpoints: str) -> str:
    text = _FRONT
    for number, endpoint in enumerate(endpoints):
        left = len(endpoints) - number
        chance = f"-m statistic --mode random --probability {1 / left:.11f} " if left > 1 else ""
        text += f"-A KUBE-SVC-A {chance}-j KUBE-SEP-{endpoint}\n"
        text += f"-A KUBE-SEP-{endpoint} -p tcp -j DNAT --to-destination 10.244.0.{endpoint}:80\n"
    return text


def test_whole_pools_in_two_parts_prove_changed_endpoints() -> None:
    comparison = compare_nodes(_view("one", _service("1", "2")), _view("other", _service("2", "3")))
    assert [(each.kind, each.before or each.after) for each in comparison.differences] == [
        (DifferenceKind.ENDPOINT_REMOVED, "10.244.0.1:80"),
        (DifferenceKind.ENDPOINT_ADDED, "10.244.0.3:80"),
    ]


def test_consecutive_lines_of_a_dump_prove_only_additions() -> None:
    text = _service("2", "3").replace(" --probability 0.50000000000", " --probability 0.33333333349")
    comparison = compare_nodes(_view("one", _service("1", "2")), _view("other", text))
    assert [(each.kind, each.after) for each in comparison.differences] == [
        (DifferenceKind.ENDPOINT_ADDED, "10.244.0.3:80")
    ]


def test_an_endpoint_that_iptables_save_could_not_print_is_not_a_difference() -> None:
    dump = _dumps()[0]
    garbled = re.sub(r"--to-destination (\S+)", "--to-destination  --random --to-destination  --random", dump)
    assert {kind for kind, _ in _differences(dump, garbled)} <= {DifferenceKind.FATE}
