"""1xx: what a user reads when a hook is gone, narrowed or passed by."""

from __future__ import annotations

import re

import pytest

from ipt_explain.audit.findings.severity import Severity
from tests.audit.edits import ahead_of, behind, captured, changed, finding, line_of, new_findings, policy, without
from tests.audit.helpers import audit_text, findings_of, fired

NODE = captured("1.30")


@pytest.mark.parametrize(
    ("rule_id", "built_in", "target", "words"),
    [
        ("IPT101", "PREROUTING", "KUBE-SERVICES", "from pods and from outside"),
        ("IPT102", "POSTROUTING", "KUBE-POSTROUTING", "keep their source"),
        ("IPT107", "FORWARD", "KUBE-SERVICES", "pods' connections to Services without endpoints hang"),
        ("IPT107", "FORWARD", "KUBE-EXTERNAL-SERVICES", "external addresses without endpoints"),
        ("IPT107", "FORWARD", "KUBE-FORWARD", "INVALID"),
        ("IPT107", "INPUT", "KUBE-EXTERNAL-SERVICES", "node ports without endpoints"),
        ("IPT107", "INPUT", "KUBE-NODEPORTS", "health checks"),
        ("IPT108", "FORWARD", "KUBE-PROXY-FIREWALL", "source ranges"),
        ("IPT109", "INPUT", "KUBE-FIREWALL", "127.0.0.0/8"),
    ],
)
def test_a_missing_hook_is_told_at_its_built_in_chain(rule_id: str, built_in: str, target: str, words: str) -> None:
    found = finding(rule_id, without(NODE, f"-A {built_in} ", f"-j {target}"), NODE)
    assert found.chain == built_in
    assert words in found.message


def test_a_missing_output_hook_is_one_of_nat_or_of_filter() -> None:
    hook = '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'
    assert finding("IPT101", without(NODE, hook), NODE).table == "nat"
    assert finding("IPT107", without(NODE, "-A OUTPUT -m conntrack", "-j KUBE-SERVICES"), NODE).table == "filter"


def test_kube_proxy_with_canaries_may_not_notice_a_lost_hook() -> None:
    found = finding("IPT101", without(NODE, "-A PREROUTING "), NODE)
    assert "canary" in found.message
    old = captured("1.14")
    assert "canary" not in finding("IPT101", without(old, "-A PREROUTING "), old).message


def test_before_1_20_input_jumps_to_kube_services() -> None:
    old = captured("1.14")
    found = finding("IPT107", without(old, "-A INPUT ", "-j KUBE-SERVICES"), old)
    assert "filter INPUT does not jump to KUBE-SERVICES" in found.message


def test_the_proxy_firewall_matters_more_with_rules_in_it() -> None:
    ranges = captured("1.30", "loadbalancer")
    hook = ("-A FORWARD ", "-j KUBE-PROXY-FIREWALL")
    lost = finding("IPT108", without(ranges, *hook), ranges)
    assert lost.severity is Severity.ERROR
    assert lost.message.endswith(" skip its 6 rules, so source ranges have no effect")
    idle = finding("IPT108", without(NODE, *hook), NODE)
    assert idle.severity is Severity.WARNING
    assert idle.message.endswith(" would skip source ranges")


def test_hooks_through_another_chain_are_hooks() -> None:
    text = changed(NODE, "-j KUBE-SERVICES", "-j MINE", "-A PREROUTING ")
    text = text.replace("*nat\n", "*nat\n:MINE - [0:0]\n-A MINE -j KUBE-SERVICES\n")
    assert "IPT101" not in {each.rule for each in new_findings(text, NODE)}


def test_fragments_say_nothing_of_hooks() -> None:
    rules = "".join(line + "\n" for line in NODE.splitlines() if line.startswith("-A KUBE-"))
    assert not {each.rule for each in audit_text(rules)} & {"IPT101", "IPT102", "IPT107", "IPT108", "IPT109", "IPT113"}


def test_chains_of_services_without_kube_services() -> None:
    text = "*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]\nCOMMIT\n"
    (found,) = findings_of("IPT101", text)
    assert "no KUBE-SERVICES chain" in found.message


