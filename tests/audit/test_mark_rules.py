"""4xx: what a user reads when marks are wrong, lost or missing, and packets are masqueraded otherwise than they should be."""

from __future__ import annotations

import pytest

from ipt_explain.audit.findings.severity import Severity
from tests.audit.edits import ahead_of, behind, captured, changed, finding, line_of, new_findings, without
from tests.audit.helpers import audit_text, findings_of, fired
from tests.kube_corpus import scenario

NODE = captured("1.30")
EDGE = captured("1.30", "loadbalancer")
OLD = captured("1.22", "loadbalancer")
OLDEST = captured("1.14", "loadbalancer")

SEP = "-A KUBE-SEP-QAI6IJGEKZYOMWSX "
HAIRPIN = (SEP, "-j KUBE-MARK-MASQ")


def test_a_hairpin_that_is_missing_wrong_or_late() -> None:
    found = finding("IPT401", without(NODE, *HAIRPIN), NODE)
    assert found.service == "default/kubernetes:https"
    assert "192.168.50.10" in found.message
    text = changed(NODE, "-s 192.168.50.10/32", "-s 192.168.50.99/32", *HAIRPIN)
    found = finding("IPT402", text, NODE)
    assert "192.168.50.99/32" in found.message
    assert found.columns is not None and "-s 192.168.50.99/32" in found.excerpt[found.columns[0] - 1 : found.columns[1]]
    hairpin = next(line for line in NODE.splitlines() if line.startswith(SEP) and "MASQ" in line)
    late = behind(without(NODE, *HAIRPIN), hairpin, SEP, "-j DNAT")
    assert finding("IPT403", late, NODE).line == line_of(late, *HAIRPIN)


def test_a_hairpin_mark_that_another_rule_takes_off_again() -> None:
    first = next(line for line in NODE.splitlines() if line.startswith("-A KUBE-SEP-") and "-s 10.244.1." in line)
    undoing = f"-A {first.split()[1]} -s 10.244.1.0/24 -j MARK --set-xmark 0x0/0x4000"
    text = behind(NODE, undoing, first)
    found = finding("IPT401", text, NODE)
    assert found.line == line_of(text, undoing)
    assert "cannot reach itself" in found.message


def test_a_late_hairpin_cuts_nobody_off_where_all_is_masqueraded() -> None:
    node = scenario("1.30", "cfg-masqall").ipv4
    hairpin = next(line for line in node.splitlines() if "-s 10.244.1.2/32" in line and "MASQ" in line)
    late = behind(without(node, hairpin), hairpin, hairpin.partition(" -s")[0], "-j DNAT")
    found = finding("IPT403", late, node)
    assert (found.severity, "cannot reach itself" in found.message) == (Severity.WARNING, False)
    assert not {each.rule for each in new_findings(late, node)} & {"IPT401", "IPT402"}


def test_a_hairpin_of_everybody_else_is_wrong_too() -> None:
    text = changed(NODE, "-s 192.168.50.10/32", "! -s 192.168.50.10/32", *HAIRPIN)
    assert "from anywhere but" in finding("IPT402", text, NODE).message


def test_fragments_show_a_wrong_hairpin_but_not_a_missing_one() -> None:
    rules = [line for line in NODE.splitlines() if "QAI6IJGEKZYOMWSX" in line or "NPX46M4PTMTKRN6Y" in line]
    fragment = "\n".join(line for line in rules if line.startswith("-A "))
    assert not fired(fragment) & {"IPT401", "IPT402", "IPT403"}
    assert not fired(without(fragment, *HAIRPIN)) & {"IPT401", "IPT402", "IPT403"}
    assert "IPT402" in fired(changed(fragment, "-s 192.168.50.10/32", "-s 192.168.50.99/32", *HAIRPIN))


MARK = "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (None, "is empty"),
        ("-A KUBE-MARK-MASQ -j RETURN", "before it marks any"),
        ("-A KUBE-MARK-MASQ -p tcp -j MARK --set-xmark 0x4000/0x4000", "only some packets"),
        ("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x0/0x4000", "without any mark"),
        ("-A KUBE-MARK-MASQ -j MARK --set-xmark 0xc000/0xc000", "sets 2 bits"),
        ("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x0", "marked twice"),
        ("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0xffffffff", "0xffffbfff"),
    ],
)
def test_a_broken_marking_chain(rule: str | None, words: str) -> None:
    text = without(NODE, MARK) if rule is None else changed(NODE, MARK, rule)
    found = finding("IPT404", text, NODE)
    assert found.chain == "KUBE-MARK-MASQ"
    assert words in found.message


