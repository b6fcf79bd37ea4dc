"""The forms of the report that other programs read, checked by what reads them or by what their manuals say."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest

from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.rules.index import RULES
from ipt_explain.audit.runner import Report, Unchecked, audit_dump, merge
from ipt_explain.audit.settings.plan import Plan
from ipt_explain.cli.main import run
from ipt_explain.parsing import read_dump
from ipt_explain.records import replace
from ipt_explain.render.audit.formats import FORMATS, Style, rendered
from tests.audit.test_outputs import FAULTY, HOSTILE
from tests.cli.program import ROOT
from tests.nft_corpus import listing

PLAIN = Style(80, notes=True)
NAMES = 'na"me\\ \n'


def report(text: str, source: str = "node.txt") -> Report:
    return audit_dump(read_dump(text, source=source))


def text_of(found: Report, output: str, style: Style = PLAIN) -> str:
    return "".join(rendered(found, output, RULES, Severity.ERROR, style))


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("found", [report(FAULTY), report(HOSTILE, NAMES), Report(())], ids=["faulty", "hostile", "empty"])
def test_every_form_is_printable(output: str, found: Report) -> None:
    text = text_of(found, output).replace("\ufe0f", "")  # part of ⚠️ and ℹ️
    assert text.replace("\n", "").isprintable()
    assert text.endswith("\n") or not text


def test_concise_is_one_line_a_finding_in_the_form_that_editors_know() -> None:
    lines = text_of(report(FAULTY), "concise").splitlines()
    assert lines[0].startswith("node.txt:3:13: IPT001 error table filter has no chain NOWHERE")
    assert all(re.match(r"node\.txt:\d+:\d+: IPT\d{3} (error|warning|info) \S", line) for line in lines)
    assert len(text_of(report(HOSTILE, NAMES), "concise").splitlines()) == 1
    without_lines = listing("1.33/basic/nft-ruleset").json
    assert without_lines is not None
    found = report(without_lines.replace('"jump": {"target": "services"}', '"drop": null'), "nft.json")
    assert text_of(found, "concise").startswith("nft.json: IPT901 error ")


def test_gitlab_s_issues_have_what_its_manual_asks_for() -> None:
    issues = json.loads(text_of(merge([report(FAULTY, "a.txt"), report(FAULTY, "b.txt")]), "gitlab"))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["path"] in {"a.txt", "b.txt"}
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 6


@pytest.mark.parametrize("found", [report(FAULTY), report(HOSTILE, NAMES), Report(())], ids=["faulty", "hostile", "empty"])
def test_prometheus_reads_the_metrics(found: Report) -> None:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    families = {family.name: family for family in parser.text_string_to_metric_families(text_of(found, "openmetrics"))}
    counts = {sample.labels["severity"]: sample.value for sample in families["ipt_explain_findings"].samples}
    if found.sources:
        assert counts == {severity.value: found.count(severity) for severity in Severity}


def test_markdown_shows_names_as_they_are_and_nothing_else() -> None:
    text = text_of(report('-A INPUT -m comment --comment "``` <b>@all</b> | x" -m mark --mark 0x3/0x1 -j DROP\n'), "markdown")
    assert "````\n-A INPUT" in text
    assert "<b>" not in text.replace("\n-A INPUT -m comment --comment \"``` <b>", "")
    cells = next(line for line in text.splitlines() if "IPT011" in line).replace("\\|", "")
    assert cells.count("|") == 5


def test_markdown_shows_commands_as_code() -> None:
    damaged = (ROOT / "samples" / "damaged-node.txt").read_text(encoding="utf-8")
    assert "the chain lacks `-s 10.244.1.3 -j KUBE-MARK-MASQ` before" in text_of(report(damaged), "markdown")


def test_junit_and_sarif_name_files_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (sarif,) = json.loads(text_of(report(FAULTY, str(tmp_path / "dumps" / "a.txt")), "sarif"))["runs"]
    artifact = sarif["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "dumps/a.txt", "uriBaseId": "%SRCROOT%"}
    (elsewhere,) = json.loads(text_of(report(FAULTY, "/else where/a.txt"), "sarif"))["runs"]
    artifact = elsewhere["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": "file:///else%20where/a.txt"}


def test_junit_names_do_not_change_when_lines_move() -> None:
    def names(text: str) -> list[str]:
        return re.findall(r'<testcase [^>]*name="([^"]*)"', text_of(report(text), "junit"))

    assert names(FAULTY) == names("# a comment\n" + FAULTY)


def leaking() -> str:
    """A node on which every Service loses a part of its connections."""
    text = (ROOT / "samples" / "kube-proxy-1.30-policy.txt").read_text(encoding="utf-8")
    return re.sub(r'(?m)^(-A KUBE-SVC-\S+ -m comment --comment "[^"]*") (-j KUBE-SEP)', r"\1 -m statistic --mode random --probability 0.9 \2", text)


def test_alike_findings_are_told_once_and_all_of_them_when_asked() -> None:
    found = report(leaking()).keep(lambda finding: finding.rule == "IPT202")
    number = len(found.findings)
    assert number > 6
    folded = text_of(found, "text")
    assert folded.count("[IPT202 ") == 1
    assert f"{number} service ports, such as " in " ".join(folded.split())
    assert "\n  Also:\n    node.txt:" in folded
    assert f"… and {number - 5} more findings (--all)" in folded
    assert text_of(found, "text", Style(80, fold=False)).count("[IPT202 ") == number
    assert len(json.loads(text_of(found, "json"))["findings"]) == number


def test_a_service_is_named_once() -> None:
    refused = "".join(
        f'-A KUBE-SERVICES -d 10.96.0.10/32 -p {protocol} -m comment --comment "kube-system/kube-dns:{name} has no endpoints" '
        f"-m {protocol} --dport 53 -j REJECT --reject-with icmp-port-unreachable\n"
        for protocol, name in (("udp", "dns"), ("tcp", "dns-tcp"))
    )
    text = " ".join(text_of(report(refused), "text").split())
    assert "[IPT610 no-endpoints] 2 service ports, such as kube-system/kube-dns:dns has no endpoints: its connections" in text


def test_errors_come_first_and_dumps_are_summed_up() -> None:
    both = merge([report("-A INPUT -j LOG\n-A INPUT -j LOG\n", "a.txt"), report(FAULTY, "b.txt"), report("-A X -i lo -j LOG\n", "c.txt")])
    text = text_of(both, "text")
    assert text.index("error[") < text.index("warning[") < text.index("info[")
    assert "\nb.txt 1 error, 1 warning · 2 dumps clean\n" in text


def test_statistics_count_by_rule() -> None:
    lines = text_of(report(FAULTY), "text", Style(80, statistics=True)).splitlines()
    assert lines[0].split() == ["1", "IPT001", "error", "undefined-chain"]


def test_a_long_line_loses_its_comment_before_what_matters() -> None:
    comment = f'-m comment --comment "{"x" * 100}"'
    shown = text_of(report(f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp {comment} -m tcp --dport 80 -j NOWHERE\nCOMMIT\n"), "text")
    assert "    -A INPUT -p tcp … -m tcp --dport 80 -j NOWHERE\n" in shown
    line = shown.splitlines()
    at = next(number for number, each in enumerate(line) if "-j NOWHERE" in each)
    assert line[at + 1].index("^") == line[at].index("NOWHERE")


# The command.


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps" / "a.txt").write_text(FAULTY, encoding="utf-8")
    (tmp_path / "dumps" / "b.txt").write_text(FAULTY, encoding="utf-8")
    return tmp_path


def findings(arguments: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    capsys.readouterr()
    run(["audit", "-o", "json", *arguments.split()])
    found: list[dict[str, str]] = json.loads(capsys.readouterr().out)["findings"]
    return found


def test_a_directory_is_all_dumps_in_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {finding["source"] for finding in findings("dumps", capsys)} == {"dumps/a.txt", "dumps/b.txt"}


def test_a_file_that_should_have_rules_is_named_and_not_clean(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dumps" / "c.txt").write_bytes(b"")
    (folder / "dumps" / "d.txt").write_text("sh: iptables-save: not found\n", encoding="utf-8")
    (folder / "dumps" / "README.md").write_text("Dumps of two nodes.\n", encoding="utf-8")
    with tarfile.open(folder / "dumps" / "more.tgz", "w:gz") as archive:
        archive.add(folder / "dumps" / "a.txt", "e.txt")
    assert run(["audit", "dumps"]) == 1
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "warning: dumps/more.tgz skipped: unpack the archive, or use compare --nodes",
        "warning: dumps/c.txt skipped: it is empty: the command that wrote it failed, or had no permission to read the rules",
        "warning: dumps/d.txt skipped: there are no rules in it; it begins with: sh: iptables-save: not found",
    ]
    assert "clean" not in said.out
    assert run(["audit", "dumps/a.txt", "dumps/b.txt", "dumps/c.txt"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("warning: dumps/c.txt: there are no rules in it.")
    assert "clean" not in said.out


def test_errors_of_the_node_affect_every_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "samples" / "damaged-node.txt").read_text(encoding="utf-8")
    (tmp_path / "node.txt").write_text(re.sub(r"-A PREROUTING .*-j KUBE-SERVICES\n", "", text), encoding="utf-8")
    assert run(["audit", "-s", "kubernetes", f"{tmp_path}/node.txt"]) == 1
    out = capsys.readouterr().out
    assert "error[IPT101 " in out and "[IPT202 " not in out


def test_dumps_whose_findings_are_known_are_not_clean() -> None:
    both = merge([report(FAULTY, "a.txt"), report("-A X -i lo -j LOG\n", "b.txt")])
    text = text_of(replace(both, findings=(), known=len(both.findings)), "text")
    assert text.startswith("2 dumps with nothing new\nNothing new in ")


def test_where_a_rule_failed_nothing_is_called_right() -> None:
    failed = Report((), (Unchecked("IPT999", "a.txt", ValueError("why")),), 5, sources=("a.txt", "b.txt"), table_count=1)
    assert text_of(failed, "text") == "1 dump clean\nNo errors or warnings in 5 rules; 1 audit rule could not be checked\n"


def test_no_baseline_is_written_if_a_rule_failed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = replace(report(FAULTY), unchecked=(Unchecked("IPT999", "dumps/a.txt", ValueError("why")),))
    monkeypatch.setattr(Plan, "report", lambda *_, **__: failed)
    assert run(["audit", "dumps/a.txt", "--write-baseline", "known.json"]) == 2
    assert "IPT999 could not be checked" in capsys.readouterr().err
    assert not (folder / "known.json").exists()


def test_statistics_of_nothing_say_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--statistics", "--select", "IPT2", "dumps/a.txt"]) == 0
    assert capsys.readouterr().out.startswith("Nothing wrong in ")


def test_one_run_writes_several_forms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "dumps/a.txt", "-o", "concise", "--output-file", "sarif=a.sarif", "--output-file", "text=a.txt"]) == 1
    assert capsys.readouterr().out.startswith("dumps/a.txt:3:13: IPT001")
    assert json.loads((folder / "a.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert "error[IPT001" in (folder / "a.txt").read_text(encoding="utf-8")
    assert run(["audit", "dumps/a.txt", "--output-file", "sarif=dumps/a.txt"]) == 2
    assert run(["audit", "dumps/a.txt", "--output-file", "serif=a.sarif"]) == 2


def test_rules_go_by_their_names_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {finding["rule"] for finding in findings("--select undefined-chain dumps/a.txt", capsys)} == {"IPT001"}
    assert "IPT001" not in {finding["rule"] for finding in findings("--ignore Undefined-Chain,IPT004 dumps/a.txt", capsys)}
    assert run(["audit", "--select", "undefind-chain", "dumps/a.txt"]) == 2
    assert "the nearest is undefined-chain" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        FAULTY.replace("-A INPUT -j NOWHERE", "# ipt-explain: ignore IPT001\n-A INPUT -j NOWHERE"),
        FAULTY.replace("-A INPUT -j NOWHERE", "# ipt-explain: ignore undefined-chain, IPT709\n# why\n-A INPUT -j NOWHERE"),
        FAULTY.replace("-A INPUT -j", '-A INPUT -m comment --comment "ipt-explain: ignore IPT0" -j', 1),
    ],
    ids=["above", "name", "comment"],
)
def test_a_comment_spares_its_line(text: str) -> None:
    found = report(text)
    assert "IPT001" not in {finding.rule for finding in found.findings}
    assert (found.spared, len(found.findings)) == (1, 2)
    assert "1 finding left out by comments" in " ".join(text_of(found, "text").split())


def test_a_comment_spares_no_other_line_and_no_other_rule() -> None:
    for text in (
        "# ipt-explain: ignore IPT001\n" + FAULTY,
        FAULTY.replace("-A INPUT -j NOWHERE", "# ipt-explain: ignore IPT002\n-A INPUT -j NOWHERE"),
        FAULTY.replace("-A INPUT -j NOWHERE", "# ipt-explain: ignore I\n-A INPUT -j NOWHERE"),
    ):
        assert "IPT001" in {finding.rule for finding in report(text).findings}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("setup.cfg", "[ipt-explain]\nseverities =\n    IPT001 = warning\n    unreachable-rule = info\nper-path-ignores =\n    dumps/b* = IPT004, IPT003\n"),
        ("pyproject.toml", '[tool.ipt-explain.severities]\nIPT001 = "warning"\nunreachable-rule = "info"\n[tool.ipt-explain.per-path-ignores]\n"dumps/b*" = ["IPT004", "IPT003"]\n'),
    ],
)
def test_severities_and_ignores_by_path_come_from_the_configuration(
    name: str, text: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    found = {(finding["source"], finding["rule"]): finding["severity"] for finding in findings("dumps", capsys)}
    assert found == {
        ("dumps/a.txt", "IPT001"): "warning",
        ("dumps/a.txt", "IPT003"): "info",
        ("dumps/a.txt", "IPT004"): "info",
        ("dumps/b.txt", "IPT001"): "warning",
    }
    assert run(["audit", "dumps"]) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ipt-explain]\nseverities =\n    IPT001 = fatal\n", "fatal is no severity"),
        ("[ipt-explain]\nseverities =\n    IPT999 = error\n", "no rule is called IPT999"),
        ("[ipt-explain]\nper-path-ignores =\n    dumps\n", "write KEY = VALUE, not dumps"),
    ],
)
def test_mistakes_in_the_configuration_are_said(text: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "setup.cfg").write_text(text, encoding="utf-8")
    assert run(["audit", "dumps"]) == 2
    assert said in capsys.readouterr().err