def test_a_repeated_hook_names_both_lines() -> None:
    text = behind(NODE, "-A PREROUTING -j KUBE-SERVICES", "-A PREROUTING ")
    found = finding("IPT103", text, NODE)
    assert found.line == line_of(text, "-A PREROUTING -j KUBE-SERVICES")
    assert found.related_lines == (found.line - 1,)


@pytest.mark.parametrize(
    ("built_in", "target", "condition", "rule_id"),
    [
        ("PREROUTING", "KUBE-SERVICES", "-i eth0", "IPT104"),
        ("FORWARD", "KUBE-FORWARD", "-m conntrack --ctstate NEW", "IPT104"),
        ("INPUT", "KUBE-FIREWALL", "-s 10.0.0.0/8", "IPT104"),
    ],
)
def test_a_hook_with_a_condition_is_narrowed(built_in: str, target: str, condition: str, rule_id: str) -> None:
    text = changed(NODE, f"-A {built_in} ", f"-A {built_in} {condition} ", f"-j {target}")
    found = finding(rule_id, text, NODE)
    assert condition.split()[-1] in found.message


def test_the_way_to_node_ports_may_not_be_narrowed_either() -> None:
    text = changed(NODE, "-A KUBE-SERVICES -m comment", "-A KUBE-SERVICES -p tcp -m comment", "-j KUBE-NODEPORTS")
    assert "-p tcp" in finding("IPT104", text, NODE).message


def test_hooks_for_new_connections_are_normal_in_filter_and_slow_without() -> None:
    assert "IPT104" not in fired(NODE)
    text = changed(NODE, "-m conntrack --ctstate NEW ", "", "-A FORWARD ", "-j KUBE-SERVICES")
    assert finding("IPT110", text, NODE).severity is Severity.INFO


def test_goto_instead_of_a_jump() -> None:
    text = changed(NODE, "-j KUBE-SERVICES", "-g KUBE-SERVICES", "-A PREROUTING ")
    found = finding("IPT105", text, NODE)
    assert (found.severity, "skips nothing yet" in found.message) == (Severity.WARNING, True)
    text = behind(text, "-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80", "-g KUBE-SERVICES")
    found = finding("IPT105", text, NODE)
    assert (found.severity, "skip the rest of PREROUTING (1 rule)" in found.message) == (Severity.ERROR, True)
    text = changed(NODE, "-j KUBE-MARK-MASQ", "-g KUBE-MARK-MASQ", "-A KUBE-SEP-QAI6IJGEKZYOMWSX ")
    found = finding("IPT105", text, NODE)
    assert found.service == "default/kubernetes:https"


def test_an_empty_chain_that_is_called_twice_has_no_rules_to_walk() -> None:
    hook = next(line for line in NODE.splitlines() if line.startswith("-A FORWARD ") and "KUBE-PROXY-FIREWALL" in line)
    emptied = "\n".join(line for line in NODE.splitlines() if not line.startswith("-A KUBE-PROXY-FIREWALL ")) + "\n"
    found = finding("IPT103", emptied.replace(hook, f"{hook}\n{hook}"), emptied)
    assert found.message == "filter FORWARD jumps to KUBE-PROXY-FIREWALL twice: it is empty"


TAIL = ("-A KUBE-SERVICES", "-j KUBE-NODEPORTS")


def test_services_behind_node_ports() -> None:
    rule = "-A KUBE-SERVICES -d 203.0.113.99/32 -p tcp -m tcp --dport 80 -j KUBE-EXT-KKOIJ5WHKJ5PHTDA"
    text = behind(NODE, rule, *TAIL)
    found = finding("IPT111", text, NODE)
    assert found.line == line_of(text, *TAIL)
    assert found.related_lines == (line_of(text, "203.0.113.99"),)