def test_other_spellings_of_the_mark_are_as_good() -> None:
    for option in ("--or-mark 0x4000", "--set-xmark 0x00004000/0x00004000"):
        text = changed(NODE, "--set-xmark 0x4000/0x4000", option, "-A KUBE-MARK-MASQ ")
        assert not {each.rule for each in new_findings(text, NODE)} & {"IPT404", "IPT405"}


@pytest.mark.parametrize(
    ("old", "new", "parts", "place"),
    [
        ("0x4000/0x4000", "0x8000/0x8000", ("-A KUBE-MARK-MASQ ",), "KUBE-MARK-MASQ"),
        ("0x4000/0x4000", "0x8000/0x8000", ("-A KUBE-POSTROUTING ", "-j RETURN"), "KUBE-POSTROUTING"),
        ("0x4000/0x4000", "0x8000/0x8000", ("-A KUBE-FORWARD ", "--mark"), "KUBE-FORWARD"),
    ],
)
def test_of_three_marks_the_odd_one_is_told(old: str, new: str, parts: tuple[str, ...], place: str) -> None:
    text = changed(NODE, old, new, *parts)
    assert finding("IPT405", text, NODE).chain == place
    assert "IPT408" not in {each.rule for each in new_findings(text, NODE)}


def test_a_test_under_a_wide_mask_depends_on_others() -> None:
    text = changed(NODE, "0x4000/0x4000", "0x4000/0xffff", "-A KUBE-FORWARD ")
    found = finding("IPT405", text, NODE)
    assert found.severity is Severity.WARNING
    assert "0xbfff" in found.message


@pytest.mark.parametrize(("mark", "severity"), [("0x4000", Severity.WARNING), ("0x20000", Severity.ERROR)])
def test_a_second_test_for_another_bit_leaves_masquerading_alone(mark: str, severity: Severity) -> None:
    node = scenario("1.30", "cfg-masqbit").ipv4
    other = "-A KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE"
    text = ahead_of(node, other, *GUARD)
    if mark == "0x20000":
        text = changed(text, "0x20000/0x20000", "0x10000/0x10000", *GUARD)
    found = finding("IPT405", text, node)
    assert found.severity is severity
    assert ("marked packets are not masqueraded" in found.message) is (severity is Severity.ERROR)


def test_two_programs_that_set_two_bits() -> None:
    text = behind(NODE, "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x20000/0x20000", MARK)
    assert "0x4000 and 0x20000" in finding("IPT406", text, NODE).message
    assert "IPT404" not in {each.rule for each in new_findings(text, NODE)}
    again = behind(NODE, MARK, MARK)
    assert not {each.rule for each in new_findings(again, NODE)} & {"IPT404", "IPT406"}


@pytest.mark.parametrize(
    ("chain", "rule", "words"),
    [
        ("FORWARD", "-j MARK --set-xmark 0x1/0xffffffff", "on Service packets"),
        ("POSTROUTING", "-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff", "on Service packets"),
        ("PREROUTING", "-i eth1 -j MARK --set-xmark 0x4000/0x4000", "lose their source"),
    ],
)
def test_other_programs_that_touch_the_bit(chain: str, rule: str, words: str) -> None:
    text = NODE.replace(":KUBE-PROXY-CANARY - [0:0]\n", f":KUBE-PROXY-CANARY - [0:0]\n-A {chain} {rule}\n", 1)
    found = finding("IPT407", text, NODE)
    assert words in found.message
    assert found.severity is (Severity.WARNING if chain == "PREROUTING" else Severity.ERROR)


@pytest.mark.parametrize(
    ("chain", "rule"),
    [
        ("PREROUTING", "-j MARK --set-xmark 0x1/0xffffffff"),
        ("FORWARD", "-j MARK --set-xmark 0x10000/0xffff0000"),
        ("POSTROUTING", "-j CONNMARK --restore-mark --nfmask 0xff0000 --ctmask 0xff0000"),
    ],
)
def test_other_programs_that_do_not(chain: str, rule: str) -> None:
    text = NODE.replace(":KUBE-PROXY-CANARY - [0:0]\n", f":KUBE-PROXY-CANARY - [0:0]\n-A {chain} {rule}\n", 1)
    assert "IPT407" not in {each.rule for each in new_findings(text, NODE)}


