"""6xx: what a user reads when the filter table drops too much, or too little."""

from __future__ import annotations

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.parsing import read_dump
from ipt_explain.services.losses import losses
from tests.archives import read_archive
from tests.audit.edits import ahead_of, behind, captured, changed, finding, line_of, new_findings, policy, without
from tests.audit.helpers import audit_text, findings_of, fired
from tests.audit.test_lost_traffic import with_rule
from tests.kube_corpus import scenario

NODE = captured("1.30")
EDGE = captured("1.30", "loadbalancer")
OLD = captured("1.22", "loadbalancer")
OLDEST = captured("1.14")

LAST_FORWARD = ("-A FORWARD ", "-j KUBE-EXTERNAL-SERVICES")


def test_a_forward_policy_that_drops_pods() -> None:
    text = policy(NODE, "filter", "FORWARD", "DROP")
    found = finding("IPT601", text, NODE)
    assert found.chain == "FORWARD"
    assert found.severity is Severity.ERROR
    assert "the policy of filter FORWARD drops all connections from pods" in found.message
    assert found.help.startswith("Set the policy to ACCEPT")


@pytest.mark.parametrize(
    "accepting",
    [
        "-A FORWARD -s 10.244.0.0/16 -j ACCEPT\n-A FORWARD -d 10.244.0.0/16 -j ACCEPT",
        "-A FORWARD -i cni0 -j ACCEPT",
        "-A FORWARD -m set --match-set pods src -j ACCEPT",
    ],
)
def test_a_forward_policy_is_no_matter_where_pods_are_or_may_be_accepted(accepting: str) -> None:
    text = policy(behind(NODE, accepting, *LAST_FORWARD), "filter", "FORWARD", "DROP")
    assert "IPT601" not in {each.rule for each in new_findings(text, NODE)}


def test_a_reject_ahead_of_the_network_plugin() -> None:
    reject = "-A FORWARD -j REJECT --reject-with icmp-host-prohibited"
    text = behind(NODE, reject, *LAST_FORWARD)
    found = finding("IPT601", text, NODE)
    assert found.line == line_of(text, reject)
    assert found.severity is Severity.ERROR and found.help.startswith("Remove this rule")
    late = behind(text, "-A FORWARD -j FLANNEL-FWD", reject).replace(
        ":KUBE-FORWARD -", ":FLANNEL-FWD - [0:0]\n:KUBE-FORWARD -"
    )
    found = finding("IPT601", late, NODE)
    assert "they never reach the jump to FLANNEL-FWD after it" in found.message
    assert found.related_lines == (line_of(late, "-j FLANNEL-FWD"),)


def test_docker_s_bridge_does_not_carry_pods() -> None:
    rules = "-A FORWARD -o docker0 -j ACCEPT\n-A FORWARD -j REJECT --reject-with icmp-host-prohibited"
    assert "IPT601" in {each.rule for each in new_findings(behind(NODE, rules, *LAST_FORWARD), NODE)}


def test_tailscale_s_tunnel_does_not_carry_pods() -> None:
    """It drops what comes from its network by other ways: replies of pods, if these have addresses of that network."""
    first = ("-A INPUT ", "-j KUBE-FIREWALL")
    guard = "! -i tailscale0 -j DROP"
    text = ahead_of(NODE, f"-A INPUT -s 10.244.0.0/14 {guard}", *first)
    found = finding("IPT601", text, NODE)
    assert (found.severity, found.line) == (Severity.WARNING, line_of(text, guard))
    assert "drops replies to some connections from the node" in found.message
    usual = ahead_of(NODE, f"-A INPUT -s 100.64.0.0/10 {guard}", *first)
    assert "IPT601" not in {each.rule for each in new_findings(usual, NODE)}


def test_an_input_that_refuses_the_api_server() -> None:
    reject = "-A INPUT -j REJECT --reject-with icmp-host-prohibited"
    text = behind(
        NODE,
        f"-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT\n{reject}",
        "-A INPUT ",
        "-j KUBE-EXTERNAL-SERVICES",
    )
    found = finding("IPT601", text, NODE)
    assert found.line == line_of(text, reject)
    assert "if 192.168.50.10 is an address of this node" in found.message
    translated = text.replace("--state RELATED,ESTABLISHED -j", "--state RELATED,ESTABLISHED,DNAT -j").replace(
        "-m state --state", "-m conntrack --ctstate"
    )
    assert "IPT601" not in {each.rule for each in new_findings(translated, NODE)}


