"""A part of a dump never makes a wrong statement, only a weaker one."""

from __future__ import annotations

import functools
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.kube_corpus import scenarios
from tests.weaker import wrong_statements

_RULE = re.compile(r"(?:\[\d+:\d+\] )?-A (\S+) ")
_BALANCES = re.compile(r"-A KUBE-(?:SVC|SVL|XLB)-\S+ (?!.* --rcheck ).*-j KUBE-SEP-\S+")


@functools.cache
def _dumps() -> tuple[str, ...]:
    texts = [text for scenario in scenarios() for text in scenario.dumps.values() if "-A KUBE-SVC-" in text]
    return tuple(text for text in texts if len(text) < 40_000)


# Always the same, as each takes a while; and what is wrong shows without being made shorter.
_some_of_many = settings(
    deadline=None, max_examples=5, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)
_DUMPS = st.integers(0, 10_000).map(lambda number: _dumps()[number % len(_dumps())])


@_some_of_many
@given(_DUMPS, st.floats(0.0, 1.0))
def test_a_dump_cut_off_behind_any_character(dump: str, at: float) -> None:
    assert wrong_statements(dump[: int(at * len(dump))], dump) == []


@_some_of_many
@given(_DUMPS, st.floats(0.0, 0.95))
def test_a_dump_that_begins_at_any_line(dump: str, at: float) -> None:
    lines = dump.splitlines(keepends=True)
    assert wrong_statements("".join(lines[int(at * len(lines)) :]), dump) == []


@_some_of_many
@given(_DUMPS, st.randoms(use_true_random=False), st.sampled_from((0.02, 0.1, 0.4)))
def test_a_dump_from_which_lines_are_gone(dump: str, random: object, part: float) -> None:
    """Without a COMMIT, else nobody could tell."""
    kept = _some(dump.splitlines(keepends=True), random, part)
    assert wrong_statements("".join(line for line in kept if line != "COMMIT\n"), dump) == []


@_some_of_many
@given(_DUMPS, st.randoms(use_true_random=False), st.sampled_from((0.0, 0.05, 0.3, 0.7)))
def test_some_rules_of_a_dump(dump: str, random: object, part: float) -> None:
    rules = [line for line in dump.splitlines(keepends=True) if _RULE.match(line)]
    assert wrong_statements("".join(_without_whole_ends(rules, _some(rules, random, part))), dump) == []


def _some(lines: list[str], random: object, part: float) -> list[str]:
    return [line for line in lines if random.random() >= part]  # type: ignore[attr-defined]


def _without_whole_ends(rules: list[str], kept: list[str]) -> list[str]:
    """Without the last rules of a balancer (1/2, the rest) whose first are gone: they are a whole run in themselves."""
    runs: dict[str, list[str]] = {}
    shown: dict[str, list[str]] = {}
    for lines, found in ((rules, runs), (kept, shown)):
        for line in filter(_BALANCES.match, lines):
            found.setdefault(line.split(" ")[1], []).append(line)
    ends = {line for chain, run in shown.items() if run != runs[chain] and run == runs[chain][-len(run) :] for line in run}
    return [line for line in kept if line not in ends]


@pytest.mark.parametrize(
    ("chances", "shares"),
    [
        (("0.33333333349", "0.50000000000", ""), (1 / 3, 1 / 3, 1 / 3)),
        (("0.33332999982", "0.50000000000", ""), (1 / 3, 1 / 3, 1 / 3)),
        (("0.33333333349", ""), (None, None)),
        (("0.25000000000", "0.50000000000", ""), (None, None, None)),
        (("0.33333333349", "0.50000000000"), (None, None)),
        (("",), (1.0,)),
    ],
)
def test_a_run_is_read_as_whole_where_it_is_whole_in_itself(
    chances: tuple[str, ...], shares: tuple[float | None, ...]
) -> None:
    import ipt_explain

    text = '-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "a/b cluster IP" -m tcp --dport 80 -j KUBE-SVC-A\n'
    for number, chance in enumerate(chances):
        random = f"-m statistic --mode random --probability {chance} " if chance else ""
        text += f"-A KUBE-SVC-A {random}-j KUBE-SEP-{number}\n"
        text += f"-A KUBE-SEP-{number} -p tcp -j DNAT --to-destination 10.244.0.{number}:80\n"
    (service,) = ipt_explain.explain(ipt_explain.parse(text)).services
    assert [each.probability for each in service.endpoints] == [
        None if share is None else pytest.approx(share, abs=1e-5) for share in shares
    ]