GUARD = ("-A KUBE-POSTROUTING ", "-j RETURN")
TOGGLE = ("-A KUBE-POSTROUTING ", "-j MARK")
MASQUERADE = ("-A KUBE-POSTROUTING ", "-j MASQUERADE")


def test_postrouting_without_its_guard_masquerades_all() -> None:
    found = finding("IPT408", without(NODE, *GUARD), NODE)
    assert "every connection that leaves the node" in found.message
    text = changed(NODE, "! --mark", "--mark", *GUARD)
    assert "instead of masquerading them" in finding("IPT408", text, NODE).message


def test_postrouting_that_masquerades_nothing_or_not_all() -> None:
    assert "does not masquerade" in finding("IPT408", without(NODE, *MASQUERADE), NODE).message
    text = changed(NODE, "-A KUBE-POSTROUTING ", "-A KUBE-POSTROUTING -o eth0 ", "-j MASQUERADE")
    assert "only some packets" in finding("IPT408", text, NODE).message
    empty = without(without(without(NODE, *GUARD), *TOGGLE), *MASQUERADE)
    assert "is empty" in finding("IPT408", empty, NODE).message


def test_postrouting_that_leaves_the_mark_on() -> None:
    assert "masqueraded twice" in finding("IPT408", without(NODE, *TOGGLE), NODE).message
    twice = behind(NODE, "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0", *TOGGLE)
    assert "leaves mark 0x4000" in finding("IPT408", twice, NODE).message
    other = changed(NODE, "0x4000/0x0", "0x8000/0x0", *TOGGLE)
    assert "leaves mark 0x4000" in finding("IPT408", other, NODE).message
    assert "and it sets mark 0x8000" in finding("IPT408", other, NODE).message
    more = changed(NODE, "0x4000/0x0", "0xc000/0x0", *TOGGLE)
    assert finding("IPT408", more, NODE).message == (
        "KUBE-POSTROUTING sets mark 0x8000 on masqueraded packets; it should clear 0x4000"
    )


def test_the_one_rule_of_older_releases() -> None:
    assert "IPT408" not in fired(OLDEST)
    one = "-A KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully"
    text = changed(
        without(without(NODE, *GUARD), *TOGGLE),
        "-A KUBE-POSTROUTING ",
        "-A KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 ",
    )
    assert "before 1.19" in finding("IPT408", text, NODE).message
    both = behind(NODE, one, *MASQUERADE)
    assert finding("IPT408", both, NODE).severity is Severity.INFO


@pytest.mark.parametrize(
    "rule", ["-j MASQUERADE", "-s 10.244.0.0/16 -j MASQUERADE", "-j ACCEPT", "! -d 10.0.0.0/16 -j MASQUERADE"]
)
def test_nat_ahead_of_kube_postrouting(rule: str) -> None:
    text = ahead_of(NODE, f"-A POSTROUTING {rule}", "-A POSTROUTING ")
    found = finding("IPT409", text, NODE)
    assert found.line == line_of(text, f"-A POSTROUTING {rule}")
    assert found.severity is (Severity.ERROR if "ACCEPT" in rule else Severity.WARNING)


@pytest.mark.parametrize(
    "rule",
    [
        "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        "-s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE",
        "-m mark ! --mark 0x4000/0x4000 -j MASQUERADE",
    ],
)
def test_nat_ahead_of_kube_postrouting_that_leaves_services_alone(rule: str) -> None:
    text = ahead_of(NODE, f"-A POSTROUTING {rule}", "-A POSTROUTING ")
    assert "IPT409" not in {each.rule for each in new_findings(text, NODE)}


def test_flannel_leaves_marked_packets_alone() -> None:
    chain = (
        ":FLANNEL-POSTRTG - [0:0]\n-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -j RETURN\n"
        "-A FLANNEL-POSTRTG ! -s 10.99.0.0/16 -j MASQUERADE --random-fully\n"
    )
    text = ahead_of(NODE, "-A POSTROUTING -j FLANNEL-POSTRTG", "-A POSTROUTING ").replace("*nat\n", "*nat\n" + chain)
    assert "IPT409" not in {each.rule for each in new_findings(text, NODE)}