def test_cluster_ips_behind_node_ports_lose_nothing() -> None:
    rule = next(line for line in NODE.splitlines() if line.startswith("-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp"))
    text = behind(without(NODE, rule), rule, *TAIL)
    found = finding("IPT111", text, NODE)
    assert found.severity is Severity.WARNING
    assert "costs no connections" in found.message
    unguarded = changed(text, "-m addrtype --dst-type LOCAL ", "", *TAIL)
    assert finding("IPT111", unguarded, NODE).severity is Severity.ERROR


@pytest.mark.parametrize("guard", ["", "-m addrtype ! --dst-type LOCAL ", "-m addrtype --dst-type UNICAST "])
def test_node_ports_without_their_guard(guard: str) -> None:
    text = changed(NODE, "-m addrtype --dst-type LOCAL ", guard, *TAIL)
    assert "connections through this node to a node port number" in finding("IPT112", text, NODE).message


def test_node_ports_that_nothing_leads_to() -> None:
    found = finding("IPT113", without(NODE, *TAIL), NODE)
    assert "no packet reaches its 6 rules" in found.message


def _emptied(text: str, table: str, chain: str) -> str:
    """A text whose chain has lost all of its rules."""
    head, section, tail = text.partition(f"*{table}\n")
    ours, commit, others = tail.partition("COMMIT\n")
    kept = "".join(line for line in ours.splitlines(keepends=True) if not line.startswith(f"-A {chain} "))
    return head + section + kept + commit + others


@pytest.mark.parametrize(
    ("version", "name", "named"),
    [
        ("1.14", "loadbalancer", "default/lb1"),
        ("1.18", "loadbalancer", "default/lb1"),
        ("1.22", "nodeport", "default/np1"),
        ("1.22", "loadbalancer", "default/lb-pending"),
        ("1.24", "nodeport", "default/np1"),
        ("1.30", "nodeport", "default/np-local"),
        ("1.30", "loadbalancer", "default/lb-host"),
    ],
)
def test_node_ports_that_were_emptied_show_in_other_chains(version: str, name: str, named: str) -> None:
    node = captured(version, name)
    text = _emptied(node, "nat", "KUBE-NODEPORTS")
    found = finding("IPT113", text, node)
    assert (found.chain, found.severity) == ("KUBE-NODEPORTS", Severity.ERROR)
    assert named in found.services
    assert "node ports: none of them works" in found.message
    assert not {each.rule for each in new_findings(text, node)} & {"IPT411", "IPT511"}


def test_load_balancers_need_no_node_ports_since_1_20() -> None:
    node = captured("1.30", "loadbalancer")
    text = _emptied(node, "nat", "KUBE-NODEPORTS")
    for chain in re.findall(r"^:(KUBE-EXT-\S+) ", text, re.MULTILINE):
        if f"-j {chain}\n" not in text:
            text = "".join(line for line in text.splitlines(keepends=True) if f"{chain} " not in line)
    assert "IPT113" not in {each.rule for each in new_findings(text, node)}


def test_refusals_that_were_emptied_are_told_for_each_address_and_not_again_for_the_chain() -> None:
    node = captured("1.30", "policy")
    found = new_findings(_emptied(node, "filter", "KUBE-EXTERNAL-SERVICES"), node)
    assert {(each.rule, each.severity) for each in found} == {("IPT611", Severity.ERROR)}


def test_a_rule_that_ends_kube_services_early() -> None:
    first = next(line for line in NODE.splitlines() if line.startswith("-A KUBE-SERVICES") and "cluster IP" in line)
    text = ahead_of(NODE, "-A KUBE-SERVICES -j RETURN", first)
    found = finding("IPT114", text, NODE)
    assert found.line == line_of(text, "-A KUBE-SERVICES -j RETURN")
    assert len(found.related_lines) > 10


def test_a_way_to_a_service_that_lost_its_address_takes_the_others() -> None:
    text = changed(NODE, "-d 10.96.0.34/32 ", "", "-A KUBE-SERVICES", "cluster IP")
    (found,) = [each for each in new_findings(text, NODE) if each.rule in ("IPT114", "IPT502")]
    assert found.line == line_of(text, '"default/etp-local-all cluster IP"', "-A KUBE-SERVICES")


