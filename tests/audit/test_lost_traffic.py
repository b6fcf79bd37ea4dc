"""One story of lost traffic: fates are what trace says of the same packets, audit is loud where something is lost on a
path that every release serves, and of lost traffic it speaks only where some is.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import audit_dump, audit_node
from ipt_explain.model import Dump
from ipt_explain.parsing import read_dump
from ipt_explain.services.fates import Fate, Loss, Vantage
from ipt_explain.services.ports import Frontend, FrontendKind, ServicePort, ServiceState
from ipt_explain.trace.packet import Packet
from ipt_explain.trace.tracer import trace
from ipt_explain.words import address_port
from tests.audit.edits import ahead_of, captured
from tests.kube_corpus import scenario
from tests.nft_corpus import listing

NODE = captured("1.30", "nodeport")
LOSS_RULES = frozenset({"IPT106", "IPT117", "IPT601"})
POD, HOST, OUTSIDE = "10.244.1.222", "192.168.50.11", "198.51.100.77"
SENDERS = ((Vantage.POD, POD, "prerouting"), (Vantage.NODE, HOST, "output"), (Vantage.OUTSIDE, OUTSIDE, "prerouting"))

THIEVES = [
    ("nat", "PREROUTING", "-j ACCEPT"),
    ("nat", "PREROUTING", "-d 10.96.0.0/12 -j RETURN"),
    ("nat", "PREROUTING", "-p tcp -j DNAT --to-destination 10.1.1.1:80"),
    ("nat", "PREROUTING", "-m statistic --mode random --probability 0.25000000000 -j ACCEPT"),
    ("nat", "PREROUTING", "-p udp -j REDIRECT --to-ports 5353"),
    ("nat", "OUTPUT", "-d 10.96.0.0/12 -j ACCEPT"),
    ("nat", "OUTPUT", "-p tcp -m tcp --dport 443 -j DNAT --to-destination 10.1.1.1:443"),
    ("mangle", "PREROUTING", "-d 10.96.0.0/12 -j DROP"),
    ("mangle", "FORWARD", "-d 10.244.0.0/16 -j DROP"),
    ("mangle", "POSTROUTING", "-d 10.244.2.0/24 -j DROP"),
    ("mangle", "OUTPUT", "-p tcp -j DROP"),
    ("filter", "FORWARD", "-j REJECT --reject-with icmp-port-unreachable"),
    ("filter", "FORWARD", "-p udp -j DROP"),
    ("filter", "FORWARD", "-m conntrack --ctstate NEW -j DROP"),
    ("filter", "OUTPUT", "-d 10.244.0.0/16 -j DROP"),
    ("raw", "PREROUTING", "-d 10.96.0.0/12 -j CT --notrack"),
    ("raw", "OUTPUT", "-d 10.96.0.0/12 -j DROP"),
    ("security", "FORWARD", "-d 10.244.0.0/16 -j DROP"),
]
HARMLESS = [
    ("nat", "PREROUTING", "-d 192.0.2.0/24 -j ACCEPT"),
    (
        "nat",
        "PREROUTING",
        "-p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -j DNAT --to-destination 10.1.1.1:80",
    ),
    ("mangle", "PREROUTING", "-j MARK --set-xmark 0x100/0x100"),
    ("mangle", "FORWARD", "-d 203.0.113.0/24 -j DROP"),
    ("filter", "FORWARD", "-j ACCEPT"),
    ("filter", "INPUT", "-p tcp -m tcp --dport 10255 -j DROP"),
    ("filter", "OUTPUT", "-d 203.0.113.9/32 -j DROP"),
    ("raw", "PREROUTING", "-d 169.254.20.10/32 -j CT --notrack"),
    ("security", "OUTPUT", "-d 203.0.113.9/32 -j DROP"),
    ("nat", "POSTROUTING", "-m statistic --mode random --probability 0.25000000000 -j SNAT --to-source 192.168.50.11"),
]


def with_rule(text: str, table: str, chain: str, rule: str) -> str:
    """The text with a rule at the head of a built-in chain, and the table that it is in."""
    line = f"-A {chain} {rule}"
    head, section, rest = text.partition(f"*{table}\n")
    if not section:
        return f"{text}*{table}\n:{chain} ACCEPT [0:0]\n{line}\nCOMMIT\n"
    lines = rest.split("\n")
    place = next(number for number, each in enumerate(lines) if not each.startswith(":"))
    return head + section + "\n".join([*lines[:place], line, *lines[place:]])


def is_served_everywhere(frontend: Frontend, vantage: Vantage) -> bool:
    """Whether every release serves this kind of address from there."""
    return (vantage is Vantage.OUTSIDE) is not (frontend.kind is FrontendKind.CLUSTER_IP)


def losing(dump: Dump) -> list[str]:
    """The frontends of Services with endpoints that lose connections where they should not."""
    return [
        f"{service.label} {frontend.address}:{frontend.port} from {vantage.value}"
        for service in explain(dump).services
        for frontend in service.frontends
        for vantage, fate in (frontend.fates.items() if frontend.fates is not None and service.endpoints else ())
        if is_served_everywhere(frontend, vantage)
        if any(lost.how not in (Loss.INTERCEPTED, Loss.UNKNOWN) for lost in fate.lost)
    ]


def told(dump: Dump) -> list[str]:
    """What the audit says of lost traffic."""
    return [finding.message for finding in audit_dump(dump).findings if finding.rule in LOSS_RULES]


def accused(dump: Dump) -> list[str]:
    """What the audit accuses."""
    return [finding.rule for finding in audit_dump(dump).findings if finding.severity is not Severity.INFO]


def sample(dump: Dump, seed: int, count: int) -> Iterator[tuple[ServicePort, Frontend]]:
    """Some frontends, ClusterIPs and others."""
    pairs = [
        (service, frontend)
        for service in explain(dump).services
        for frontend in service.frontends
        if frontend.fates is not None and not frontend.source_ranges
    ]
    yield from random.Random(seed).sample(pairs, min(count, len(pairs)))


def is_as_traced(dump: Dump, service: ServicePort, frontend: Frontend, fate: Fate, source: str, entry: str) -> bool:
    """Whether trace serves the same share of such a packet, and masquerades it alike; true where either leaves it
    open.
    """
    packet = Packet(source, frontend.address or HOST, service.protocol, frontend.port, entry=entry)
    outcomes = trace(dump, packet, local_addresses=[HOST]).outcomes
    if fate.served is None or any(outcome.assumptions for outcome in outcomes):
        return True
    ours = {address_port(each.address, each.port) for each in service.endpoints if each.address is not None}
    arrived = [each for each in outcomes if each.verdict == "ACCEPT" and each.dnat in ours]
    sources = {each.masqueraded for each in arrived}
    if fate.masqueraded is not None and sources and sources != {fate.masqueraded}:
        return False
    return abs(fate.served - sum(each.probability for each in arrived)) < 1e-6


def disagreements(dump: Dump, seed: int, count: int = 6) -> list[str]:
    """Where fates are not what trace says."""
    return [
        f"{service.label} {frontend.address}:{frontend.port} from {vantage.value}: {fate}"
        for service, frontend in sample(dump, seed, count)
        for (vantage, fate), (_, source, entry) in zip(frontend.fates.items() if frontend.fates else (), SENDERS)
        if not is_as_traced(dump, service, frontend, fate, source, entry)
    ]


@pytest.mark.parametrize(("seed", "thief"), list(enumerate(THIEVES)), ids=[" ".join(thief) for thief in THIEVES])
def test_what_is_stolen_is_told(seed: int, thief: tuple[str, str, str]) -> None:
    dump = read_dump(with_rule(NODE, *thief))
    assert losing(dump)
    assert len(told(dump)) == 1
    assert disagreements(dump, seed) == []


@pytest.mark.parametrize(("seed", "rule"), list(enumerate(HARMLESS)), ids=[" ".join(rule) for rule in HARMLESS])
def test_what_steals_nothing_is_not_accused_of_it(seed: int, rule: tuple[str, str, str]) -> None:
    dump = read_dump(with_rule(NODE, *rule))
    assert losing(dump) == []
    assert told(dump) == []
    assert disagreements(dump, seed, 3) == []


@pytest.mark.parametrize("seed", range(12))
def test_a_lost_rule_of_kube_proxy_s_is_told_where_it_costs_connections(seed: int) -> None:
    lines = NODE.splitlines(keepends=True)
    numbers = [
        number for number, line in enumerate(lines) if line.startswith(("-A KUBE-S", "-A KUBE-EXT", "-A KUBE-NODE"))
    ]
    del lines[random.Random(seed).choice(numbers)]
    dump = read_dump("".join(lines))
    if losing(dump):
        assert accused(dump)
    else:
        assert told(dump) == []
    assert disagreements(dump, seed, 3) == []


@pytest.mark.parametrize("version", ["1.14", "1.22", "1.30"])
def test_healthy_nodes_lose_nothing(version: str) -> None:
    dump = read_dump(scenario(version, "nodeport").ipv4)
    assert losing(dump) == []
    assert disagreements(dump, 0) == []


def test_severity_is_by_effect() -> None:
    def severities(rule: str) -> set[Severity]:
        found = audit_dump(read_dump(with_rule(NODE, "mangle", "FORWARD", rule))).findings
        return {each.severity for each in found if each.rule in LOSS_RULES}

    assert severities("-j DROP") == {Severity.ERROR}
    assert severities("-p tcp -m tcp --dport 8080 -m statistic --mode random --probability 0.25000000000 -j DROP") == {
        Severity.WARNING
    }


def test_what_is_lost_unless_endpoints_are_the_node_itself_is_told() -> None:
    dump = read_dump(with_rule(NODE, "filter", "OUTPUT", "-m addrtype ! --dst-type LOCAL -j REJECT"))
    (found,) = [each for each in audit_dump(dump).findings if each.rule in LOSS_RULES]
    assert (found.rule, found.severity, found.chain) == ("IPT601", Severity.WARNING, "OUTPUT")


@pytest.mark.parametrize(
    ("table", "rule", "severity", "words"),
    [
        ("raw", "PREROUTING -m rpfilter --invert -j DROP", Severity.INFO, "may drop connections from pods and outside"),
        ("mangle", "PREROUTING -m set --match-set banned src -j DROP", Severity.INFO, "match-set banned src"),
        ("filter", "FORWARD -i ens5 -j REJECT", Severity.INFO, "depending on `-i ens5`,"),
        ("filter", "FORWARD -s 10.244.9.0/24 -j DROP", Severity.WARNING, "pods to"),
        ("filter", "FORWARD -s 10.244.9.0/24 -i ens5 -j DROP", Severity.INFO, "pods to"),
        ("filter", "FORWARD -m connlimit --connlimit-above 5 -j REJECT", Severity.WARNING, "may refuse connections"),
        ("filter", "FORWARD -d 10.96.0.99 -m ttl --ttl-lt 5 -j DROP", None, ""),
        ("filter", "FORWARD -m policy --dir in --pol none -j DROP", Severity.WARNING, "--dir in --pol none`, which"),
        ("filter", "OUTPUT -m owner --uid-owner 1000 -j REJECT", Severity.INFO, "connections from the node to"),
        ("filter", "FORWARD -j NFQUEUE --queue-num 0", Severity.WARNING, "what a program does with the queued packet"),
    ],
)
def test_a_rule_that_may_lose_connections_is_told_once(
    table: str, rule: str, severity: Severity | None, words: str
) -> None:
    chain, _, rest = rule.partition(" ")
    dump = read_dump(with_rule(NODE, table, chain, rest))
    found = [each for each in audit_dump(dump).findings if each.rule in LOSS_RULES | {"IPT120"}]
    unknown = any(each.state is ServiceState.UNKNOWN for each in explain(dump).services)
    assert unknown is (severity is not None and chain != "OUTPUT")
    assert [each.severity for each in found] == ([severity] if severity else [])
    assert all(each.excerpt.strip() == f"-A {rule}" and words in each.message for each in found)


def test_a_program_s_rules_that_may_lose_connections_are_one_note() -> None:
    engine = "-i cali+ -j cali-from"
    rules = "-A cali-from -i cali1 -j RETURN\n-A cali-from -i cali2 -j DROP\n-A cali-from -j DROP\n"
    text = with_rule(NODE, "filter", "FORWARD", engine).replace("*filter\n", "*filter\n:cali-from - [0:0]\n")
    dump = read_dump(text.replace(f"-A FORWARD {engine}", f"{rules}-A FORWARD {engine}"))
    (found,) = [each for each in audit_dump(dump).findings if each.rule in LOSS_RULES | {"IPT118", "IPT120"}]
    assert (found.rule, found.severity, len(found.related_lines)) == ("IPT120", Severity.INFO, 1)
    assert found.message.startswith("Calico's rules may drop connections from pods and outside to ")


def test_published_ports_of_docker_28_leave_no_more_than_notes() -> None:
    """It drops what goes to a container past its bridge, as if that could be the node's address."""
    node = with_rule(NODE, "filter", "FORWARD", "! -i docker0 -o docker0 -j DROP")
    text = with_rule(node, "raw", "PREROUTING", "-d 172.17.0.2/32 ! -i docker0 -j DROP")
    for dump in (node, text):
        found = [each for each in audit_dump(read_dump(dump)).findings if each.rule in LOSS_RULES | {"IPT120"}]
        assert {(each.rule, each.severity) for each in found} == {("IPT120", Severity.INFO)}


