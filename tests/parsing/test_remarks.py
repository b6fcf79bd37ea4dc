"""What people write at rules and leave out of them, and where their copies end."""

from __future__ import annotations

import json

import pytest

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.model import Dump, Hidden
from ipt_explain.parsing import read_dump
from tests.dumps import rules_of

_RULE = '-A KUBE-SVC-A -m comment --comment "demo/web -> 10.1.0.1:80" -j KUBE-SEP-A'
_NEXT = "-A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destination 10.1.0.1:80"


def _said(dump: Dump, words: str) -> bool:
    return any(words in warning for warning in dump.warnings)


@pytest.mark.parametrize(
    "remark",
    [" # this one", "  <-- here", "   ← 2", " // to the pod", "# cat rules.txt | grep SEP", " (both nodes)", " => pod"],
)
@pytest.mark.parametrize("around", ["{}\n{}\n", "*nat\n:KUBE-SVC-A - [0:0]\n:KUBE-SEP-A - [0:0]\n{}\n{}\nCOMMIT\n"])
def test_a_remark_after_a_rule_is_ignored(remark: str, around: str) -> None:
    dump = read_dump(around.format(_RULE + remark, _NEXT))
    assert [rule.text for rule in rules_of(dump)] == [_RULE, _NEXT]
    assert _said(dump, "1 line: a remark after the rule was ignored")


def test_a_remark_in_the_form_of_a_listings_comment_is_the_rules_comment() -> None:
    (rule,) = rules_of(read_dump("-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -j REJECT   /* demo/web has no endpoints */\n"))
    assert rule.comment == "demo/web has no endpoints"
    (rule,) = rules_of(read_dump(f"{_RULE} /* two */\n"))
    assert rule.text == _RULE


@pytest.mark.parametrize("rest", ["-s 10.0.0.1 # no target", '--comment "x # y" -j A B', "-j A extra"])
def test_what_may_be_part_of_a_rule_is_no_remark(rest: str) -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump(f"-A KUBE-SVC-A {rest}\n{_NEXT}\n")


@pytest.mark.parametrize("dots", ["...", "…", "[...]", "....."])
def test_conditions_that_were_left_out_are_unknown(dots: str) -> None:
    first = rules_of(read_dump(f"-A KUBE-SVC-A -p tcp {dots} -j KUBE-MARK-MASQ\n{_RULE}\n"))[0]
    assert first.target == "KUBE-MARK-MASQ"
    assert Hidden.CONDITIONS in first.shape.hidden


@pytest.mark.parametrize("mark", ["(1) ", " (12) ", "② ", "3: ", "4) "])
def test_rules_that_a_text_numbers(mark: str) -> None:
    assert [rule.text for rule in rules_of(read_dump(f"{mark}{_RULE}\n{_NEXT}\n"))] == [_RULE, _NEXT]


@pytest.mark.parametrize(
    "line",
    [
        "**Environment:**",
        "*nginx*",
        "node2-test",
        "node-1.example.com:",
        "root@node-1",
        "--- 10.96.0.10 ping statistics ---",
        "<!DOCTYPE html>",
        "<html>",
        "<head>",
        "<style>",
    ],
)
def test_lines_of_one_word_around_rules(line: str) -> None:
    dump = read_dump(f"{line}\n{_RULE}\n{_NEXT}\n")
    assert [rule.text for rule in rules_of(dump)] == [_RULE, _NEXT]
    assert _said(dump, "left out line 1: text around rules")


def test_a_word_below_a_rule_may_be_the_rest_of_it() -> None:
    with pytest.raises(DumpSyntaxError):
        read_dump(f"{_RULE}\nabc-1\n{_NEXT}\n")


def test_a_sentence_that_quotes_a_rule_is_left_out_and_named() -> None:
    dump = read_dump(f"{_NEXT}\n\nThe `{_RULE}` line should not match.\n")
    assert [rule.text for rule in rules_of(dump)] == [_NEXT]
    assert _said(dump, "left out line 3: a sentence that quotes a rule")