def test_an_input_that_drops_endpoints_on_host_networks_of_this_node() -> None:
    hosts = NODE.replace("10.244.1.3:", "192.168.50.22:").replace("-s 10.244.1.3/32", "-s 192.168.50.22/32")
    accepting = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    text = policy(behind(hosts, accepting, "-A INPUT ", "-j KUBE-EXTERNAL-SERVICES"), "filter", "INPUT", "DROP")
    found = finding("IPT601", text, hosts)
    assert "192.168.50.22:8080" in found.message
    assert (found.severity, found.chain) == (Severity.INFO, "INPUT")
    opened = text.replace(accepting, f"{accepting}\n-A INPUT -p udp --dport 53 -j ACCEPT\n-A INPUT -p tcp -j ACCEPT")
    assert "IPT601" not in {each.rule for each in new_findings(opened, hosts)}


def test_an_input_that_drops_what_nodelocal_dns_would_answer() -> None:
    node = read_archive("neighbours")["nodelocaldns-ahead.txt"].decode()
    known = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    shut = policy(ahead_of(node, known, "-A INPUT -j KUBE-FIREWALL"), "filter", "INPUT", "DROP")
    assert all("DNSCache" not in each.message for each in audit_text(shut))
    lines = [line for line in shut.splitlines() if not line.startswith("-A INPUT -d 10.96.0.10/32")]
    (found,) = [each for each in audit_text("\n".join(lines)) if "NodeLocal DNSCache" in each.message]
    assert (found.rule, found.severity) == ("IPT601", Severity.WARNING)
    assert "kube-system/kube-dns:dns (10.96.0.10:53)" in found.message


def test_policies_of_input_and_output() -> None:
    replies = finding("IPT601", policy(NODE, "filter", "INPUT", "DROP"), NODE)
    assert "replies" in replies.message
    assert "drops all connections from the node" in finding("IPT601", policy(NODE, "filter", "OUTPUT", "DROP"), NODE).message
    firewall = behind(
        NODE, "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A INPUT ", "-j KUBE-EXTERNAL-SERVICES"
    )
    assert finding("IPT601", policy(firewall, "filter", "INPUT", "DROP"), NODE).severity is Severity.INFO


def test_the_api_server_alone_shows_what_forward_drops() -> None:
    node = "\n".join(
        line for line in NODE.splitlines() if "-j KUBE-S" not in line or "kubernetes" in line or "KUBE-SERVICES" in line
    )
    found = finding("IPT601", policy(node, "filter", "FORWARD", "DROP"), NODE)
    assert "default/kubernetes:https" in found.message


@pytest.mark.parametrize("chain", ["KUBE-FIREWALL", "KUBE-FORWARD", "KUBE-PROXY-FIREWALL", "KUBE-SERVICES"])
def test_a_drop_without_conditions(chain: str) -> None:
    text = NODE.replace(f"-A {chain} ", f"-A {chain} -j DROP\n-A {chain} ", 1)
    if text == NODE:
        text = NODE.replace("-A INPUT -j KUBE-FIREWALL", f"-A {chain} -j DROP\n-A INPUT -j KUBE-FIREWALL")
    assert finding("IPT602", text, NODE).severity is Severity.ERROR


def test_a_fragment_shows_a_drop_without_conditions() -> None:
    lost = '-A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -j DROP\n'
    assert fired(lost) & {"IPT602", "IPT707"}


def test_kube_forward_without_one_of_its_accepts() -> None:
    found = finding("IPT603", without(NODE, "-A KUBE-FORWARD ", "--mark"), NODE)
    assert "policy ACCEPT" in found.message
    found = finding("IPT603", without(NODE, "-A KUBE-FORWARD ", "RELATED"), NODE)
    assert "replies" in found.message
    text = changed(NODE, "-j ACCEPT", "-j RETURN", "-A KUBE-FORWARD ", "RELATED")
    assert finding("IPT603", text, NODE).line == line_of(text, "-A KUBE-FORWARD ", "RELATED")