def test_foreign_rules_and_used_canaries() -> None:
    text = ahead_of(
        NODE, "-A KUBE-SVC-NPX46M4PTMTKRN6Y -s 10.9.0.0/16 -j ACCEPT", "-A KUBE-SVC-NPX46M4PTMTKRN6Y ", "-j KUBE-SEP"
    )
    assert finding("IPT115", text, NODE).service == "default/kubernetes:https"
    text = NODE.replace(
        ":KUBE-PROXY-CANARY - [0:0]\n", ":KUBE-PROXY-CANARY - [0:0]\n-A KUBE-PROXY-CANARY -j ACCEPT\n", 1
    )
    assert "only shows whether rules were flushed" in finding("IPT115", text, NODE).message


DNS_TCP = "-A KUBE-SVC-ERIFXISQEP7F7OF4 "


@pytest.mark.parametrize(
    ("rule", "severity", "words"),
    [
        (f"{DNS_TCP}-s 10.244.0.0/16 -j RETURN", Severity.ERROR,
         "this rule lets all connections from pods to kube-system/kube-dns:dns-tcp (10.96.0.10:53) pass untranslated"),
        (f"{DNS_TCP}-i eth0 -j ACCEPT", Severity.WARNING, "may let connections from pods to kube-system/kube-dns:dns-tcp"),
        (f"{DNS_TCP}-j MARK --set-xmark 0x0/0x4000", Severity.WARNING,
         "connections from the node and outside to kube-system/kube-dns:dns-tcp match it and lose their mark"),
        (f"{DNS_TCP}! -s 10.244.0.0/16 -j MARK --set-xmark 0x4000/0x4000", Severity.WARNING,
         "connections from the node and outside to kube-system/kube-dns:dns-tcp match it and go on unchanged"),
        (f"{DNS_TCP}-p udp -j ACCEPT", Severity.WARNING, "it changes nothing for connections to Services"),
    ],
)  # fmt: skip
def test_a_foreign_rule_is_told_with_what_it_does_to_connections(rule: str, severity: Severity, words: str) -> None:
    node = captured("1.30", "basic")
    first = next(line for line in node.splitlines() if line.startswith(DNS_TCP) and "-j KUBE-SEP" in line)
    found = finding("IPT115", ahead_of(node, rule, first), node)
    assert found.severity is severity
    assert words in found.message


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("KUBE-MARK-MASQ", "some connections from pods to kube-system/kube-dns:dns-tcp match it and are marked for"),
        ("MARK --set-xmark 0x4000/0x4000", "are marked for masquerading"),
        ("MARK --set-xmark 0x1/0x1", "go on unchanged"),
    ],
)
def test_an_endpoints_chain_marks_no_other_pods(target: str, words: str) -> None:
    node = captured("1.30", "basic")
    (chain,) = set(re.findall(rf"^{DNS_TCP}.*0.5.* -j (KUBE-SEP-\S+)$", node, re.MULTILINE))
    rule = f"-A {chain} -s 10.244.1.0/24 -j {target}"
    assert words in finding("IPT115", behind(node, rule, f"-A {chain} ", "-j KUBE-MARK-MASQ"), node).message


def test_a_rule_that_lost_its_port_is_to_blame_not_the_chains_that_it_leads_to() -> None:
    node = captured("1.30", "basic")
    text = changed(node, " -m tcp --dport 9153", "", "-A KUBE-SERVICES", "kube-dns:metrics cluster IP")
    found = finding("IPT115", text, node)
    assert (found.line, found.severity) == (line_of(text, "-A KUBE-SERVICES", "kube-dns:metrics"), Severity.ERROR)
    assert "sends all connections from pods and the node to kube-system/kube-dns:dns-tcp" in found.message
    assert "IPT117" not in {each.rule for each in new_findings(text, node)}


def test_a_refusal_that_contradicts_its_comment() -> None:
    text = changed(
        NODE, "-j REJECT --reject-with icmp-port-unreachable", "-j DROP", "default/itp-local-0 has no endpoints"
    )
    assert finding("IPT115", text, NODE).chain == "KUBE-SERVICES"


