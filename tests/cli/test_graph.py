from __future__ import annotations

import html
import inspect
import io
import json
import re
import shutil
import subprocess

import networkx as nx
import pytest

from tests.cli.program import SAMPLES
from tests.cli.program import run_here as run
from tests.golden_support import Golden

BASIC = SAMPLES / "kube-proxy-1.30-basic.txt"
POLICY = SAMPLES / "kube-proxy-1.30-policy.txt"
DUAL = SAMPLES / "kube-proxy-1.30-dual-stack.txt"
FRAGMENT = SAMPLES / "fragment-3-affinity.txt"

NAMES = ('a"b', "<b>bold</b>", "[red]", "back\\", "a&lt;b", "%%{init:x}%%", "`code`", "end", "#quot;", "\x1b[31m", "\udcff", "é|{}")
HOSTILE = "".join(
    [
        "*nat\n:PREROUTING ACCEPT [0:0]\n",
        *(f":{name} - [0:0]\n" for name in NAMES),
        *(f'-A PREROUTING -m comment --comment "x\n{number}" -i e"{number}\\ -j {name}\n' for number, name in enumerate(NAMES)),
        *(f"-A {name} -j LOG --log-prefix \"\\\"<&>\\\\ [\"\n" for name in NAMES),
        *(f"-A {name} -g GONE{number}\n" for number, name in enumerate(NAMES)),
        "COMMIT\n",
    ]
)


def graphviz(text: str) -> list[str]:
    """The texts in the picture that Graphviz makes of it, without a word on standard error."""
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=False, encoding="utf-8", timeout=120)
    assert done.returncode == 0 and done.stderr == ""
    return [html.unescape(shown) for shown in re.findall(r"<text[^>]*>([^<]*)</text>", done.stdout)]


@pytest.mark.parametrize("output", ["dot", "mermaid"])
def test_the_seeds_fragment(output: str, golden: Golden) -> None:
    drawn = run("graph", FRAGMENT, "-o", output)
    assert drawn.status == 0 and drawn.err == ""
    golden(f"graph/fragment.{output}", drawn.out)


def test_graphviz_draws_a_node_and_its_services() -> None:
    whole = graphviz(run("graph", BASIC).out)
    assert "KUBE-SERVICES" in whole and any(text.startswith("DNAT 10.244.") for text in whole)
    part = graphviz(run("graph", BASIC, "--service", "kube-system/kube-dns:dns").out)
    assert "udp 10.96.0.10:53" in part and "KUBE-SVC-TCOU7JCQXEZGVUNU" in part
    assert "KUBE-SVC-NPX46M4PTMTKRN6Y" not in part


def test_a_picture_names_services_and_shows_what_is_wrong() -> None:
    shown = graphviz(run("graph", SAMPLES / "damaged-node.txt", "--service", "kube-dns").out)
    for text in (
        "kube-system/kube-dns:dns", "10.96.0.10:53/udp", "IPT202 traffic-leaks", "IPT401 hairpin-missing",
        "no endpoint: leaves untranslated", "25 %", "a fault", "red arrow: a faulty rule",
    ):  # fmt: skip
        assert text in shown
    document = json.loads(run("graph", SAMPLES / "damaged-node.txt", "-o", "json").out)
    (leaking,) = (node for node in document["nodes"] if node["unmatched"])
    assert (leaking["service"], leaking["unmatched"], leaking["faults"]) == ("kube-system/kube-dns:dns", 0.25, "IPT202 traffic-leaks")
    assert sum(edge["faulty"] for edge in document["edges"]) == 1


def test_a_node_port_service_shows_both_ways_in() -> None:
    shown = graphviz(run("graph", POLICY, "--service", "etp-local-aff").out)
    assert {"default/etp-local-aff, from outside", "node port 30038/tcp", "default/etp-local-aff, endpoints on this node"} <= set(shown)
    assert "a fault" not in shown


def test_graphviz_shows_hostile_names_as_they_are_written() -> None:
    drawn = graphviz(run("graph", stdin=HOSTILE).out)
    assert {'a"b', "<b>bold</b>", "[red]", "back\\", "a&lt;b", "%%{init:x}%%", "\\x1b[31m", "\\xff"} <= set(drawn)