def test_node_ports_at_addresses_of_choice_are_not_in_doubt() -> None:
    node = scenario("1.30", "cfg-nodeportaddr").ipv4
    assert "IPT120" not in {each.rule for each in audit_dump(read_dump(node)).findings}


def test_a_path_that_no_release_promises_may_be_closed() -> None:
    rule = "! -s 10.244.0.0/16 -d 10.244.0.0/16 -m conntrack --ctstate NEW -j DROP"
    assert told(read_dump(with_rule(captured("1.30", "basic"), "filter", "FORWARD", rule))) == []
    assert told(read_dump(with_rule(NODE, "filter", "FORWARD", rule)))


@pytest.mark.parametrize(
    ("address", "severity"), [("10.96.0.10/32 -p udp", Severity.ERROR), ("10.96.0.21/32 -p tcp", Severity.WARNING)]
)
def test_a_share_of_the_connections_to_dns_is_grave(address: str, severity: Severity) -> None:
    rule = f"-d {address} -m statistic --mode random --probability 0.25000000000 -j ACCEPT"
    found = audit_dump(read_dump(with_rule(NODE, "nat", "PREROUTING", rule))).findings
    assert {each.severity for each in found if each.rule in LOSS_RULES} == {severity}


def test_a_drop_in_a_chain_of_kube_proxy_is_no_firewalls() -> None:
    text = NODE.replace("-A KUBE-FORWARD ", "-A KUBE-FORWARD -d 10.244.0.0/16 -j DROP\n-A KUBE-FORWARD ", 1)
    (found,) = [each for each in audit_dump(read_dump(text)).findings if "-d 10.244.0.0/16 -j DROP" in each.excerpt]
    assert found.rule != "IPT601"
    assert found.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("dropped", "severity"), [("10.244.1.0/24", Severity.INFO), ("0.0.0.0/0", Severity.WARNING)]
)
def test_an_engine_of_policies_that_drops_is_a_note_unless_it_cuts_all_off(dropped: str, severity: Severity) -> None:
    text = with_rule(NODE, "filter", "FORWARD", f"-d {dropped} -j cali-tw-cali0123")
    dump = read_dump(
        text.replace("*filter\n", "*filter\n:cali-tw-cali0123 - [0:0]\n").replace(
            f"-A FORWARD -d {dropped}", f"-A cali-tw-cali0123 -j DROP\n-A FORWARD -d {dropped}"
        )
    )
    assert told(dump) == []
    assert {each.severity for each in audit_dump(dump).findings if each.rule == "IPT118"} == {severity}


