"""What is wrong comes first: the node's health, its causes, its troubles; and which Services follow."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.cli.main import run as run_here
from ipt_explain.inputs import InputText
from ipt_explain.inputs.live import LiveRules
from ipt_explain.parsing import read_dump
from ipt_explain.records import replace
from ipt_explain.render.explain.service_words import question_words
from ipt_explain.services.fates import NAT_NOT_SHOWN, Loss, Vantage
from ipt_explain.services.health import Standing, health
from ipt_explain.services.ports import ServiceState
from tests.archives import read_archive
from tests.cli.program import SAMPLES, run
from tests.cli.test_terminal import _on_a_terminal
from tests.ipvs_corpus import ipvs_nodes
from tests.listing_corpus import node
from tests.nft_corpus import listing

BASIC = SAMPLES / "kube-proxy-1.30-basic.txt"
DAMAGED = SAMPLES / "damaged-node.txt"
POLICY = SAMPLES / "kube-proxy-1.30-policy.txt"
DUAL = SAMPLES / "kube-proxy-1.30-dual-stack.txt"
HOOK = '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES\n'


def printed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert run_here(["explain", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def unhooked() -> str:
    text = BASIC.read_text(encoding="utf-8")
    assert HOOK in text
    return text.replace(HOOK, "")


def test_a_healthy_node_shows_no_problems(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, BASIC)
    assert "SERVICES" not in text
    assert "Next:" not in text


def test_what_to_do_next_is_said_wherever_the_trouble_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "node.txt").write_text(unhooked(), encoding="utf-8")
    for files in ([tmp_path / "node.txt", BASIC], [BASIC, tmp_path / "node.txt"]):
        assert printed(capsys, *files).count("\nNext: ipt-explain audit ") == 1


def test_connections_answered_by_another_program_are_no_trouble() -> None:
    text = read_archive("neighbours")["nodelocaldns-ahead.txt"].decode()
    found = health(explain(read_dump(text)).services)
    assert found.well
    assert found.counts[Standing.FINE] == 4
    told = " ".join(run("explain", stdin=text).out.split())
    assert "kube-system/kube-dns:dns · udp · answered by node-local-dns" in told
    assert re.search(r"answered connections from pods and outside, by line \d+ │ node-local-dns \(raw PREROUTING\)", told)


def test_a_drop_does_not_break_a_service_without_endpoints() -> None:
    vip = "-d 10.96.0.9/32 -p tcp -m tcp --dport 80"
    refusal = f'-A KUBE-SERVICES {vip} -m comment --comment "default/none has no endpoints" -j REJECT\n'
    basic = BASIC.read_text(encoding="utf-8")
    end = basic.index("COMMIT", basic.index("*filter"))
    raw = f"*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING {vip} -j DROP\nCOMMIT\n"
    text = f"{raw}{basic[:end]}{refusal}{basic[end:]}"
    found = health(explain(read_dump(text)).services)
    assert found.counts[Standing.REFUSING] == 1 and found.counts[Standing.BROKEN] == 0


def test_what_affects_all_services_is_printed_once() -> None:
    text = read_archive("neighbours")["docker28-behind.txt"].decode()
    found = health(explain(read_dump(text)).services)
    assert found.doubt is not None and not found.troubles and not found.causes
    assert len(found.doubt.services) == found.counts[Standing.UNKNOWN] == 4
    told = " ".join(run("explain", stdin=text).out.split())
    assert (
        "NODE ? filter DOCKER, line 41, and filter FORWARD, line 12: Docker may drop connections to 4 service ports, "
        "depending on what this input does not show: `-o docker0`, `-i docker0`; nothing else stops them" in told
    )
    policy = " ".join(run("explain", stdin=read_archive("neighbours")["docker-behind.txt"].decode()).out.split())
    assert "NODE ? filter FORWARD, line 12: the policy may drop connections to 4 service ports, depending on" in policy


def test_what_affects_few_services_is_printed_for_each() -> None:
    text = POLICY.read_text(encoding="utf-8")
    first = "-A FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\""
    assert first in text
    found = health(explain(read_dump(text.replace(first, f"-A FORWARD -d 10.244.2.2/32 -i eth7 -j DROP\n{first}"))).services)
    assert found.doubt is None
    unknown = [each.service.label for each in found.troubles if each.standing is Standing.UNKNOWN]
    assert unknown == [f"kube-system/kube-dns:{port}" for port in ("dns", "dns-tcp", "metrics")]


def test_a_state_without_a_loss_is_also_a_trouble() -> None:
    services = explain(read_dump(BASIC.read_text(encoding="utf-8"))).services
    (trouble,) = health([replace(services[0], state=ServiceState.UNMATCHED), *services[1:]]).troubles
    assert (trouble.standing, trouble.lost) == (Standing.BROKEN, None)


def test_virtual_servers_have_no_names_and_may_refuse_all() -> None:
    (node,) = [each for each in ipvs_nodes() if each.id.endswith("/loadbalancer")]
    told = " ".join(run("explain", stdin=node.text()).out.split())
    assert "Its Services are IPVS virtual servers, listed below." in told
    assert "49 service ports (IPVS stores no names; --objects adds them), 97 endpoints" in told
    assert "SERVICES 7 refusing · 42 fine" in told
    assert "! tcp 203.0.113.7:80 refuses all connections" in told


def test_a_shared_cause_is_printed_once() -> None:
    found = health(explain(read_dump(unhooked())).services)
    (cause,) = found.causes
    assert (cause.how, cause.decider.chain, len(cause.services)) == (Loss.UNTRANSLATED, "PREROUTING", 4)
    assert Vantage.NODE not in cause.vantages
    assert found.troubles == ()
    assert found.counts[Standing.BROKEN] == 4
    text = " ".join(run("explain", stdin=unhooked()).out.split())
    assert re.search(r"NODE ✗ nat PREROUTING[^:]*: connections to 4 service ports from pods and outside are not translated", text)
    assert "SERVICES 4 broken" in text


def test_a_trouble_of_one_service_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    found = health(explain(read_dump(DAMAGED.read_text(encoding="utf-8"))).services)
    assert found.causes == ()
    trouble, hairpin = found.troubles
    assert (trouble.service.label, trouble.standing) == ("kube-system/kube-dns:dns", Standing.BROKEN)
    assert (hairpin.service.label, hairpin.standing) == ("kube-system/kube-dns:dns-tcp", Standing.HAIRPIN)
    assert trouble.lost is not None and trouble.lost.probability == pytest.approx(0.25)
    text = printed(capsys, DAMAGED, "--width", "120")
    assert text.index("✗ kube-system/kube-dns:dns      25 % of connections are not translated") < text.index("ClusterIP")
    assert "no hairpin: 10.244.1.3 cannot" in text
    assert "NOT TRANSLATED: sent to the Service's own address" in text


def forwarding(rule: str) -> str:
    return BASIC.read_text(encoding="utf-8").replace("-A FORWARD ", f"-A FORWARD {rule}\n-A FORWARD ", 1)


def test_what_half_of_the_services_have_in_common_is_the_nodes() -> None:
    found = health(explain(read_dump(forwarding("-p tcp -m multiport --dports 53,9153 -j DROP"))).services)
    (cause,) = found.causes
    assert [service.port_name for service in cause.services] == ["dns-tcp", "metrics"]
    assert (found.troubles, found.counts[Standing.BROKEN], found.counts[Standing.FINE]) == ((), 2, 2)
    found = health(explain(read_dump(forwarding("-p udp -m udp --dport 53 -j DROP"))).services)
    assert (found.causes, [each.service.port_name for each in found.troubles]) == ((), ["dns"])


@pytest.mark.parametrize("target", ["DROP", "REJECT"])
def test_a_rule_that_stops_what_the_service_refuses_anyway_is_no_trouble(target: str) -> None:
    """Node port 30015 has policy Local and no local endpoints; filter INPUT comes before kube-proxy's own refusal."""
    text = POLICY.read_text(encoding="utf-8")
    assert "-m tcp --dport 30015" in text
    stopped = text.replace("-A INPUT ", f"-A INPUT -p tcp -m tcp --dport 30015 -j {target}\n-A INPUT ", 1)
    before, after = (health(explain(read_dump(each)).services) for each in (text, stopped))
    assert [(each.service.label, each.standing) for each in after.troubles] == [
        (each.service.label, each.standing) for each in before.troubles
    ]


