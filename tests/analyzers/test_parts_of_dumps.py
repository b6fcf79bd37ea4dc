"""A part of a dump never makes a wrong statement, only a weaker one."""

from __future__ import annotations

import functools
import re
from random import Random

import pytest

from tests.kube_corpus import scenarios
from tests.weaker import wrong_statements

_RULE = re.compile(r"(?:\[\d+:\d+\] )?-A (\S+) ")
_BALANCES = re.compile(r"-A KUBE-(?:SVC|SVL|XLB)-\S+ (?!.* --rcheck ).*-j KUBE-SEP-\S+")


@functools.cache
def _dumps() -> tuple[str, ...]:
    texts = [text for scenario in scenarios() for text in scenario.dumps.values() if "-A KUBE-SVC-" in text]
    return tuple(text for text in texts if len(text) < 40_000)


_SEEDS = range(6)


@pytest.mark.parametrize("seed", _SEEDS)
def test_a_dump_cut_off_behind_any_character(seed: int) -> None:
    chance, dump = _drawn(seed)
    assert wrong_statements(dump[: int(chance.random() * len(dump))], dump) == []


@pytest.mark.parametrize("seed", _SEEDS)
def test_a_dump_that_begins_at_any_line(seed: int) -> None:
    chance, dump = _drawn(seed)
    lines = dump.splitlines(keepends=True)
    assert wrong_statements("".join(lines[int(0.95 * chance.random() * len(lines)) :]), dump) == []


@pytest.mark.parametrize("part", [0.02, 0.1, 0.4])
@pytest.mark.parametrize("seed", _SEEDS)
def test_a_dump_from_which_lines_are_gone(seed: int, part: float) -> None:
    """Without a COMMIT, else nobody could tell."""
    chance, dump = _drawn(seed)
    kept = _some(dump.splitlines(keepends=True), chance, part)
    assert wrong_statements("".join(line for line in kept if line != "COMMIT\n"), dump) == []


def test_a_table_whose_first_line_is_gone_is_not_blamed() -> None:
    """Rules of filter seem to be mangle's."""
    _, dump = _drawn(0)
    lines = [line for line in dump.splitlines(keepends=True) if line not in ("*filter\n", "COMMIT\n")]
    assert wrong_statements("".join(lines), dump) == []


@pytest.mark.parametrize("part", [0.0, 0.05, 0.3, 0.7])
@pytest.mark.parametrize("seed", _SEEDS)
def test_some_rules_of_a_dump(seed: int, part: float) -> None:
    chance, dump = _drawn(seed)
    rules = [line for line in dump.splitlines(keepends=True) if _RULE.match(line)]
    assert wrong_statements("".join(_without_whole_ends(rules, _some(rules, chance, part))), dump) == []


def _drawn(seed: int) -> tuple[Random, str]:
    """A captured dump, the same for each seed, and a source of further choices."""
    chance = Random(seed)
    return chance, chance.choice(_dumps())


def _some(lines: list[str], chance: Random, part: float) -> list[str]:
    return [line for line in lines if chance.random() >= part]


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