def test_the_other_backend_is_asked_too() -> None:
    legacy = "# Generated by iptables-save v1.8.9 on Sun Nov 22 18:58:18 2026\n*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"
    dump = read_dump(legacy + NODE)
    (found,) = [each for each in audit_dump(dump).findings if each.rule == "IPT119"]
    assert (found.severity, found.chain) == (Severity.ERROR, "FORWARD")
    assert "iptables-legacy" in found.message
    assert told(dump) == []


def test_a_rule_of_the_other_backend_that_wins_only_if_it_is_asked_first_is_a_warning() -> None:
    rule = "-A PREROUTING -d 10.96.0.10/32 -p udp -j DNAT --to-destination 192.0.2.1"
    legacy = f"# Generated by iptables-save v1.8.9 on Sun\n*nat\n:PREROUTING ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    dump = read_dump(legacy + NODE)
    (found,) = [each for each in audit_dump(dump).findings if each.rule == "IPT119"]
    assert (found.severity, found.excerpt.strip()) == (Severity.WARNING, rule)
    assert found.message.endswith("if the kernel asks it first")
    frontends = [frontend for each in explain(dump).services for frontend in each.frontends]
    unsure = [each.address for each in frontends if each.fates is not None and "asked before" in str(each.fates.pod.open)]
    assert unsure == ["10.96.0.10"]