def test_services_without_endpoints_do_not_count_where_most_are_sought() -> None:
    refusals = "".join(
        f'-A KUBE-SERVICES -d 10.96.1.{number}/32 -p tcp -m comment --comment "default/none-{number} has no endpoints" '
        "-m tcp --dport 80 -j REJECT\n"
        for number in range(9)
    )
    text = unhooked()
    place = text.index("COMMIT", text.index("*filter"))
    found = health(explain(read_dump(f"{text[:place]}{refusals}{text[place:]}")).services)
    assert [len(cause.services) for cause in found.causes] == [4]
    assert {each.standing for each in found.troubles} == {Standing.REFUSING}


def test_a_question_about_most_services_is_put_once() -> None:
    text = forwarding("-m set --match-set blocked src -j DROP")
    found = health(explain(read_dump(text)).services)
    assert found.doubt is not None and not found.well
    assert (found.doubt.questions, len(found.doubt.services)) == (("-m set --match-set blocked src",), 4)
    assert {lost.how for lost in found.doubt.perhaps} == {Loss.DROPPED}
    assert (found.causes, found.troubles, found.counts[Standing.UNKNOWN]) == ((), (), 4)
    told = " ".join(run("explain", stdin=text).out.split())
    assert (
        "NODE ? filter FORWARD, line 27: this rule may drop connections to 4 service ports, depending on what this input "
        "does not show: `-m set --match-set blocked src`; nothing else stops them SERVICES 4 unknown" in told
    )