@pytest.mark.parametrize(
    ("rule", "severity", "words"),
    [
        ("-A PREROUTING -d 10.96.0.0/12 -j ACCEPT", Severity.ERROR, "pass untranslated"),
        (
            "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.1.1:80",
            Severity.ERROR,
            "to 10.1.1.1:80, which is not an endpoint",
        ),
        (
            "-A PREROUTING -p tcp -j DNAT --to-destination 10.1.1.1",
            Severity.ERROR,
            "which are not endpoints",
        ),
        (
            "-A PREROUTING -i eth0 -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353",
            Severity.WARNING,
            "kube-dns:dns",
        ),
        (
            "-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 30025 -j DNAT --to-destination 10.1.1.1:80",
            Severity.ERROR,
            "node port 30025",
        ),
    ],
)
def test_rules_ahead_of_the_hook_that_take_service_traffic(rule: str, severity: Severity, words: str) -> None:
    text = ahead_of(NODE, rule, "-A PREROUTING ", "-j KUBE-SERVICES")
    found = finding("IPT106", text, NODE)
    assert (found.severity, found.line) == (severity, line_of(text, rule))
    assert words in found.message


@pytest.mark.parametrize(
    "rule",
    [
        "-A PREROUTING -d 192.0.2.0/24 -j ACCEPT",
        "-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -j DNAT --to-destination 10.1.1.1:80",
        "-A PREROUTING -m mark --mark 0x100/0x100 -j ACCEPT",
        "-A PREROUTING -m set --match-set blocked src -j ACCEPT",
        "-A PREROUTING -p icmp -j ACCEPT",
    ],
)
def test_rules_ahead_of_the_hook_that_do_not(rule: str) -> None:
    text = ahead_of(NODE, rule, "-A PREROUTING ", "-j KUBE-SERVICES")
    assert "IPT106" not in {each.rule for each in new_findings(text, NODE)}


def test_a_chain_ahead_is_followed_and_its_returns_are_heeded() -> None:
    chains = ":MINE - [0:0]\n-A MINE {guard}-j RETURN\n-A MINE -p tcp -j REDIRECT --to-ports 15001\n"
    text = ahead_of(NODE, "-A PREROUTING -j MINE", "-A PREROUTING ", "-j KUBE-SERVICES")
    guarded = text.replace("*nat\n", "*nat\n" + chains.format(guard=""))
    assert "IPT106" not in {each.rule for each in new_findings(guarded, NODE)}
    open_to_services = text.replace("*nat\n", "*nat\n" + chains.format(guard="-d 10.244.0.0/16 "))
    found = finding("IPT106", open_to_services, NODE)
    assert found.line == line_of(open_to_services, "-A MINE -p tcp")


def test_raw_and_mangle_may_take_services_too() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.96.0.1/32 -j CT --notrack\nCOMMIT\n"
    assert "so from NAT" in finding("IPT106", NODE + raw, NODE).message
    meant = raw.replace("-j CT", '-m comment --comment "NodeLocal DNS Cache: skip conntrack" -j CT')
    assert "IPT106" not in {each.rule for each in new_findings(NODE + meant, NODE)}
    assert finding("IPT106", policy(NODE, "mangle", "PREROUTING", "DROP"), NODE).table == "mangle"


def test_what_an_engine_of_policies_exempts_from_tracking_is_no_policy() -> None:
    """Cilium writes this for clusters without kube-proxy."""
    exempting = "-A CILIUM_PRE_raw -s 10.244.0.0/16 -j CT --notrack"
    raw = f"*raw\n:PREROUTING ACCEPT [0:0]\n:CILIUM_PRE_raw - [0:0]\n-A PREROUTING -j CILIUM_PRE_raw\n{exempting}\nCOMMIT\n"
    found = finding("IPT106", NODE + raw, NODE)
    assert (found.severity, found.line) == (Severity.ERROR, line_of(NODE + raw, exempting))
    assert "IPT118" not in {each.rule for each in new_findings(NODE + raw, NODE)}
    assert finding("IPT117", policy(NODE, "mangle", "FORWARD", "DROP"), NODE).table == "mangle"
