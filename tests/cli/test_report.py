"""`report`: a page that a browser opens at once, whatever the names in the dump."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ipt_explain import analyzers
from ipt_explain.cli.main import run as run_here
from tests.cli.program import SAMPLES, run
from tests.cli.test_graph import HOSTILE
from tests.kube_corpus import scenario

DAMAGED = SAMPLES / "damaged-node.txt"

VOID = {"meta", "br", "input", "path", "rect"}
KNOWN = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "br", "ul", "li", "nav", "a", "main",
    "section", "div", "pre", "mark", "b", "span", "code", "details", "summary", "figure", "svg", "defs", "marker", "path",
    "rect", "text", "figcaption", "input", "footer", "script",
}  # fmt: skip
XSS = (
    '-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "a/<script>alert(1)</script> cluster IP" -m tcp '
    '--dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA\n-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "</pre><img src=x onerror=alert(1)>" '
    '-j "\'><svg/onload=alert(1)>"\n-A KUBE-SVC-AAAAAAAAAAAAAAAA -m mark --mark 0x3/0x1 -j DROP\n'
)


class Page(HTMLParser):
    """A page's elements, attributes and texts; every element must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(*arguments: str | Path, stdin: str | None = None) -> tuple[str, Page]:
    done = run("report", *arguments, stdin=stdin)
    assert done.status == 0, done.err
    return done.out, Page(done.out)


def test_the_page_tells_what_is_wrong_and_shows_it() -> None:
    text, found = page(DAMAGED)
    shown = "".join(found.text)
    assert re.search(r"\d errors, 0 warnings, 0 notes in 51 rules", shown)
    assert "SERVICES  1 broken · 1 without hairpin · 2 fine" in shown
    assert "the chain lacks <code>-s 10.244.1.3 -j KUBE-MARK-MASQ</code> before its DNAT." in text
    assert "error IPT202 traffic-leaks" in shown
    assert "<mark>--probability 0.50000000000</mark>" in text
    assert "no endpoint: leaves untranslated" in shown
    assert "kube-system/kube-dns:dns · udp" in shown
    assert sum(tag == "svg" for tag, _ in found.elements) >= 2
    rows = [attributes for tag, attributes in found.elements if attributes.get("class") == "service" and tag == "details"]
    assert len(rows) == 4


@pytest.mark.parametrize("stdin", [HOSTILE, XSS, "", "-A INPUT -j LOG\n-A INPUT -j LOG\n"], ids=["hostile", "xss", "empty", "fragment"])
def test_nothing_from_the_dump_becomes_markup(stdin: str) -> None:
    done = run("report", stdin=stdin)
    if not stdin:
        assert done.status == 2
        return
    found = Page(done.out)
    assert {tag for tag, _ in found.elements} <= KNOWN
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert done.out.replace("\n", "").isprintable()
    if stdin is XSS:
        assert "<script>alert(1)</script>" in "".join(found.text)


def test_anchors_lead_somewhere_and_no_network_is_needed() -> None:
    text, found = page(DAMAGED)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] or "" for tag, attributes in found.elements if tag == "a"]
    assert links and all(link.startswith("#") and link[1:] in ids for link in links)
    assert not re.search(r"(?:src|href)=\"(?!#)|url\((?!#)|@import", text)


def test_only_our_own_script_may_run() -> None:
    text, _ = page(DAMAGED)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0])
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_the_script_is_not_needed_to_read_the_page() -> None:
    _, found = page(DAMAGED)
    hidden = [attributes.get("id") for _, attributes in found.elements if "hidden" in attributes]
    assert hidden == ["filter-box"]


def test_markdown_is_the_same_in_brief() -> None:
    text = run("report", "-o", "markdown", DAMAGED).out
    assert text.startswith(f"# {DAMAGED}\n")
    assert "IPT202 traffic-leaks" in text
    (row,) = re.findall(r"\| kube-system/kube-dns:dns udp \| ClusterIP \| 10\.96\.0\.10:53 \| 2 \| (.*) \|", text)
    assert row.startswith("loses connections") and "IPT202 traffic-leaks" in row
    assert "\\\nnat 36 rules" in text  # a line of its own, as in explain


