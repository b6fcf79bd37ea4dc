"""A chain that the input does not show is named so in a trace: nobody knows whether packets come back from it."""

from __future__ import annotations

from tests.cli.program import run

_HIDDEN = "-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU\n"


def test_packets_are_not_said_to_come_back_from_it() -> None:
    traced = run("trace", "--from", "10.244.1.7", "--to", "10.96.0.10:53/udp", "-", stdin=_HIDDEN).out
    assert "→ KUBE-SVC-TCOU7JCQXEZGVUNU (not in this input)" in traced
    assert "and back" not in traced


def test_they_come_back_from_an_empty_chain_that_is_shown() -> None:
    shown = f"*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-TCOU7JCQXEZGVUNU - [0:0]\n{_HIDDEN}COMMIT\n"
    shown = shown.replace("COMMIT", "-A PREROUTING -j KUBE-SERVICES\nCOMMIT")
    traced = run("trace", "--from", "10.244.1.7", "--to", "10.96.0.10:53/udp", "-", stdin=shown).out
    assert "→ KUBE-SVC-TCOU7JCQXEZGVUNU, and back" in traced
