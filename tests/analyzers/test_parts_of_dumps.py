"""A part of a dump never makes a wrong statement, only a weaker one."""

from __future__ import annotations

import functools
import re
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.kube_corpus import scenarios
from tests.weaker import wrong_statements

_RULE = re.compile(r"(?:\[\d+:\d+\] )?-A (\S+) ")
_WORDS = re.compile(
    r"KUBE-[A-Z]+(?:-[A-Z0-9]+)?|(?:\d+\.){3}\d+|fd00[0-9a-f:]+|[a-z-]+/[a-z0-9-]+(?::[a-z-]+)?|-A KUBE-\S+|dport \d+|DNAT|MASQUERADE|-j"
)
_BALANCES = re.compile(r"-A KUBE-(?:SVC|SVL|XLB)-\S+ (?!.* --rcheck ).*-j KUBE-SEP-\S+")


@functools.cache
def _dumps() -> tuple[str, ...]:
    """One of each release, and others that are small: what is said of the whole is asked once for each."""
    texts = [text for scenario in scenarios() for text in scenario.dumps.values() if "-A KUBE-SVC-" in text]
    small = sorted((text for text in texts if len(text) < 40_000), key=len)
    return tuple(small[:: len(small) // 7])


_dump = st.sampled_from(range(7)).map(lambda number: _dumps()[number])
_place = st.floats(0, 1, exclude_max=True)
_chance = st.integers(0, 1 << 30).map(Random)
_examples = settings(
    derandomize=True,  # the same examples wherever the tests run
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow],
    phases=set(Phase) - {Phase.explain},
)


@_examples
@given(_dump, _place)
def test_a_dump_cut_off_behind_any_character(dump: str, end: float) -> None:
    assert wrong_statements(dump[: int(end * len(dump))], dump) == []


@_examples
@given(_dump, _place, _place)
def test_some_lines_of_a_dump_in_a_row(dump: str, begin: float, end: float) -> None:
    lines = dump.splitlines(keepends=True)
    first = int(begin * len(lines))
    assert wrong_statements("".join(lines[first : first + 1 + int(end * len(lines))]), dump) == []


@_examples
@given(_dump, _chance, st.sampled_from(["...\n", "[...]\n", "(snip)\n"]))
def test_dots_in_the_place_of_lines(dump: str, chance: Random, dots: str) -> None:
    lines = dump.splitlines(keepends=True)
    for _ in range(chance.choice([1, 2])):
        first = chance.randrange(len(lines))
        lines[first : first + chance.randrange(1, 60)] = [dots]
    assert wrong_statements("".join(lines), dump) == []


def test_a_dump_cut_where_only_endpoints_on_host_networks_are_led_to() -> None:
    """They do not tell where pods are."""
    dump = next(each.ipv4 for each in scenarios() if each.id == "1.27/shared")
    end = dump.index("\n", dump.rindex('"default/host-net -> 192.168.50.12:9100"'))
    assert wrong_statements(dump[: end + 1], dump) == []


def test_what_is_marked_for_dropping_behind_a_hole_may_have_been_led_away() -> None:
    dump = next(each.ipv4 for each in scenarios() if each.id == "1.22/loadbalancer")
    begin = dump.index("-A KUBE-FW-JJJKCFMCQFAHH6CI") + len("-A KUBE-FW-JJJKCFMCQFAHH6CI")
    place = dump.index("-A KUBE-FW-JJJKCFMCQFAHH6CI", begin) + len("-A KUBE-FW-JJJKCFMCQFAHH6CI")
    assert wrong_statements(f"{dump[:place]} --nonsense{dump[place:]}", dump, lenient=True) == []


@pytest.mark.parametrize("table", ["nat", "filter"])
def test_one_table_of_a_dump(table: str) -> None:
    """Among them one of a proxy that masquerades all, which filter does not tell."""
    all_masqueraded = [each.ipv4 for each in scenarios() if each.name == "cfg-masqall-nocidr"]
    for dump in (*_dumps(), *all_masqueraded[-1:]):
        found = re.search(rf"\*{table}\n.*?COMMIT\n", dump, re.DOTALL)
        assert found is not None
        assert wrong_statements(found[0], dump) == []


@_examples
@given(_dump, _chance, st.sampled_from([0.02, 0.1, 0.4]))
def test_a_dump_from_which_lines_are_gone(dump: str, chance: Random, part: float) -> None:
    """Without a COMMIT, else nobody could tell."""
    kept = _some(dump.splitlines(keepends=True), chance, part)
    assert wrong_statements("".join(line for line in kept if line != "COMMIT\n"), dump) == []


def test_a_table_whose_first_line_is_gone_is_not_blamed() -> None:
    """Rules of filter seem to be mangle's."""
    dump = _dumps()[-1]
    lines = [line for line in dump.splitlines(keepends=True) if line not in ("*filter\n", "COMMIT\n")]
    assert wrong_statements("".join(lines), dump) == []


@_examples
@given(_dump, _chance, st.sampled_from([0.0, 0.05, 0.3, 0.7]))
def test_some_rules_of_a_dump(dump: str, chance: Random, part: float) -> None:
    rules = [line for line in dump.splitlines(keepends=True) if _RULE.match(line)]
    assert wrong_statements("".join(_without_whole_ends(rules, _some(rules, chance, part))), dump) == []


@_examples
@given(_dump, _chance)
def test_what_grep_finds_in_a_dump(dump: str, chance: Random) -> None:
    lines = dump.splitlines(keepends=True)
    words = sorted(set(_WORDS.findall(dump)))
    wanted = chance.sample(words, chance.choice([1, 1, 2]))
    assert wrong_statements("".join(line for line in lines if any(word in line for word in wanted)), dump) == []


@_examples
@given(_dump, _chance, st.integers(1, 3))
def test_rules_that_cannot_be_read_leave_their_chains_unknown(dump: str, chance: Random, count: int) -> None:
    lines = dump.splitlines(keepends=True)
    rules = [place for place, line in enumerate(lines) if _RULE.match(line)]
    for place in chance.sample(rules, count):
        cut = lines[place].index(" ", lines[place].index("-A ") + 3)
        lines[place] = f"{lines[place][:cut]} --nonsense{lines[place][cut:]}"
    assert wrong_statements("".join(lines), dump, lenient=True) == []


def _some(lines: list[str], chance: Random, part: float) -> list[str]:
    return [line for line in lines if chance.random() >= part]


def _without_whole_ends(rules: list[str], kept: list[str]) -> list[str]:
    """Without the last rules of a balancer (1/2, the rest) whose first are gone: they are a whole run in themselves."""
    runs: dict[str, list[str]] = {}
    shown: dict[str, list[str]] = {}
    for lines, found in ((rules, runs), (kept, shown)):
        for line in filter(_BALANCES.match, lines):
            found.setdefault(line.split(" ")[1], []).append(line)
    ends = {
        line for chain, run in shown.items() if run != runs[chain] and run == runs[chain][-len(run) :] for line in run
    }
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