def test_up_to_1_17_known_connections_are_those_of_the_pod_network() -> None:
    assert "IPT603" in {each.rule for each in new_findings(without(OLDEST, "-A KUBE-FORWARD -s"), OLDEST)}
    assert "IPT603" not in fired(scenario("1.14", "cfg-nocidr").ipv4)


def test_invalid_packets_that_are_not_dropped_are_a_note() -> None:
    for node in (NODE, OLDEST):
        found = finding("IPT604", without(node, "-A KUBE-FORWARD ", "INVALID"), node)
        assert found.severity is Severity.INFO
    near = changed(NODE, "--ctstate INVALID", "--ctstate UNTRACKED", "-A KUBE-FORWARD ")
    assert "UNTRACKED" in finding("IPT604", near, NODE).excerpt
    known = changed(without(NODE, "-A KUBE-FORWARD ", "INVALID"), "RELATED,ESTABLISHED", "RELATED", "-A KUBE-FORWARD ")
    assert finding("IPT604", known, NODE).excerpt.strip() == ":KUBE-FORWARD - [0:0]"  # that rule is none for INVALID
    drop = "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP"
    late = behind(without(NODE, drop), drop, "-A KUBE-FORWARD ", "--mark")
    assert "only after accepting others" in finding("IPT604", late, NODE).message


GUARD = ("-A KUBE-FIREWALL ", "127.0.0.0/8")


def test_a_loopback_guard_that_is_missing_or_weak() -> None:
    assert "CVE-2020-8558" in finding("IPT605", without(NODE, *GUARD), NODE).message
    assert "CVE-2020-8558" in finding("IPT605", without(OLD, *GUARD), OLD).message
    weak = changed(NODE, "-d 127.0.0.0/8", "-d 127.0.0.1/32", *GUARD)
    assert finding("IPT605", weak, NODE).line == line_of(weak, "-A KUBE-FIREWALL ", "127.0.0.1/32")


def test_no_loopback_guard_is_needed_without_node_ports_on_loopback() -> None:
    node = changed(
        NODE, "-A KUBE-SERVICES -m comment", "-A KUBE-SERVICES ! -d 127.0.0.0/8 -m comment", "-j KUBE-NODEPORTS"
    )
    assert "IPT605" not in {each.rule for each in new_findings(without(node, *GUARD), node)}


DROP = ("-A KUBE-PROXY-FIREWALL ", "default/lb-ranges traffic")


def test_source_ranges_without_their_drop() -> None:
    found = finding("IPT606", without(EDGE, *DROP), EDGE)
    assert (found.service, found.severity) == ("default/lb-ranges", Severity.ERROR)
    assert "203.0.113.4:80" in found.message
    for text in (
        changed(EDGE, "203.0.113.4/32", "203.0.113.44/32", *DROP),
        changed(EDGE, "--dport 80", "--dport 81", *DROP),
        changed(EDGE, "-j DROP", "-j ACCEPT", *DROP),
    ):
        assert finding("IPT606", text, EDGE).line == line_of(text, *DROP)


def test_a_drop_for_an_address_that_everybody_may_use() -> None:
    parts = ("-A KUBE-PROXY-FIREWALL ", "default/lb-ranges-any traffic")
    text = changed(EDGE, "203.0.113.7/32", "203.0.113.77/32", *parts)
    assert finding("IPT606", text, EDGE).severity is Severity.WARNING


def test_up_to_1_24_the_firewall_ends_in_the_drop_mark() -> None:
    tail = ("-A KUBE-FW-IKZ6PZRZ3NN7QS5Z ", "-j KUBE-MARK-DROP")
    assert "does not end in KUBE-MARK-DROP" in finding("IPT606", without(OLD, *tail), OLD).message
    harmless = behind(OLD, "-A KUBE-FW-IKZ6PZRZ3NN7QS5Z -s 10.244.0.0/16 -j KUBE-MARK-MASQ", *tail)
    assert "IPT606" not in {each.rule for each in new_findings(harmless, OLD)}
    undone = behind(OLD, "-A KUBE-FW-IKZ6PZRZ3NN7QS5Z -j MARK --set-xmark 0x0/0x8000", *tail)
    assert "IPT606" in {each.rule for each in new_findings(undone, OLD)}