def test_that_nothing_else_stops_connections_is_said_only_if_known() -> None:
    doubtful, outside = "-m set --match-set blocked src -j DROP", "! -s 10.244.0.0/16 -j DROP"
    told = " ".join(run("explain", stdin=forwarding(f"{doubtful}\n-A FORWARD {outside}")).out.split())
    assert "`-m set --match-set blocked src`" in told and "nothing else stops them" not in told


def test_a_question_about_few_services_is_their_own() -> None:
    found = health(explain(read_dump(forwarding("-p udp -m set --match-set blocked src -j DROP"))).services)
    assert found.doubt is None
    assert [(each.service.port_name, each.standing) for each in found.troubles] == [("dns", Standing.UNKNOWN)]


def test_causes_of_a_node_are_listed_below_each_other(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    dead = tmp_path / "dead.txt"
    dead.write_text("".join(line for line in POLICY.open() if "-j KUBE-SERVICES" not in line))
    lines = printed(capsys, dead, "--width", "80").splitlines()
    causes = [line for line in lines if "✗ nat" in line]
    assert [line.index("✗") for line in causes] == [10, 10]
    assert causes[0].startswith("NODE ")


def test_only_problems(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--problems", POLICY, "--width", "120")
    assert "4 refusing · 9 fine" in text
    assert len(re.findall(r"^[\w-]+/[\w-]+(?::\w+)? · ", text, re.MULTILINE)) == 4
    services = [json.loads(line)["name"] for line in printed(capsys, "--problems", "-o", "ndjson", POLICY).splitlines()]
    assert len(services) == 4


def test_sorting_and_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    def names(*arguments: str) -> list[str]:
        lines = printed(capsys, "-o", "ndjson", POLICY, *arguments).splitlines()
        return ["{namespace}/{name}:{port_name}".format(**json.loads(line)) for line in lines]

    assert names("--sort", "name") == sorted(names(), key=lambda name: name.removesuffix(":"))
    assert names("--sort", "problem", "--limit", "4") == names("--problems")
    counts = [len(json.loads(line)["endpoints"]) for line in printed(capsys, "-o", "ndjson", POLICY, "--sort", "endpoints").splitlines()]
    assert counts == sorted(counts, reverse=True)
    assert "  3 of" not in printed(capsys, POLICY, "--limit", "3")


def test_on_a_terminal_a_large_node_is_summed_up(tmp_path: Path) -> None:
    shown, paged = _on_a_terminal(tmp_path, DUAL, "--color", "never")
    assert "SERVICES" in shown + paged and "├─ endpoints" not in shown + paged
    assert "ipt-explain --all" in shown + paged
    _, everything = _on_a_terminal(tmp_path, "--all", DUAL, "--color", "never")
    assert "├─ endpoints" in everything


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("dump", [DAMAGED, POLICY, DUAL], ids=lambda path: path.stem)
def test_the_table_fits(dump: Path, width: int, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "-o", "table", dump, "--width", str(width)).splitlines()
    assert max(map(len, lines)) <= width


def test_the_table_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "-o", "table", DAMAGED, "--width", "120")
    rows = [re.split(r"  +", line.rstrip()) for line in text.splitlines() if line.startswith("✗")]
    assert rows == [
        ["✗ kube-system/kube-dns:dns", "C", "10.96.0.10:53/udp", "2", "leaks 25 %", "not translated"],
        ["✗ kube-system/kube-dns:dns-tcp", "C", "10.96.0.10:53/tcp", "2", "even", "no hairpin"],
    ]


def next_commands(text: str) -> list[list[str]]:
    """The commands below `Next:`, as a shell reads them."""
    below = text[text.index("Next: ") + len("Next: ") :].replace("\\\n", "")
    return [shlex.split(line) for line in below.splitlines()]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("name", ["node.txt", "a name with 'quotes' and blanks " * 3, "long" * 60])
def test_the_next_commands_can_be_pasted(
    name: str, width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(DAMAGED.read_bytes())
    monkeypatch.chdir(tmp_path)
    text = printed(capsys, name, "--problems", "--width", str(width))
    assert max(map(len, text.splitlines())) <= width
    assert next_commands(text) == [["ipt-explain", *words, name] for words in (["audit"], ["-o", "table"], ["--all"])]


def test_the_next_commands_read_what_this_one_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files, also those without rules; with the options that reading them needs."""
    monkeypatch.chdir(tmp_path)
    (node,) = [each for each in ipvs_nodes() if each.id.endswith("/policy")]
    files = ["iptables-save", "ipvsadm-save", "ipset-save", "ip-addr-kube-ipvs0"]
    for name in files:
        Path(name).write_text(node.files[name], encoding="utf-8")
    Path("objects.json").write_text(node.objects, encoding="utf-8")
    Path("iptables-save").write_text(f"{node.files['iptables-save']}*nat\nnonsense\nCOMMIT\n", encoding="utf-8")
    text = printed(capsys, "--problems", "--lenient", "--objects", "objects.json", "--width", "200", *files)
    commands = next_commands(text)
    assert commands[0] == ["ipt-explain", "audit", "-v", "--lenient", "--objects", "objects.json", *files]
    assert ["ipt-explain", "--all", "--lenient", "--objects", "objects.json", *files] in commands
    for words in commands:
        assert run_here(words[1:]) in (0, 1)
    capsys.readouterr()
    chosen = printed(capsys, "-s", "itp-local-0", "--lenient", "--objects", "objects.json", "--width", "200", *files)
    options = ["-s", "itp-local-0", "--lenient", "--objects", "objects.json"]
    assert next_commands(chosen) == [["ipt-explain", "audit", "-v", *options, *files]]


def test_a_selected_service_in_trouble_is_audited_next(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["-s", "kube-dns:dns", "-n", "kube-*", "--address", "10.96.0.10"]
    assert next_commands(printed(capsys, *asked, DAMAGED)) == [["ipt-explain", "audit", *asked, str(DAMAGED)]]
    assert "Next: " not in printed(capsys, "-s", "kubernetes", DAMAGED)


def test_notes_are_shown_next_where_only_they_say_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert next_commands(printed(capsys, POLICY)) == [["ipt-explain", "audit", "-v", str(POLICY)]]


def test_the_next_commands_ask_the_node_again_unless_its_rules_were_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = LiveRules((InputText("iptables-save", DAMAGED.read_text(encoding="utf-8")),), ())
    monkeypatch.setattr("ipt_explain.inputs.live.read_live", lambda: rules)
    monkeypatch.chdir(tmp_path)
    assert next_commands(printed(capsys, "--live")) == [["ipt-explain", "audit", "--live"]]
    assert next_commands(printed(capsys, "--live", "--save", "node.txt")) == [["ipt-explain", "audit", "node.txt"]]


def test_where_nothing_is_masqueraded_the_node_is_at_fault() -> None:
    hook = '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING\n'
    text = BASIC.read_text(encoding="utf-8")
    assert hook in text
    found = health(explain(read_dump(text.replace(hook, ""))).services)
    assert len(found.unmasqueraded) == 4 and found.troubles == () and found.counts[Standing.HAIRPIN] == 4


def test_masquerading_that_does_not_work_is_not_claimed() -> None:
    text = (SAMPLES / "kube-proxy-1.22-loadbalancer.txt").read_text(encoding="utf-8")
    works = "masqueraded hairpin; ClusterIP from outside 10.244.0.0/16; LoadBalancer and NodePort always (policy Cluster)"
    assert works in " ".join(run(stdin=text).out.split())
    told = " ".join(run(stdin="".join(line for line in text.splitlines(True) if "-j MASQUERADE" not in line)).out.split())
    assert "masqueraded NOT hairpin; NOT ClusterIP from outside 10.244.0.0/16; NOT LoadBalancer or NodePort (policy Cluster)" in told
    assert "always" not in told


def test_the_line_of_a_trouble_is_the_one_to_look_at(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """That of the ClusterIP that is refused, not of a node port that works; that of the rule in doubt."""
    assert re.search(r"! default/itp-local-none-np +no local endpoints +line 46\n", printed(capsys, POLICY))
    asking = "-A KUBE-SVC-ERIFXISQEP7F7OF4 -m set --match-set blocked src -j RETURN\n"
    text = BASIC.read_text(encoding="utf-8")
    before = text.index("-A KUBE-SVC-ERIFXISQEP7F7OF4")
    dump = tmp_path / "node.txt"
    dump.write_text(text[:before] + asking + text[before:], encoding="utf-8")
    line = text[:before].count("\n") + 1
    told = printed(capsys, dump)
    assert re.search(rf"\? kube-system/kube-dns:dns-tcp +depends on .*line {line}\n", told)
    assert re.search(rf"├─ depends on .*line {line}\n", told)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (NAT_NOT_SHOWN, NAT_NOT_SHOWN),
        ("192.0.2.1 is an address of this node", "whether 192.0.2.1 is an address of this node"),
        ("rules listed without -v name no interface", "whether rules listed without -v name no interface"),
        ("-i cali+", "`-i cali+`"),
        ("line 7 matches", "whether line 7 matches"),
        (
            "-d 10.0.0.1/32 and rules listed without -v name no interface",
            "`-d 10.0.0.1/32` and whether rules listed without -v name no interface",
        ),
        ('-m comment --comment "it is"', '`-m comment --comment "it is"`'),
        ("ip saddr 10.0.0.0/8", "`ip saddr 10.0.0.0/8`"),
    ],
)
def test_parts_of_rules_are_quoted_and_sentences_are_not(question: str, words: str) -> None:
    assert question_words(question) == words


def test_what_the_node_does_not_explain_is_a_trouble_of_its_own() -> None:
    """A Service with a leak of its own, on a node that loses most connections before they get there."""
    text = DAMAGED.read_text(encoding="utf-8")
    assert HOOK in text
    found = health(explain(read_dump(text.replace(HOOK, ""))).services)
    (cause,) = found.causes
    (trouble,) = found.troubles
    assert (cause.decider.chain, len(cause.services), found.counts[Standing.BROKEN]) == ("PREROUTING", 4, 4)
    assert trouble.lost is not None
    assert (trouble.service.label, trouble.lost.decider.chain) == ("kube-system/kube-dns:dns", "KUBE-SVC-TCOU7JCQXEZGVUNU")
    assert (trouble.lost.probability, trouble.vantages) == (0.25, (Vantage.NODE,))


def test_what_all_services_depend_on_is_printed_once() -> None:
    text = read_archive("neighbours")["calico-behind.txt"].decode()
    whole, chosen = run(stdin=text).out, run("-s", "kubernetes", stdin=text).out
    assert "NODE      ? raw cali-PREROUTING, line " in whole and whole.count("`-i cali+`") == 1
    assert whole.count("├─ depends on    what this input does not show: see NODE ") == 4
    assert "├─ depends on    `-i cali+`, " in chosen  # there is no NODE above a selection


def test_the_table_names_kinds_in_one_order(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = set(re.findall(r" ([CLN](?:\+[CLN])+) ", printed(capsys, "-o", "table", POLICY)))
    assert kinds == {"C+N", "C+L+N"}


def test_a_loss_is_in_the_tree_with_its_rule() -> None:
    tree = run("explain", "--width", "200", stdin=unhooked()).out
    rows = [line for line in tree.splitlines() if line.startswith("├─ lost ")]
    assert len(rows) == 4
    assert all("from pods and outside are not translated: see NODE" in row for row in rows)
    (alone,) = [line for line in run("explain", "--width", "200", "-s", "kube-dns:dns", stdin=unhooked()).out.splitlines() if line.startswith("├─ lost ")]
    assert "from pods and outside are not translated in nat PREROUTING " in alone
    assert "no connection gets there" in tree


def test_a_loss_names_its_frontends_if_others_are_not_affected() -> None:
    text = POLICY.read_text(encoding="utf-8").replace("--dst-type LOCAL -j KUBE-NODEPORTS", "--dst-type BLACKHOLE -j RETURN")
    told = " ".join(run("explain", stdin=text).out.split())
    assert "✗ default/etp-local-aff NodePort not translated" in told


def test_a_firewall_that_stops_cluster_ips_from_outside_is_no_trouble() -> None:
    known = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    rules = known + "-A FORWARD -s 10.244.0.0/16 -j ACCEPT\n-A FORWARD -j DROP\n-A INPUT"
    text = BASIC.read_text(encoding="utf-8").replace("-A INPUT", rules, 1)
    told = run("explain", "--width", "120", stdin=text).out
    assert "broken" not in told
    assert "connections from outside are dropped by filter FORWARD" in told


def test_chains_of_one_service_are_named_together_in_nftables() -> None:
    told = run("-s", "etp-local-aff", "--width", "140", stdin=listing("1.36/policy/nft-ruleset").text).out
    assert "\ndefault/etp-local-aff · tcp · {service,local,external}-L3BVL735-default/etp-local-aff/tcp/\n" in told


def test_what_no_answer_to_a_question_would_settle_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A listing's last chain may have more rules."""
    listed = tmp_path / "listed.txt"
    listed.write_text(node("1.30-basic-legacy")["iptables-L-nv.txt"].rstrip("\n") + "\n")
    reason = "depends on the rules of chain KUBE-SERVICES that this input does not show"
    told = " ".join(printed(capsys, listed).split())
    assert f"? what happens to connections to 4 service ports {reason}" in told
    assert "depends on what this input does not show: see NODE" in told
    told = " ".join(printed(capsys, "--service", "kubernetes", listed).replace("│", " ").split())
    assert reason in told


def test_trace_names_the_program_that_may_answer() -> None:
    text = read_archive("neighbours")["nodelocaldns-ahead.txt"].decode()
    packet = ("trace", "--from", "10.244.1.77", "--to", "kube-dns:dns")
    told = " ".join(run(*packet, stdin=text).out.split())
    assert "NOT TRANSLATED: node-local-dns answers it if 10.96.0.10 is an address of this node" in told
    assert "but in raw PREROUTING (line 103) node-local-dns answers it" in told
    assert "delivered to the node itself" in run(*packet, "--local-address", "10.96.0.10", stdin=text).out


def test_what_leads_to_a_service_may_be_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As where somebody pastes a Service's own chains."""
    lines = BASIC.read_text().splitlines()
    chain = next(line for line in lines if " -j KUBE-SEP-" in line).split()[1]
    dump = tmp_path / "chain.txt"
    dump.write_text("".join(f"{line}\n" for line in lines if line.startswith(f"-A {chain} ")))
    assert "depends on rules of nat that this input does not show" in " ".join(printed(capsys, dump).split())


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("ip-addr-kube-ipvs0", "No Service here: this input shows only addresses."),
        ("ipset-list", "unknown: its server is not here"),
    ],
)
def test_a_part_of_ipvs_that_audit_cannot_judge_does_not_lead_there(part: str, words: str, tmp_path: Path) -> None:
    (node,) = [each for each in ipvs_nodes() if each.id.endswith("/basic")]
    dump = tmp_path / "node.txt"
    dump.write_text(node.files[part])
    out = run(dump).out
    assert words in " ".join(out.split())
    assert "ipt-explain audit" not in out


def test_the_place_that_connections_are_sent_to_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    thief = "-A PREROUTING -d 10.96.0.10/32 -p tcp -m tcp --dport 9153 -j DNAT --to-destination 192.0.2.9:80\n"
    (tmp_path / "node.txt").write_text(BASIC.read_text().replace(HOOK, thief + HOOK))
    told = " ".join(re.sub(r"[│├└─]+|line \d+", " ", printed(capsys, "--width", "200", tmp_path / "node.txt")).split())
    assert "are sent to 192.0.2.9:80 by nat PREROUTING" in told
    assert "sent to 192.0.2.9:80: in" not in told