def test_masquerading_without_random_ports_is_a_note() -> None:
    text = changed(NODE, " --random-fully", "", *MASQUERADE)
    assert finding("IPT410", text, NODE).severity is Severity.INFO
    assert "IPT410" not in fired(OLDEST)


@pytest.mark.parametrize(
    ("version", "mark"),
    [("1.14", ("-A KUBE-SERVICES ! -s", "10.96.0.1/32")), ("1.30", ("-A KUBE-SVC-NPX46M4PTMTKRN6Y ! -s",))],
)
def test_a_service_without_the_mark_of_the_others(version: str, mark: tuple[str, ...]) -> None:
    node = captured(version)
    found = finding("IPT411", without(node, *mark), node)
    assert found.service == "default/kubernetes:https"
    assert found.line == line_of(without(node, *mark), "10.96.0.1/32")


def test_a_mark_for_another_address_than_the_service_has() -> None:
    text = changed(NODE, "-d 10.96.0.1/32", "-d 10.96.0.77/32", "-A KUBE-SVC-NPX46M4PTMTKRN6Y ")
    found = finding("IPT411", text, NODE)
    assert "10.96.0.77:443/tcp" in found.message
    moved = changed(NODE, "-d 10.96.0.1/32", "-d 10.96.0.77/32", "-A KUBE-SERVICES ")
    assert finding("IPT411", moved, NODE).service == "default/kubernetes:https"


def test_a_mark_behind_the_endpoints() -> None:
    mark = next(line for line in NODE.splitlines() if line.startswith("-A KUBE-SVC-NPX46M4PTMTKRN6Y !"))
    text = behind(without(NODE, mark), mark, "-A KUBE-SVC-NPX46M4PTMTKRN6Y ", "-j KUBE-SEP")
    assert "after rules that lead to endpoints" in finding("IPT411", text, NODE).message


def test_no_cluster_cidr_is_one_note() -> None:
    (found,) = findings_of("IPT411", scenario("1.30", "cfg-nocidr").ipv4)
    assert found.severity is Severity.INFO
    assert "--cluster-cidr" in found.message


def test_a_network_plugin_that_masquerades_is_no_lack_of_cluster_cidr() -> None:
    node = scenario("1.30", "cfg-nocidr").ipv4
    plugin = "-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE --random-fully"
    text = behind(node, plugin, "-A POSTROUTING ", "KUBE-POSTROUTING")
    assert findings_of("IPT411", text) == []
    # It leaves out pods of this node, whose replies pass it anyway: here, all that the Services have.
    local = behind(node, f"-A POSTROUTING -d 10.244.0.0/22 -j RETURN\n{plugin}", "-A POSTROUTING ", "KUBE-POSTROUTING")
    assert findings_of("IPT411", local) == []


def test_a_service_without_the_mark_that_a_network_plugin_masquerades() -> None:
    bare = without(NODE, "-A KUBE-SVC-7AZ64RN3BZ2QJCPH ! -s")
    assert findings_of("IPT411", bare)
    text = ahead_of(bare, "-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE", "-A POSTROUTING ")
    assert findings_of("IPT411", text) == []


def test_a_network_plugin_that_makes_up_for_another_pod_network() -> None:
    """Sources in 10.0.0.0/8 that are no pods are masqueraded all the same; where pods are, by nobody."""
    of_one = "-A KUBE-SVC-7AZ64RN3BZ2QJCPH ! -s"
    plugin = "-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE"
    wide = changed(NODE, "! -s 10.244.0.0/16", "! -s 10.0.0.0/8", of_one)
    assert findings_of("IPT412", wide)
    assert findings_of("IPT412", ahead_of(wide, plugin, "-A POSTROUTING ")) == []
    for match in ("-m set --match-set nodes src", "-m statistic --mode random --probability 0.50000000000"):
        assert findings_of("IPT412", ahead_of(wide, plugin.replace("-j", f"{match} -j"), "-A POSTROUTING "))
    narrow = changed(NODE, "! -s 10.244.0.0/16", "! -s 10.244.0.0/20", of_one)
    assert findings_of("IPT412", ahead_of(narrow, plugin, "-A POSTROUTING "))