@pytest.mark.parametrize("number", [1, 3, 5, 9])
def test_a_thief_that_takes_from_any_number_of_interfaces_is_told(number: int) -> None:
    text = scenario("1.30", "basic").ipv4
    taken = "\n".join(f"-A PREROUTING -i cali{each} -j STEAL" for each in range(number))
    text = ahead_of(text, f"{taken}\n-A STEAL -j ACCEPT", "-A PREROUTING", "-j KUBE-SERVICES")
    dump = read_dump(text.replace(":KUBE-SERVICES - [0:0]\n", ":KUBE-SERVICES - [0:0]\n:STEAL - [0:0]\n"))
    assert disagreements(dump, 1) == []
    assert "IPT106" in accused(dump)


def test_a_flushed_nat_is_told_once() -> None:
    head, nat, _ = NODE.partition("*nat\n")
    bare = head + nat + ":PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"
    assert "IPT116" in accused(read_dump(bare))
    assert "IPT101" not in accused(read_dump(bare))


def test_a_cause_that_a_rule_accuses_is_not_told_again() -> None:
    text = ahead_of(NODE, "-A KUBE-SERVICES -j DROP", "-A KUBE-SERVICES ", "10.96.0.1/32")
    assert not {"IPT117"} & set(accused(read_dump(text)))