def test_accepting_ahead_of_the_proxy_firewall() -> None:
    text = ahead_of(EDGE, "-A FORWARD -i eth0 -j ACCEPT", "-A FORWARD ", "-j KUBE-PROXY-FIREWALL")
    found = finding("IPT606", text, EDGE)
    assert (found.severity, found.line) == (Severity.WARNING, line_of(text, "-i eth0 -j ACCEPT"))
    of_protocol = ahead_of(EDGE, "-A FORWARD -p tcp -j ACCEPT", "-A FORWARD ", "-j KUBE-PROXY-FIREWALL")
    assert finding("IPT606", of_protocol, EDGE).line == line_of(of_protocol, "-A FORWARD -p tcp -j ACCEPT")
    for narrow in ("-p icmp -j ACCEPT", "! -p tcp -j ACCEPT", "-p tcp -m tcp --dport 22 -j ACCEPT"):
        text = ahead_of(EDGE, f"-A FORWARD {narrow}", "-A FORWARD ", "-j KUBE-PROXY-FIREWALL")
        assert "IPT606" not in {each.rule for each in new_findings(text, EDGE)}


def test_accepting_all_in_another_chain_ahead_of_the_proxy_firewall() -> None:
    hook = ("-A FORWARD ", "-j KUBE-PROXY-FIREWALL")
    text = ahead_of(EDGE, "-A DOCKER-USER -j ACCEPT\n-A FORWARD -j DOCKER-USER", *hook)
    text = text.replace("*filter\n", "*filter\n:DOCKER-USER - [0:0]\n", 1)
    found = finding("IPT606", text, EDGE)
    assert (found.severity, found.line) == (Severity.WARNING, line_of(text, "-A DOCKER-USER -j ACCEPT"))
    assert "in FORWARD" in found.message
    some = text.replace("-A DOCKER-USER -j", "-A DOCKER-USER -s 10.244.0.0/16 -j")
    assert "IPT606" not in {each.rule for each in new_findings(some, EDGE)}


def test_what_arrives_over_lo_was_asked_in_output() -> None:
    text = ahead_of(EDGE, "-A INPUT -i lo -j ACCEPT", "-A INPUT ", "-j KUBE-PROXY-FIREWALL")
    assert "IPT606" not in {each.rule for each in new_findings(text, EDGE)}
    others = ahead_of(EDGE, "-A INPUT ! -i lo -j ACCEPT", "-A INPUT ", "-j KUBE-PROXY-FIREWALL")
    assert finding("IPT606", others, EDGE).line == line_of(others, "! -i lo -j ACCEPT")


@pytest.mark.parametrize(
    ("rule_id", "words"),
    [
        ("IPT607", "203.0.113.7:80"),
        ("IPT608", "node port"),
        ("IPT609", "external traffic policy Local"),
        ("IPT610", "no endpoints"),
    ],
)
def test_notes_are_one_a_dump(rule_id: str, words: str) -> None:
    (found,) = findings_of(rule_id, EDGE)
    assert found.severity is Severity.INFO
    assert words in found.message


def test_one_service_without_endpoints_has_its_pods_checked() -> None:
    refused = '-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "a/b has no endpoints" -m tcp --dport 80 -j REJECT\n'
    (found,) = findings_of("IPT610", refused)
    assert found.help == "Check whether its pods are ready, and whether its selector matches any."


def test_a_service_without_any_rule_for_its_cluster_ip() -> None:
    text = without(EDGE, "-A KUBE-SERVICES ", '"default/lb-0 has no endpoints"')
    (found,) = [each for each in new_findings(text, EDGE) if each.severity is Severity.WARNING]
    assert (found.rule, found.service) == ("IPT610", "default/lb-0")


def test_the_filter_table_alone_says_nothing_of_cluster_ips() -> None:
    head, _, _ = NODE.partition("*nat\n")
    assert "*filter" in head
    assert [each for each in audit_text(head) if each.severity is not Severity.INFO] == []