def test_services_that_disagree_about_the_pod_network() -> None:
    text = changed(NODE, "! -s 10.244.0.0/16", "! -s 10.0.0.0/8", "-A KUBE-SVC-NPX46M4PTMTKRN6Y ")
    found = finding("IPT412", text, NODE)
    assert found.service == "default/kubernetes:https"
    assert "-s 10.0.0.0/8" in found.message and "-s 10.244.0.0/16" in found.message
    pods = changed(NODE, "-s 10.244.0.0/16", "-s 10.99.0.0/16", "-A KUBE-EXT-7AZ64RN3BZ2QJCPH ")
    assert finding("IPT412", pods, NODE).service == "default/etp-local-all"


def test_a_drop_mark_that_nobody_sets_or_drops() -> None:
    assert "sets no mark" in _drop(without(OLD, "-A KUBE-MARK-DROP ")).replace("is empty", "sets no mark")
    assert "nothing drops mark 0x8000" in _drop(without(OLD, "-A KUBE-FIREWALL ", "--mark"))
    assert "does not drop all" in _drop(changed(OLD, "0x8000/0x8000", "0x1000/0x1000", "-A KUBE-FIREWALL "))
    assert "does not drop all" in _drop(changed(OLD, "0x8000/0x8000", "0x8000/0xffffffff", "-A KUBE-FIREWALL "))


def _drop(text: str) -> str:
    found = finding("IPT413", text, OLD)
    assert found.severity is Severity.ERROR
    return found.message


def test_an_unset_drop_mark_without_kubelet_is_a_note() -> None:
    kept = [line for line in OLD.splitlines() if "KUBE-FIREWALL" not in line and "KUBELET" not in line]
    text = without("\n".join(kept), "-A KUBE-MARK-DROP ")
    (found,) = findings_of("IPT413", text)
    assert found.severity is Severity.INFO


def test_one_bit_for_both_marks() -> None:
    text = changed(OLD, "0x8000/0x8000", "0x4000/0x4000", "-A KUBE-MARK-DROP ")
    assert finding("IPT414", text, OLD).chain == "KUBE-MARK-DROP"
    text = changed(OLD, "0x8000/0x8000", "0x4000/0x4000", "-A KUBE-FIREWALL ")
    assert finding("IPT414", text, OLD).chain == "KUBE-FIREWALL"


@pytest.mark.parametrize(
    ("node", "mark", "words"),
    [
        (EDGE, ("masquerade traffic for default/lb1 external",), "from outside"),
        (EDGE, ("masquerade LOCAL traffic for default/lb-local external",), "the node's own"),
        (OLD, ("-A KUBE-FW-PGYV7M6DQKH6WX2V ", "-j KUBE-MARK-MASQ"), "from outside"),
        (OLD, ("-A KUBE-SVC-PGYV7M6DQKH6WX2V -p tcp", "-j KUBE-MARK-MASQ"), "node port"),
        (OLD, ("masquerade LOCAL traffic for default/lb-local LB IP",), "the node's own"),
        (OLD, ("-A KUBE-NODEPORTS -s 127.0.0.0/8", '"default/lb-local"'), "127.0.0.1"),
    ],
)
def test_connections_from_outside_that_are_not_masqueraded(node: str, mark: tuple[str, ...], words: str) -> None:
    found = finding("IPT415", without(node, *mark), node)
    assert words in found.message
    assert found.service in ("default/lb1", "default/lb-local")


def test_an_unmarked_connection_that_another_rule_masquerades_is_no_fault() -> None:
    unmarked = without(EDGE, "masquerade traffic for default/lb1 external")
    assert findings_of("IPT415", unmarked)
    assert not findings_of("IPT415", ahead_of(unmarked, "-A POSTROUTING -j MASQUERADE", "-j KUBE-POSTROUTING"))


def test_a_cluster_cidr_without_the_pods_is_told_once() -> None:
    node = captured("1.30", "basic")
    found = finding("IPT416", node.replace("! -s 10.244.0.0/16", "! -s 172.20.0.0/16"), node)
    assert (found.severity, len(found.services)) == (Severity.INFO, 3)
    assert found.message.startswith("172.20.0.0/16 is not the pod network")
    assert "! -s 172.20.0.0/16" in found.excerpt