def test_a_cluster_without_dns_is_a_warning() -> None:
    refused = (
        '-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns has no endpoints" '
        "-m udp --dport 53 -j REJECT --reject-with icmp-port-unreachable\n"
    )
    (found,) = [each for each in audit_dump(read_dump(refused)).findings if each.rule == "IPT610"]
    assert (found.severity, found.service) == (Severity.WARNING, "kube-system/kube-dns:dns")


def test_entries_of_host_ports_alone_show_a_clash_and_its_containers() -> None:
    entry = (
        '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"cbr0\\" id: \\"{0}{0}{0}{0}\\"" '
        "-m multiport --dports 8080 -j CNI-DN-{0}\n"
    )
    text = "".join(entry.format(number * 8) for number in ("1", "2"))
    (found,) = [each for each in audit_dump(read_dump(text)).findings if each.rule == "IPT706"]
    assert "container 111111111111" in found.message and "container 222222222222" in found.message


def test_what_the_service_refuses_anyway_is_not_lost() -> None:
    text = with_rule(NODE, "filter", "INPUT", "-p tcp -m conntrack --ctstate NEW -j REJECT --reject-with tcp-reset")
    assert not [each for each in told(read_dump(text)) if "np-local-none" in each]


@pytest.mark.parametrize(
    ("table", "fix"),
    [
        ("nat", "Narrow the rule so that it does not match Services, or move it after the jump to KUBE-SERVICES."),
        ("raw", "Narrow the rule so that it does not match Services."),  # no jump of kube-proxy's is in raw
        ("mangle", "Narrow the rule so that it does not match Services."),
    ],
)
def test_the_fix_is_possible_in_the_table_of_the_rule(table: str, fix: str) -> None:
    target = "ACCEPT" if table == "nat" else "DROP"
    found = audit_dump(read_dump(with_rule(NODE, table, "PREROUTING", f"-d 10.96.0.0/12 -j {target}"))).findings
    assert [each.help for each in found if each.rule == "IPT106"] == [fix]


@pytest.mark.parametrize(("rule", "chain"), [("IPT106", "PREROUTING"), ("IPT117", "FORWARD")])
def test_a_policy_is_no_rule_to_narrow_and_not_kube_proxys(rule: str, chain: str) -> None:
    head, mangle, rest = NODE.partition("*mangle\n")
    text = head + mangle + rest.replace(f":{chain} ACCEPT", f":{chain} DROP", 1)
    helped = [each.help for each in audit_dump(read_dump(text)).findings if each.rule == rule]
    assert helped == ["Set the policy to ACCEPT, or accept Service traffic in this chain."]