@pytest.mark.parametrize("end", ["", "\n", "\n\n  \n"])
@pytest.mark.parametrize(
    "half",
    [
        '-m comment --comment "demo/web has no endpoints" -m ',
        '-m comment --comment "demo/web has no',
        "-m",
        "-j ",
        "-d 10.96.0.9/32 ! ",
        "-p tcp -m tcp --dport 80 -j KUBE-MAR",
        "-p tcp -m tcp --dport 80 -j KUBE-SVC",
        "-p tcp -m tcp --dport 80 -j DNAT",
    ],
)
def test_half_of_the_last_rule_is_left_out_and_named(half: str, end: str) -> None:
    dump = read_dump(f"{_RULE}\n{_NEXT}\n-A KUBE-SERVICES {half}{end}")
    assert [rule.text for rule in rules_of(dump)] == [_RULE, _NEXT]
    assert _said(dump, "-:3: ") and _said(dump, "was left out")


@pytest.mark.parametrize("target", ["KUBE-SVC-A", "KUBE-X", "ACCEPT", "MASQUERADE"])
def test_a_whole_last_rule_stays(target: str) -> None:
    last = f"-A KUBE-SERVICES -d 10.96.0.9/32 -j {target}"
    assert [rule.text for rule in rules_of(read_dump(f"{_RULE}\n{_NEXT}\n{last}"))].count(last) == 1


@pytest.mark.parametrize(
    "fence", ['```text {caption="rules", linenos=table}', '```sh title="node 1"', "~~~bash:dump.txt", "``` {.bash}"]
)
def test_fences_with_more_than_a_language(fence: str) -> None:
    assert [rule.text for rule in rules_of(read_dump(f"{fence}\n{_RULE}\n{_NEXT}\n{fence[:3]}\n"))] == [_RULE, _NEXT]


def test_a_mail_in_quoted_printable() -> None:
    encoded = (
        "Hello =E2=80=93 see below.\n\n"
        '-A KUBE-SVC-A -m comment --comment "demo/web -> 10.1.=\n0.1:80" -j KUBE-=\nSEP-A\n'
        "-A KUBE-SEP-A -p tcp -m tcp -j DNAT --to-destin=\nation 10.1.0.1:80\n\na =3D b\n"
    )
    dump = read_dump(encoded)
    assert [(rule.text, rule.line) for rule in rules_of(dump)] == [(_RULE, 3), (_NEXT, 6)]
    assert _said(dump, "decoded from quoted-printable")


def test_an_equals_sign_at_the_end_of_a_line_is_no_mails() -> None:
    long = f'-A KUBE-SVC-A -m comment --comment "{"x" * 60}=" -j KUBE-SEP-B'
    assert long in [rule.text for rule in rules_of(read_dump(f"the setting is a=\nb=\n{long}\n{_NEXT}\n"))]


@pytest.mark.parametrize(
    "fields",
    [
        '"time":"2024-05-01T10:00:00Z","stream":"stdout","log":{}',
        '"level":"info","msg":{},"n":1',
        '"log":{},"tag":{{"a":"b"}}',
    ],
)
def test_rules_in_the_objects_of_a_logger(fields: str) -> None:
    lines = "".join(f"{{{fields.format(json.dumps(rule))}}}\n" for rule in (_RULE, f"{_NEXT}\n"))
    assert [rule.text for rule in rules_of(read_dump(lines))] == [_RULE, _NEXT]


def test_a_page_that_opens_its_block_on_the_line_of_a_rule() -> None:
    escaped = _RULE.replace('"', "&quot;").replace(">", "&gt;")
    page = (
        f"<h2>Rules</h2><p>See:</p><div><pre class=x><code>(1) {escaped}\n(2) {_NEXT}</code></pre><p>End.</p></div>\n"
    )
    assert [rule.text for rule in rules_of(read_dump(page))] == [_RULE, _NEXT]


_SHOWN = "Chain FORWARD (policy DROP)\ntarget prot opt source destination\nKUBE-FORWARD all -- 0.0.0.0/0 0.0.0.0/0\n"


@pytest.mark.parametrize("chain", ["FORWARD", "KUBE-X"])
def test_commands_count_only_where_no_output_shows_the_chain(chain: str) -> None:
    dump = read_dump(f"It works after\niptables -I {chain} -j ACCEPT\n\n# iptables -nL\n{_SHOWN}")
    targets = [rule.target for rule in rules_of(dump)]
    assert ("ACCEPT" in targets) == (chain == "KUBE-X")
    assert _said(dump, "left out line 2: commands that change chains") == (chain == "FORWARD")


def test_a_command_on_the_line_of_a_fence() -> None:
    (ruleset,) = read_dump(f"```sudo iptables -nL -t filter | cat\n{_SHOWN}```\n").rulesets
    assert [rule.target for rule in ruleset.rules("filter", "FORWARD")] == ["KUBE-FORWARD"]
