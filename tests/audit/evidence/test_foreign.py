"""The forms of rule that belong into kube-proxy's chains: every captured rule has one, and a changed rule has none."""

from __future__ import annotations

import pytest

from ipt_explain.audit.context import DumpContext
from ipt_explain.audit.evidence.chains.foreign import foreign_rules
from ipt_explain.parsing import read_dump
from tests.corpora import RestoreInput, restore_inputs
from tests.kube_corpus import Scenario, scenarios


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.id)
def test_no_captured_rule_is_foreign(scenario: Scenario) -> None:
    for text in scenario.dumps.values():
        for context in DumpContext(read_dump(text)).rulesets:
            assert foreign_rules(context) == ()


@pytest.mark.parametrize("given", restore_inputs(), ids=lambda given: given.id)
def test_nor_is_any_that_kube_proxy_handed_to_restore(given: RestoreInput) -> None:
    for context in DumpContext(read_dump(given.text)).rulesets:
        assert foreign_rules(context) == ()


@pytest.mark.parametrize(
    "rule",
    [
        "-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j ACCEPT",
        "-A KUBE-SERVICES -s 10.0.0.1/32 -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y",
        "-A KUBE-SERVICES -p tcp -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y",
        "-A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SVC-TCOU7JCQXEZGVUNU",
        "-A KUBE-SVC-NPX46M4PTMTKRN6Y -g KUBE-SEP-QAI6IJGEKZYOMWSX",
        "-A KUBE-FW-NPX46M4PTMTKRN6Y -d 10.0.0.1/32 -j KUBE-EXT-NPX46M4PTMTKRN6Y",
        "-A KUBE-EXT-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX",
        "-A KUBE-SEP-QAI6IJGEKZYOMWSX -s 10.0.0.1/32 -j RETURN",
        "-A KUBE-MARK-MASQ -j CONNMARK --save-mark",
        "-A KUBE-POSTROUTING -j SNAT --to-source 10.0.0.1",
    ],
)
def test_rules_of_other_forms_are(rule: str) -> None:
    (context,) = DumpContext(read_dump(f"*nat\n:PREROUTING ACCEPT [0:0]\n{rule}\nCOMMIT\n")).rulesets
    assert [foreign.rule.text for foreign in foreign_rules(context)] == [rule]


def test_ipvs_mode_writes_its_own_kube_services() -> None:
    text = "*nat\n:PREROUTING ACCEPT [0:0]\n-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT\nCOMMIT\n"
    (context,) = DumpContext(read_dump(text)).rulesets
    assert foreign_rules(context) == ()