@pytest.mark.parametrize(
    ("rule", "judgement", "cause"),
    [
        ("-p tcp -m tcp --dport 30019 -j ACCEPT", "untranslated", "IPT106"),
        ("-p tcp -m tcp --dport 30019 -j DNAT --to-destination 10.99.9.9:80", "diverted", "IPT106"),
        ("-p tcp -m tcp --dport 30018 -j ACCEPT", "served", None),
    ],
)
def test_of_a_node_port_trace_audit_and_explain_say_the_same(rule: str, judgement: str, cause: str | None) -> None:
    dump = read_dump(with_rule(captured("1.30", "nodeport"), "nat", "PREROUTING", rule))
    packet = Packet("198.51.100.7", "192.168.50.11", "tcp", 30019)
    found = json.loads(trace(dump, packet, local_addresses=["192.168.50.11"]).to_json())
    assert {each["judgement"] for each in found["outcomes"]} == {judgement}
    assert (found["service"] == "default/np-local") is (cause is not None)
    assert any(each.rule == cause for each in audit_dump(dump).findings) is (cause is not None)
    service = next(each for each in explain(dump).services if each.name == "np-local")
    node_port = next(each for each in service.frontends if each.address is None)
    assert node_port.fates is not None
    lost = {each.how.value for each in node_port.fates.outside.lost}
    assert lost == (set() if cause is None else {judgement})


@pytest.mark.parametrize(("mine", "delivered"), [("192.168.50.11", True), ("192.168.50.12", False)])
def test_an_external_ip_that_is_the_nodes_own_is_missed_alike(mine: str, delivered: bool) -> None:
    dump = read_dump(with_rule(captured("1.30", "externalips"), "nat", "PREROUTING", "-p tcp -m tcp --dport 8888 -j ACCEPT"))
    found = trace(dump, Packet("198.51.100.7", "192.168.50.11", "tcp", 8888), local_addresses=[mine])
    (outcome,) = json.loads(found.to_json())["outcomes"]
    assert (outcome["judgement"], outcome["delivered"]) == ("untranslated", delivered)


def test_a_port_of_the_node_that_no_service_has_is_the_nodes_own() -> None:
    dump = read_dump(captured("1.30", "nodeport"))
    for port, mine in ((22, ["192.168.50.11"]), (30019, ["192.168.50.12"])):
        found = trace(dump, Packet("198.51.100.7", "192.168.50.11", "tcp", port), local_addresses=mine)
        assert {each["judgement"] for each in json.loads(found.to_json())["outcomes"]} == {"served"}


def test_what_a_doubt_depends_on_is_a_clause_where_it_is_no_rule() -> None:
    legacy = (
        "# Generated by iptables-save v1.8.7\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        "-A FORWARD -i ens5 -j ACCEPT\nCOMMIT\n"
    )
    found = audit_dump(read_dump(legacy + captured("1.30", "policy"))).findings
    (message,) = [each.message for each in found if each.rule == "IPT120"]
    assert "depending on `-i ens5` and whether filter FORWARD of iptables-legacy is asked before filter FORWARD" in message


@pytest.mark.parametrize("rule", ["-o lo -j CT --notrack", "-o lo -j NOTRACK"])
def test_without_tracking_on_lo_the_node_loses_only_its_own_node_ports(rule: str) -> None:
    """As the kernel has it: connections to the node's own addresses leave by lo, those to ClusterIPs do not."""
    found = audit_dump(read_dump(with_rule(NODE, "raw", "OUTPUT", rule))).findings
    (lost,) = [each for each in found if each.severity is not Severity.INFO]
    assert (lost.rule, lost.severity) == ("IPT106", Severity.WARNING)
    assert lost.message.startswith("this rule exempts all connections from the node to default/np-local (node port 30019), ")
    without_node_ports = read_dump(with_rule(captured("1.30", "basic"), "raw", "OUTPUT", rule))
    assert [each for each in audit_dump(without_node_ports).findings if each.severity is not Severity.INFO] == []


def test_packets_that_arrive_by_lo_are_tracked_already() -> None:
    """The kernel turns tracking off only for packets that it does not track yet."""
    text = with_rule(NODE, "raw", "PREROUTING", "-i lo -j CT --notrack")
    assert [each for each in audit_dump(read_dump(text)).findings if each.severity is not Severity.INFO] == []