@pytest.mark.parametrize("cidr", ["10.244.1.0/24", "172.20.1.0/24", "10.96.0.0/12"])
def test_a_network_of_one_node_or_of_services_is_not_told_so(cidr: str) -> None:
    text = captured("1.30", "basic").replace("! -s 10.244.0.0/16", f"! -s {cidr}")
    assert "IPT416" not in {each.rule for each in audit_text(text)}


NOT_SEEN = "an address of this node instead of the client's"


def test_a_mark_for_a_whole_network_in_an_endpoint_chain_hides_its_pods() -> None:
    first = next(line for line in NODE.splitlines() if line.startswith("-A KUBE-SEP-") and "-s 10.244." in line)
    chain = first.split()[1]
    text = ahead_of(NODE, f"-A {chain} -s 10.244.0.0/16 -j KUBE-MARK-MASQ", first)
    found = finding("IPT417", text, NODE)
    assert found.line == line_of(text, f"-A {chain} -s 10.244.0.0/16")
    assert f"{first.split(' -s ')[1].partition('/')[0]}:" in found.message
    assert "marks connections from pods to" in found.message
    assert NOT_SEEN in found.message
    assert {each.rule for each in new_findings(text, NODE)} == {"IPT417"}


PODS_OWN = "-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE"
KUBE_POSTROUTING = ("-A POSTROUTING", "-j KUBE-POSTROUTING")


@pytest.mark.parametrize("node", [NODE, EDGE, OLD, OLDEST])
@pytest.mark.parametrize(
    ("rule", "origins"),
    [
        (PODS_OWN, "from pods to"),
        ("-A POSTROUTING -s 10.244.0.0/16 -j SNAT --to-source 192.168.50.11", "from pods to"),
        ("-A POSTROUTING -d 10.244.0.0/16 -j MASQUERADE", "from pods"),
    ],
)
def test_masquerading_behind_kube_postrouting_hides_clients(node: str, rule: str, origins: str) -> None:
    text = behind(node, rule, *KUBE_POSTROUTING)
    found = finding("IPT417", text, node)
    assert (found.line, found.severity) == (line_of(text, rule), Severity.WARNING)
    assert f"masquerades connections {origins}" in found.message
    assert NOT_SEEN in found.message


@pytest.mark.parametrize(
    "rule",
    [
        "-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE",
        "-A POSTROUTING ! -s 10.244.0.0/16 -j MASQUERADE",
        "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
        "-A POSTROUTING -o eth0 -j MASQUERADE",
        "-A POSTROUTING -s 10.244.0.0/16 -d 10.244.0.0/16 -j RETURN\n" + PODS_OWN,
    ],
)
def test_a_network_plugins_masquerading_hides_no_pods(rule: str) -> None:
    node = captured("1.30", "basic")
    assert "IPT417" not in fired(behind(node, rule, *KUBE_POSTROUTING))


def test_clients_from_outside_are_hidden_where_policy_local_keeps_them() -> None:
    text = behind(EDGE, "-A POSTROUTING ! -s 10.244.0.0/16 -j MASQUERADE", *KUBE_POSTROUTING)
    found = finding("IPT417", text, EDGE)
    assert "masquerades connections from outside to default/lb-local" in found.message
    old = captured("1.22", "policy")
    negated = changed(old, "-s 127.0.0.0/8", "! -s 127.0.0.0/8", "-A KUBE-NODEPORTS", "itp-etp-local\"", "MARK-MASQ")
    found = finding("IPT417", negated, old)
    assert "marks connections from outside to default/itp-etp-local for masquerading" in found.message


def test_masquerading_ahead_of_kube_postrouting_is_told_once() -> None:
    text = ahead_of(NODE, PODS_OWN, *KUBE_POSTROUTING)
    found = finding("IPT409", text, NODE)
    assert "masquerades connections from pods to" in found.message
    assert "mark 0x4000 stays on" in found.message
    assert "IPT417" not in {each.rule for each in new_findings(text, NODE)}


def test_masquerading_all_on_purpose_hides_nobody() -> None:
    assert "IPT417" not in fired(scenario("1.30", "cfg-masqall").ipv4)
    assert "IPT417" not in fired(scenario("1.14", "externalips").ipv4)
