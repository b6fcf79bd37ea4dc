"""What outcomes mean for the client: signs, words, and the exit status of --expect."""

from __future__ import annotations

import pytest

from tests.cli.program import SAMPLES, run

BASIC = SAMPLES / "kube-proxy-1.30-basic.txt"
DAMAGED = SAMPLES / "damaged-node.txt"
HOOK = '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\n'


def told(*arguments: object, text: str | None = None) -> tuple[int, str]:
    done = run("trace", *map(str, arguments), stdin=text)
    assert done.status in (0, 1), done.err
    return done.status, " ".join(done.out.split())


def test_what_is_served_has_a_tick() -> None:
    status, said = told("--from", "10.244.1.77", "--to", "10.96.0.10:53", BASIC, "--expect", "served")
    assert status == 0
    assert said.endswith("✓ 50.00 % 10.244.1.2:53: accepted, source kept ✓ 50.00 % 10.244.1.3:53: accepted, source kept")


def test_a_leak_names_the_service_and_the_rule() -> None:
    status, said = told("--from", "10.244.1.77", "--to", "10.96.0.10:53/udp", DAMAGED, "--expect", "served")
    assert status == 1
    assert "✗ 25.00 % NOT TRANSLATED: leaves for 10.96.0.10, an address that no host has; the client times out" in said
    assert "kube-system/kube-dns:dns would lead to 10.244.1.2:53 or 10.244.1.3:53, but nat KUBE-SVC-TCOU7JCQXEZGVUNU (line 97) chooses no endpoint" in said


def test_a_pod_that_reaches_itself_unmasqueraded_hangs() -> None:
    status, said = told("--from", "10.244.1.3", "--to", "10.96.0.10:53", DAMAGED, "--expect", "hangs")
    assert status == 1  # half of the connections reach the other endpoint
    assert "✗ 50.00 % 10.244.1.3:53 is the client itself, and the connection is not masqueraded: it hangs" in said
    assert "hangs" not in told("--from", "10.244.1.3", "--to", "10.96.0.10:53", BASIC)[1]


@pytest.mark.parametrize(
    ("rule", "expected", "words"),
    [
        ("-A FORWARD -j DROP\n", "dropped", "✗ 100 % dropped: the client times out"),
        ("-A FORWARD -j REJECT\n", "refused", "✗ 100 % rejected: the client is told at once"),
    ],
)
def test_what_the_filter_stops(rule: str, expected: str, words: str) -> None:
    text = BASIC.read_text(encoding="utf-8")
    first = text.index("-A FORWARD")
    status, said = told("--from", "10.244.1.77", "--to", "10.96.0.10:53", "--expect", expected, text=text[:first] + rule + text[first:])
    assert status == 0
    assert words in said


def test_a_destination_translated_elsewhere() -> None:
    text = BASIC.read_text(encoding="utf-8")
    taken = "-A PREROUTING -d 10.96.0.10/32 -p tcp -j DNAT --to-destination 192.0.2.1:53\n"
    status, said = told("--from", "10.244.1.77", "--to", "10.96.0.10:53", "--expect", "diverted", text=text.replace(HOOK, taken + HOOK))
    assert status == 0
    assert "SENT ELSEWHERE, to 192.0.2.1:53, which is not an endpoint of this Service" in said


def test_a_port_is_required_if_there_are_several() -> None:
    done = run("trace", "--from", "10.244.1.77", "--to", "10.96.0.10", BASIC)
    assert done.status == 2
    assert "10.96.0.10 has several ports: kube-system/kube-dns:dns (udp 53), kube-system/kube-dns:dns-tcp (tcp 53)" in done.err
    assert told("--from", "10.244.1.77", "--to", "10.96.0.1", BASIC)[1].startswith("tcp 10.244.1.77 → default/kubernetes:https 10.96.0.1:443")


def test_signs_survive_a_terminal_that_has_none() -> None:
    done = run("trace", "--from", "10.244.1.77", "--to", "10.96.0.10:53", BASIC, PYTHONIOENCODING="ascii")
    assert "\n+ 50.00 %  10.244.1.2:53" in done.out


@pytest.mark.parametrize("to", ["10.96.0.10:81", "10.96.0.10:9153/udp"])
def test_a_port_that_no_service_has_is_not_served(to: str) -> None:
    status, said = told("--from", "10.244.1.77", "--to", to, BASIC, "--expect", "untranslated")
    assert status == 0
    assert "✗ 100 % NOT TRANSLATED: leaves for 10.96.0.10, an address that no host has; the client times out" in said
    assert said.endswith("10.96.0.10 has only 53/tcp (kube-system/kube-dns:dns-tcp), 53/udp (kube-system/kube-dns:dns), 9153/tcp (kube-system/kube-dns:metrics)")


def test_no_ping_is_answered_by_a_cluster_ip() -> None:
    assert told("--from", "10.244.1.77", "--to", "10.96.0.1", "-p", "icmp", BASIC, "--expect", "untranslated")[0] == 0


@pytest.mark.parametrize(("service", "how", "why"), [("itp-local-0", "rejected", "no endpoints"), ("itp-local-none", "dropped", "no local endpoints")])
def test_a_service_that_refuses_says_why(service: str, how: str, why: str) -> None:
    said = told("--from", "10.244.1.77", "--to", f"default/{service}", SAMPLES / "kube-proxy-1.30-policy.txt")[1]
    assert f"✗ 100 % {how}" in said
    assert said.endswith(f"default/{service} refuses it: {why}")


@pytest.mark.parametrize(("client", "words"), [("9.9.9.9", "default/lb-ranges admits only 198.51.100.0/24, 10.1.2.3/32"), ("198.51.100.3", "")])
def test_a_client_outside_the_source_ranges_is_told_them(client: str, words: str) -> None:
    said = told("--from", client, "--to", "203.0.113.4:80", "-l", "192.168.50.11", SAMPLES / "kube-proxy-1.22-loadbalancer.txt")[1]
    assert words in said
    assert ("admits only" in said) is bool(words) and "would lead to" not in said