def test_in_nftables_mode_it_is_a_warning_too() -> None:
    legacy = "# Generated by iptables-save v1.8.9 on Sun\n*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -o lo -j NOTRACK\nCOMMIT\n"
    dump = read_dump(listing("1.33/nodeport/nft-ruleset").text + legacy)
    (lost,) = [each for each in audit_dump(dump).findings if each.severity is not Severity.INFO]
    assert (lost.rule, lost.severity) == ("IPT119", Severity.WARNING)
    assert "from the node to default/np-local (node port 30019)" in lost.message


@pytest.mark.parametrize(
    ("sizes", "severity"),
    [
        ("--mss 1:500", Severity.INFO),
        ("--mss 100", Severity.INFO),
        ("! --mss 536:65535", Severity.INFO),
        ("--mss 1:1400", Severity.WARNING),
        ("! --mss 1000:65535", Severity.WARNING),
        ("! --mss 1:500", Severity.WARNING),
    ],
)
def test_segments_smaller_than_anybody_uses_may_be_dropped(sizes: str, severity: Severity) -> None:
    dump = read_dump(with_rule(captured("1.30", "basic"), "filter", "FORWARD", f"-p tcp -m tcpmss {sizes} -j DROP"))
    (found,) = audit_dump(dump).findings
    assert (found.rule, found.severity) == ("IPT120", severity)
    assert f"depending on `-m tcpmss {sizes.removeprefix('! ')}`" in found.message


TAILSCALE = """table ip filter {
	chain ts-forward {
		oifname "tailscale0" ip saddr 100.64.0.0/10 counter packets 0 bytes 0 drop
		ip daddr 10.244.0.0/16 counter packets 0 bytes 0 drop
	}
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
		counter packets 0 bytes 0 jump ts-forward
	}
}
"""
OF_NFT = "# Generated by iptables-save v1.8.9 (nf_tables) on Wed Nov 25 17:27:55 2026\n"


@pytest.mark.parametrize(
    "saved",
    [
        "",
        "# Table `filter' is incompatible, use 'nft' tool.\n",
        f"{OF_NFT}*mangle\n:FORWARD ACCEPT [0:0]\nCOMMIT\n# Table `filter' is incompatible, use 'nft' tool.\n",
        f"{OF_NFT}*mangle\n:FORWARD ACCEPT [0:0]\nCOMMIT\n",
    ],
)
def test_a_table_with_iptables_names_that_only_nft_shows_counts(saved: str) -> None:
    dump = read_dump(listing("1.33/nodeport/nft-ruleset").text + TAILSCALE + saved)
    (found,) = [each for each in audit_dump(dump).findings if each.severity is not Severity.INFO]
    assert (found.rule, found.excerpt.strip()) == ("IPT119", "ip daddr 10.244.0.0/16 counter packets 0 bytes 0 drop")
    # What iptables-save cannot print is another program's.
    assert any("iptables-nft made table ip filter" in each for each in dump.warnings) is ("incompatible" not in saved)
    assert not any("its rules are unknown" in each for each in dump.warnings)


def test_a_table_that_both_show_counts_once() -> None:
    saved = f"{OF_NFT}*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
    dump = read_dump(listing("1.33/nodeport/nft-ruleset").text + TAILSCALE + saved)
    assert [each for each in audit_dump(dump).findings if each.severity is not Severity.INFO] == []


def test_a_table_that_only_nft_shows_counts_in_a_file_of_its_own() -> None:
    incompatible = f"{OF_NFT}*mangle\n:FORWARD ACCEPT [0:0]\nCOMMIT\n# Table `filter' is incompatible, use 'nft' tool.\n"
    shown = listing("1.33/nodeport/nft-ruleset").text + TAILSCALE
    dumps = read_dump(incompatible, source="saved.txt"), read_dump(shown, source="nft.txt")
    (found,) = [each for each in audit_node(dumps).findings if each.severity is not Severity.INFO]
    assert (found.rule, found.source) == ("IPT119", "nft.txt")
    assert found.line is not None
    assert shown.split("\n")[found.line - 1].strip() == "ip daddr 10.244.0.0/16 counter packets 0 bytes 0 drop"