def test_the_problems_of_one_node_are_not_those_of_another(tmp_path: Path) -> None:
    for name, sample in (("well", "kube-proxy-1.30-basic.txt"), ("damaged", "damaged-node.txt")):
        (tmp_path / f"{name}.txt").write_bytes((SAMPLES / sample).read_bytes())
    text = run("report", "-o", "markdown", tmp_path).out
    rows = {
        node: re.findall(rf"\| kube-system/kube-dns:dns \\\(.*/{node}\.txt\\\) udp \|.*\| (.*) \|", text)
        for node in ("well", "damaged")
    }
    assert rows == {"well": [""], "damaged": ["loses connections, IPT202 traffic-leaks"]}
    assert f"```\n{tmp_path}/damaged.txt\nSERVICES  1 broken · 1 without hairpin · 2 fine\n" in text


def test_a_report_on_many_nodes_begins_with_few(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"node-{number}.txt").write_bytes(DAMAGED.read_bytes())
    text = run("report", "-o", "markdown", tmp_path).out
    assert text.count("kube-proxy in iptables mode") == 6
    assert [text.count(f"… and 3 more {noun}") for noun in ("rulesets", "dumps")] == [1, 1]


def test_addresses_begin_with_the_cluster_ip() -> None:
    text = run("report", "-o", "markdown", SAMPLES / "kube-proxy-1.30-policy.txt").out
    assert r"| ClusterIP, LoadBalancer, NodePort | 10.96.0.28:80, 203.0.113.31:80, \*:30015 |" in text


def test_it_is_written_to_a_file_and_not_over_the_dump(tmp_path: Path) -> None:
    dump = tmp_path / "node.txt"
    dump.write_bytes(DAMAGED.read_bytes())
    target = tmp_path / "node.html"
    assert run("report", dump, "--output-file", target).status == 0
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert run("report", dump, "--output-file", dump).status == 2
    assert dump.read_bytes() == DAMAGED.read_bytes()


@pytest.mark.parametrize("selected", [(), ("-s", "kube-dns:dns")])
def test_a_node_is_walked_once(selected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[object] = []
    walk = analyzers.with_fates
    monkeypatch.setattr(analyzers, "with_fates", lambda *given: walked.append(given[1]) or walk(*given))
    assert run_here(["report", *selected, str(DAMAGED)]) == 0
    assert len(walked) == 1


def test_only_the_selection_is_shown() -> None:
    _, found = page(DAMAGED, "-s", "kube-dns:dns")
    shown = "".join(found.text)
    assert "IPT202" in shown and "IPT401" not in shown


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_a_browser_runs_nothing_of_the_dump(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(stdin=XSS)[0].replace("</body>", "<p id=probe></p></body>"), encoding="utf-8")
    dom = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=1000", "--dump-dom", file.as_uri()],
        capture_output=True, text=True, check=True, timeout=100,
    ).stdout  # fmt: skip
    assert 'id="filter-box"' in dom and 'id="filter-box" hidden' not in dom  # our script ran
    assert "<img" not in dom and "onerror" not in re.sub(r"&lt;[^<]*", "", dom)


def test_objects_add_what_the_cluster_contradicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = scenario("1.30", "basic")
    (tmp_path / "objects.json").write_text(json.dumps(capture.objects))
    (tmp_path / "node.txt").write_text(capture.ipv4.replace("10.96.0.10/32", "10.96.0.11/32"))
    words = ["report", "-o", "markdown", str(tmp_path / "node.txt")]
    assert run_here(words) == 0
    assert "IPT80" not in capsys.readouterr().out
    assert run_here([*words, "--objects", str(tmp_path / "objects.json")]) == 0
    assert "IPT805" in capsys.readouterr().out
