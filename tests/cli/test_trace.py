"""The trace command as users run it."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.archives import read_archive
from tests.cli.program import SAMPLES, Result
from tests.cli.program import run_here as run
from tests.corpora import kernel_cases
from tests.golden_support import Golden
from tests.kube_corpus import scenario

DUMP = next(case.dump for case in kernel_cases() if case.name == "05-hairpin")
FILTERED = next(case.dump for case in kernel_cases() if case.name == "31-forward-policy-drop")
HOSTILE = (
    "*nat\n:PREROUTING ACCEPT [0:0]\n:E\x1b[31mVIL - [0:0]\n"
    '-A PREROUTING -m comment --comment "[bold]x\x1b]0;owned\x07" -j E\x1b[31mVIL\n'
    "-A E\x1b[31mVIL -j DNAT --to-destination 10.0.0.1\nCOMMIT\n"
)


def trace(*arguments: str, dump: str = DUMP) -> Result:
    return run("trace", *arguments, stdin=dump)


def test_text_tells_the_story_hook_by_hook() -> None:
    told = trace("--from", "10.244.1.5", "--to", "10.96.0.10:80", "-i", "cni0", "-l", "192.0.2.10", "--width", "100")
    assert told.status == 0
    assert told.err == ""
    lines = told.out.splitlines()
    assert lines[0] == "tcp 10.244.1.5 → 10.96.0.10:80, arriving on cni0 (PREROUTING)"
    assert [line for line in lines if line and line[0].isalpha()][1:] == ["nat PREROUTING", "nat POSTROUTING"]
    assert any("marks the packet 0x4000" in line and "line " in line for line in lines)
    assert "10.244.1.5:8080: accepted, masqueraded" in told.out
    assert "10.244.1.6:8080: accepted, source kept" in told.out


@pytest.mark.parametrize(
    ("name", "sample", "arguments"),
    [
        ("pod", "kube-proxy-1.30-policy.txt", ("--from", "10.244.1.9", "--to", "10.96.0.35:80", "-i", "cni0", "-v")),
        ("load-balancer", "kube-proxy-1.22-loadbalancer.txt", ("--from", "203.0.113.200", "--to", "203.0.113.11:80")),
        ("fragment", "fragment-3-affinity.txt", ("--from", "10.129.1.99", "--to", "demo/nginx-web-1")),
    ],
)
def test_what_people_read(name: str, sample: str, arguments: tuple[str, ...], golden: Golden) -> None:
    told = run("trace", *arguments, "-l", "192.168.50.11", SAMPLES / sample)
    assert all(len(line) <= 80 for line in told.out.splitlines())
    golden(f"trace/{name}.txt", told.out)


def test_json_keeps_the_contract() -> None:
    told = trace("--from", "10.244.1.5", "--to", "10.96.0.10:80/tcp", "-l", "192.0.2.10", "-o", "json")
    data = json.loads(told.out)
    assert data["schema"] == "ipt-explain/trace/1"
    assert data["packet"].items() >= {
        "family": "ipv4", "protocol": "tcp", "source": "10.244.1.5", "destination": "10.96.0.10", "port": 80,
        "entry": "prerouting",
    }.items()  # fmt: skip
    assert sum(outcome["probability"] for outcome in data["outcomes"]) == pytest.approx(1)
    hairpin = next(outcome for outcome in data["outcomes"] if outcome["dnat"] == "10.244.1.5:8080")
    assert hairpin["masqueraded"] is True
    assert hairpin["verdict"] == "ACCEPT"
    assert hairpin["assumptions"] == []
    assert set(hairpin["path"][0]) == {"table", "chain", "line", "rule"}
    dump_lines = DUMP.splitlines()
    assert all(dump_lines[step["line"] - 1] == step["rule"] for step in hairpin["path"] if step["rule"].startswith("-A"))


def test_a_service_is_found_by_name() -> None:
    dump = scenario("1.30", "basic").ipv4
    told = run("trace", "--from", "10.244.1.5", "--to", "default/kubernetes", "-o", "json", stdin=dump)
    assert json.loads(told.out)["packet"]["destination"] == "10.96.0.1"
    unknown = run("trace", "--from", "10.244.1.5", "--to", "default/kubernetse", stdin=dump)
    assert unknown.status == 2
    assert "default/kubernetes" in unknown.err


def test_the_node_itself_sends() -> None:
    told = trace("--host", "-l", "192.0.2.10", "--to", "10.96.0.10:80", "-o", "json")
    packet = json.loads(told.out)["packet"]
    assert (packet["source"], packet["entry"]) == ("192.0.2.10", "output")


def test_verbose_shows_near_misses() -> None:
    arguments = ("--from", "10.244.1.5", "--to", "10.96.0.10:81", "-l", "192.0.2.10", "--width", "120")
    assert "--dport 80 does not fit" in trace(*arguments, "-v").out
    assert "does not fit" not in trace(*arguments).out


def test_assumptions_are_named_and_can_be_passed_to_assume() -> None:
    dump = next(case.dump for case in kernel_cases() if case.name == "51-ipset-loopback")
    arguments = ("--from", "10.244.1.99", "--to", "10.96.0.10:80", "-l", "192.0.2.10", "-o", "json")
    asked = json.loads(trace(*arguments, dump=dump).out)["outcomes"]
    assert all(len(outcome["assumptions"]) == 1 for outcome in asked)
    answers = [text for outcome in asked for text in outcome["assumptions"] if text.endswith("=no")]
    given = [word for text in answers for word in ("--assume", text)]
    told = json.loads(trace(*arguments, *given, dump=dump).out)["outcomes"]
    assert {outcome["masqueraded"] for outcome in told} == {False}
    assert len(told) == 3


def test_text_says_on_which_condition_and_how_to_decide_it() -> None:
    dump = read_archive("neighbours")["calico-ahead.txt"].decode()
    arguments = ("--from", "10.244.1.9", "--to", "10.96.0.10:53/udp")
    told = trace(*arguments, dump=dump).out
    assert "unless -i cali+\n           if -o cali+\n           unless -o cali0123456789a\n" in told
    assert "=yes\n" not in told
    example = next(line for line in told.splitlines() if line.startswith("  --assume "))
    decided = trace(*arguments, *shlex.split(example), dump=dump).out
    assert "if -i cali+\n" in told
    assert "if -i cali+\n" not in decided
    assert "if -m rpfilter --validmark --invert\n" in decided


@pytest.mark.parametrize(
    ("arguments", "dump", "obstacle", "rule"),
    [
        (("--to", "10.96.0.10:81"), DUMP, "does-not-match", "--dport 80"),
        (("--to", "10.96.0.10:80"), FILTERED, "stops", ":FORWARD DROP"),
    ],
    ids=["another port", "a policy"],
)
def test_why_not_names_the_rule_in_the_way(arguments: tuple[str, ...], dump: str, obstacle: str, rule: str) -> None:
    told = trace("--from", "10.244.1.99", *arguments, "-l", "192.0.2.10", "--why-not", "10.244.1.6:8080", "-o", "json", dump=dump)
    why = json.loads(told.out)["why_not"]
    assert why["probability"] == 0
    assert why["reasons"][0]["obstacle"] == obstacle
    assert rule in why["reasons"][0]["rule"]


def test_why_not_of_an_endpoint_that_no_rule_knows() -> None:
    told = trace("--from", "10.244.1.99", "--to", "10.96.0.10:80", "-l", "192.0.2.10", "--why-not", "10.9.9.9:1")
    assert "10.9.9.9:1 gets 0 % of such packets, because" in told.out
    assert "no rule DNATs to it" in told.out


def test_why_not_of_an_endpoint_that_is_reached_tells_its_chance() -> None:
    told = trace("--from", "10.244.1.99", "--to", "10.96.0.10:80", "-l", "192.0.2.10", "--why-not", "10.244.1.6:8080")
    assert "10.244.1.6:8080 gets 33.33 % of such packets." in told.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--to", "10.96.0.10:80"),
        ("--from", "10.244.1.5", "--to", "10.96.0.10:http"),
        ("--from", "10.244.1.5", "--to", "10.96.0.10:80/nonsense"),
        ("--from", "10.244.1.5", "--to", "10.96.0.10:80/udp", "--protocol", "tcp"),
        ("--from", "fd00::5", "--to", "10.96.0.10:80"),
        ("--from", "fd00::5", "--to", "[fd00::a]:80"),
        ("--from", "10.244.1.5", "--to", "10.96.0.10:80", "--assume", "maybe"),
        ("--from", "10.244.1.5", "--to", "10.96.0.10:80", "--returning", "10.9.9.9:1"),
        ("--from", "10.244.1.5", "--to", "10.96.0.10:80", "--why-not", "nowhere"),
        ("--from", "10.244.1.5", "--to", "10.96.0.10:80", "-l", "here"),
    ],
)
def test_what_cannot_be_traced_ends_with_status_2_and_one_message(arguments: tuple[str, ...]) -> None:
    told = trace(*arguments)
    assert told.status == 2
    assert told.out == ""
    assert told.err.startswith(("ipt-explain: ", "Usage: "))
    assert "Traceback" not in told.err


def test_nothing_from_a_dump_reaches_the_terminal_raw() -> None:
    for extra in ((), ("-v", "--color", "always"), ("-o", "json")):
        told = trace("--from", "10.244.1.5", "--to", "10.96.0.10:80", *extra, dump=HOSTILE)
        assert told.status == 0
        assert "\x1b[31mVIL" not in told.out
        assert "\x1b]0" not in told.out
        assert "\x07" not in told.out