def test_mermaid_has_nothing_that_ends_a_text_early() -> None:
    drawn = run("graph", "-o", "mermaid", stdin=HOSTILE)
    assert drawn.status == 0
    node = re.compile(r'    [cl]\d+\["[^"`<>&\\{};|]*(?:#\d+;[^"`<>&\\{};|]*|<br/>[^"`<>&\\{};|]*)*"\](:::\w+)?')
    arrow = re.compile(r'  c\d+ (-->|-\.->)(\|"(?:[^"`<>&\\{};|]|#\d+;|<br/>)*"\|)? c\d+')
    fixed = re.compile(r'flowchart LR|  subgraph (t0\["nat"\]|legend\["Legend"\])|  end|  classDef .*|  linkStyle [\d,]+ \S+')
    for line in drawn.out.splitlines():
        assert node.fullmatch(line) or arrow.fullmatch(line) or fixed.fullmatch(line), line
    assert "%%" not in drawn.out


def test_json_is_a_node_link_graph() -> None:
    document = json.loads(run("graph", FRAGMENT, "-o", "json").out)
    assert document["schema"] == "ipt-explain/graph/1"
    graph = nx.node_link_graph(document, **_edges_in("edges"))
    assert graph.number_of_edges("nat/KUBE-SVC-SNP24T7IBBNZDJ76", "nat/KUBE-SEP-BI762VOIAZZWU5S7") == 2
    assert graph.nodes["nat/KUBE-MARK-MASQ"]["kind"] == "unknown"
    shares = [edge["share"] for edge in document["edges"] if edge["share"] is not None]
    assert len(shares) == 3 and sum(shares) == pytest.approx(1)


def test_graphml_reads_back_as_the_same_graph() -> None:
    written = nx.read_graphml(io.BytesIO(run("graph", BASIC, "-o", "graphml").out.encode()))
    document = json.loads(run("graph", BASIC, "-o", "json").out)
    assert set(written.nodes) == {node["id"] for node in document["nodes"]}
    assert written.number_of_edges() == len(document["edges"])
    assert nx.read_graphml(io.BytesIO(run("graph", "-o", "graphml", stdin=HOSTILE).out.encode())).number_of_nodes() == 25


def test_a_chain_shows_what_leads_to_it_and_on() -> None:
    document = json.loads(run("graph", BASIC, "--chain", "KUBE-POSTROUTING", "-o", "json").out)
    assert [node["id"] for node in document["nodes"]] == ["nat/POSTROUTING", "nat/KUBE-POSTROUTING"]


def test_one_table_of_several() -> None:
    document = json.loads(run("graph", BASIC, "--table", "filter", "-o", "json").out)
    assert {node["table"] for node in document["nodes"]} == {"filter"}
    assert run("graph", BASIC, "--table", "none").status == 2


def test_families_are_kept_apart() -> None:
    document = json.loads(run("graph", DUAL, "--table", "nat", "-o", "json").out)
    assert {node["table"] for node in document["nodes"]} == {"ipv4/nat", "ipv6/nat"}
    ids = [node["id"] for node in document["nodes"]]
    assert len(ids) == len(set(ids))


def test_external_policy_local_shows_both_balancers() -> None:
    document = json.loads(run("graph", POLICY, "--service", "*", "--table", "nat", "-o", "json").out)
    prefixes = {node["chain"][:9] for node in document["nodes"]}
    assert {"KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-SEP-"} <= prefixes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--service", "no/such"], "no Service matches"),
        (["--chain", "KUBE-NONE"], "there is no chain KUBE-NONE"),
    ],
)
def test_unknown_names_are_reported(arguments: list[str], said: str) -> None:
    drawn = run("graph", BASIC, *arguments)
    assert drawn.status == 2 and drawn.out == "" and said in drawn.err


def test_a_service_without_endpoints_has_no_chains() -> None:
    rule = (
        '-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "a/idle:http has no endpoints" -m tcp --dport 80 '
        "-j REJECT --reject-with icmp-port-unreachable\n"
    )
    drawn = run("graph", "--service", "a/idle", stdin=rule)
    assert drawn.status == 2 and "a/idle" in drawn.err and "no chains" in drawn.err


def test_a_picture_too_large_to_draw_comes_with_a_warning() -> None:
    jumps = "".join(f"-A PREROUTING -j C{number}\n" for number in range(600))
    drawn = run("graph", "-o", "mermaid", stdin=jumps)
    assert drawn.status == 0 and "maxEdges" in drawn.err
    assert run("graph", "-o", "json", stdin=jumps).err == ""


def _edges_in(key: str) -> dict[str, str]:
    """How to say where edges are: networkx before 3.4 calls the option `link`."""
    given = inspect.signature(nx.node_link_graph).parameters
    return {"edges" if "edges" in given else "link": key}