@pytest.mark.parametrize("kind", ["-d 203.0.113.31/32", "--dst-type LOCAL"])
def test_a_local_policy_without_endpoints_that_does_not_drop(kind: str) -> None:
    text = without(NODE, "-A KUBE-EXTERNAL-SERVICES ", kind)
    found = finding("IPT611", text, NODE)
    assert found.service == "default/itp-etp-local-none"
    assert "untranslated" in found.message


def test_a_rule_that_accepts_what_lacks_endpoints_is_a_note() -> None:
    node = captured("1.30", "nodeport")
    accepting = "-A FORWARD -s 10.244.0.0/16 -j ACCEPT"
    text = ahead_of(node, accepting, "-A FORWARD ", "-j KUBE-PROXY-FIREWALL")
    (found,) = [each for each in new_findings(text, node) if each.rule == "IPT610"]
    assert (found.severity, found.excerpt.strip()) == (Severity.INFO, accepting)
    assert "default/np0" in found.services
    (found,) = [each for each in new_findings(with_rule(text, "mangle", "PREROUTING", "-j ACCEPT"), node) if each.rule == "IPT610"]
    assert found.excerpt.strip() == accepting  # what only leaves mangle is still to meet filter


@pytest.mark.parametrize(
    ("accepting", "place", "origin"),
    [
        ("-A FORWARD -s 10.244.0.0/16 -j ACCEPT", ("-A FORWARD ", "-j KUBE-PROXY-FIREWALL"), "pods"),
        ("-A FORWARD -s 10.244.0.0/16 -j RETURN", ("-A FORWARD ", "-j KUBE-PROXY-FIREWALL"), "pods"),
        ("-A OUTPUT -j ACCEPT", ("-A OUTPUT ", "-j KUBE-PROXY-FIREWALL"), "the node"),
    ],
)
def test_explain_and_audit_name_the_same_rule_that_accepts_what_lacks_endpoints(
    accepting: str, place: tuple[str, str], origin: str
) -> None:
    node = captured("1.30", "nodeport")
    text = ahead_of(node, accepting, *place)
    line = line_of(text, accepting)
    found = next(each for each in new_findings(text, node) if each.rule == "IPT610" and "accepts" in each.message)
    assert (found.line, f"connections from {origin} to default/np-local-0, default/np0 " in found.message) == (line, True)
    (service,) = [each for each in explain(read_dump(text)).services if each.label == "default/np0"]
    assert {lost.decider.line for _, _, lost in losses(service)} == {line}


def test_what_policy_local_refuses_is_lost_by_the_rule_that_accepts_it() -> None:
    """A Service without endpoints on this node, with internal policy Local: clients would have been refused anyway."""
    accepting = "-A FORWARD -j ACCEPT"
    text = ahead_of(NODE, accepting, "-A FORWARD ", "-j KUBE-PROXY-FIREWALL")
    (found,) = [each for each in audit_text(text) if each.rule == "IPT117"]
    assert (found.line, found.severity) == (line_of(text, accepting), Severity.WARNING)
    assert found.message.startswith("this rule accepts all connections from pods to default/itp-etp-local-none ")
    assert found.message.endswith(" before kube-proxy refuses them: they leave untranslated")


def test_a_rule_in_nat_still_answers_for_what_it_keeps_from_an_endpoint() -> None:
    """What filter accepts later is no matter if the Service refuses only some connections."""
    text = ahead_of(NODE, "-A FORWARD -j ACCEPT", "-A FORWARD ", "-j KUBE-PROXY-FIREWALL")
    taking = "-A PREROUTING -d 10.96.0.10/32 -j ACCEPT"
    text = ahead_of(text, taking, "-A PREROUTING ", "KUBE-SERVICES")
    assert line_of(text, taking) in {each.line for each in audit_text(text) if each.rule == "IPT106"}


def test_a_drop_of_one_protocol_has_no_other_condition() -> None:
    text = ahead_of(NODE, "-A KUBE-FORWARD -p tcp -j DROP", "-A KUBE-FORWARD", "--ctstate INVALID")
    assert finding("IPT602", text, NODE).message.endswith("if they are tcp: the rule has no other condition")
