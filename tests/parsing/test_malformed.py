"""Bad input: never a traceback, and a line number at least as good as iptables-restore's own."""

from __future__ import annotations

import gzip

import pytest

from ipt_explain.errors import DumpSyntaxError, UsageError
from ipt_explain.inputs import decode
from ipt_explain.parsing import read_dump
from tests.corpora import MalformedInput, malformed_inputs

# What iptables-restore refuses although it is iptables-save's language: it depends on the node, or the audit reports it.
READ_NEVERTHELESS = {
    "03_missing_commit.txt": "a dump that was cut off is read; Table.committed tells",
    "06_chain_before_table.txt": "the `*table` line may have been cut off",
    "10_undefined_jump.txt": "a finding of the audit",
    "20_line_1MB_comment.txt": "only iptables-restore's buffer ends at 10,240 bytes",
    "24_utf8_bom_table.txt": "a byte order mark is no part of the text",
    "36_chain_name_too_long.txt": "nft makes longer chain names, and iptables-nft-save prints them",
    "40_unknown_match.txt": "modules differ between nodes",
    "42_bad_ip.txt": "host names stand in restore input; only a resolver could tell",
    "44_ipv6_in_v4.txt": "the family is read from the addresses",
    "50_old_negation.txt": "iptables before 1.4.3 printed it so",
    "56_iptables_L.txt": "listings are read",
    "58_nft_list.txt": "a table of nftables",
    "60_set_missing.txt": "whether a set exists only the node can tell",
    "62_two_good_one_bad.txt": "a jump to an undefined chain is a finding of the audit",
    "66_backslash_continuation.txt": "documents wrap rules so",
}
# What iptables-restore takes, and means something else by than the text seems to say.
REFUSED_NEVERTHELESS = {"17_nul_in_rule.txt": 6}


def _line_of_restore(case: MalformedInput) -> int | None:
    """The first line that any of the tools complained about; None where one took the input."""
    results = [case.results[name] for name in ("legacy_load", "nft_load")]
    if any(result["accepted"] for result in results):
        return None
    return min(result["line"] for result in results)


def _text(case: MalformedInput) -> str:
    return case.content.decode("utf-8", "surrogateescape")


def _by_name(case: MalformedInput) -> str:
    return case.name


@pytest.mark.parametrize("case", malformed_inputs(), ids=_by_name)
def test_is_read_or_refused_where_iptables_restore_stops(case: MalformedInput) -> None:
    refused = REFUSED_NEVERTHELESS.get(case.name, _line_of_restore(case))
    if refused is None or case.name in READ_NEVERTHELESS:
        read_dump(_text(case))
        return
    with pytest.raises(DumpSyntaxError) as caught:
        read_dump(_text(case), source="node.txt")
    error = caught.value
    assert error.line == refused
    assert str(error).startswith(f"node.txt:{error.line}:{error.column}: ")
    first = error.diagnostics[0]
    assert 1 <= first.column <= len(first.excerpt) + 1


@pytest.mark.parametrize("case", malformed_inputs(), ids=_by_name)
def test_bytes_are_text_or_refused_with_a_message(case: MalformedInput) -> None:
    said = "node.txt:"
    try:
        read_dump(decode(case.content, "node.txt"), source="node.txt")
    except (DumpSyntaxError, UsageError) as error:
        said = str(error)
    assert said.startswith("node.txt:")


@pytest.mark.parametrize("case", malformed_inputs(), ids=_by_name)
def test_lenient_reads_what_there_is(case: MalformedInput) -> None:
    dump = read_dump(_text(case), lenient=True)
    strict_fails = False
    try:
        read_dump(_text(case))
    except DumpSyntaxError:
        strict_fails = True
    assert any("skipped" in warning for warning in dump.warnings) == strict_fails


def test_rows_of_a_listing_without_their_chain_are_one_error() -> None:
    listing = "ACCEPT     all  --  anywhere             anywhere\n" * 500
    with pytest.raises(DumpSyntaxError) as caught:
        read_dump(listing)
    assert caught.value.total == 1
    assert "iptables-save" in caught.value.remedy


def test_at_most_twenty_lines_are_shown_and_all_are_counted() -> None:
    text = "*nat\n" + "nonsense\n" * 5000 + "COMMIT\n"
    with pytest.raises(DumpSyntaxError) as caught:
        read_dump(text)
    assert (len(caught.value.diagnostics), caught.value.total) == (20, 5000)


def test_diagnostics_are_in_the_order_of_lines() -> None:
    text = ":LOOSE\nnonsense\n-A X -j \0\n*nat\nCOMMIT\nmore\n"
    with pytest.raises(DumpSyntaxError) as caught:
        read_dump(text)
    assert [diagnostic.line for diagnostic in caught.value.diagnostics] == [1, 2, 3, 6]


RULE = '-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns" -j KUBE-SVC-X'


@pytest.mark.parametrize(
    ("paste", "note"),
    [
        (f"    {RULE}\n    -A KUBE-SVC-X -j KUBE-SEP-Y\n", "2 lines: leading spaces were ignored"),
        (f"> {RULE}\n> -A KUBE-SVC-X -j KUBE-SEP-Y\n", "2 lines: the quote mark"),
        (f"$ iptables-save | grep kube-dns\n{RULE}\n-A KUBE-SVC-X -j KUBE-SEP-Y\n", "1 line: shell prompts"),
        (f"```\n{RULE}\n-A KUBE-SVC-X -j KUBE-SEP-Y\n```\n", "2 lines: fences"),
        (f"1:{RULE}\n2:-A KUBE-SVC-X -j KUBE-SEP-Y\n", "2 lines: the line number"),
        (
            RULE.replace("--comment", "—comment").replace('"', "“") + "\n-A KUBE-SVC-X -j KUBE-SEP-Y\n",
            "1 line: typographic",
        ),
    ],
)
def test_reads_a_paste_and_says_what_it_ignored(paste: str, note: str) -> None:
    dump = read_dump(paste)
    rules = [rule.text for chain in dump.rulesets[0].tables["nat"].chains.values() for rule in chain.rules]
    assert rules == [RULE, "-A KUBE-SVC-X -j KUBE-SEP-Y"]
    assert any(note in warning for warning in dump.warnings)


def test_a_text_escaped_for_a_page_is_read_as_displayed() -> None:
    plain = f'{RULE}\n-A KUBE-SVC-X -m comment --comment "a/b" -j KUBE-SEP-Y\n'
    dump = read_dump(plain.replace('"', "&quot;"))
    assert [rule.comment for chain in dump.rulesets[0].tables["nat"].chains.values() for rule in chain.rules] == [
        "kube-system/kube-dns:dns",
        "a/b",
    ]
    assert any("HTML page" in warning for warning in dump.warnings)


def test_an_indented_dump_is_the_dump() -> None:
    whole = ["*nat", ":PREROUTING ACCEPT [0:0]", ":X - [0:0]", "-A PREROUTING -j X", "COMMIT"]
    plain = read_dump("\n".join(whole))
    for mark in ("  ", "\t", "> ", ">"):
        assert read_dump("".join(f"{mark}{line}\n" for line in whole)).to_text() == plain.to_text()


def test_a_broken_rule_after_an_indentation_is_shown_at_its_column() -> None:
    with pytest.raises(DumpSyntaxError) as caught:
        read_dump("   -A INPUT -j ACCEPT -j DROP\n")
    assert (caught.value.line, caught.value.column) == (1, 23)


def test_chains_that_grep_keeps_next_to_their_rules() -> None:
    dump = read_dump(":KUBE-SVC-X - [0:0]\n-A KUBE-SVC-X -j KUBE-SEP-Y\n")
    assert dump.rulesets[0].fragment


def test_a_diff_that_takes_rules_away_is_refused() -> None:
    with pytest.raises(DumpSyntaxError) as caught:
        read_dump(f"@@ -1,2 +1,2 @@\n-{RULE}\n+{RULE}\n")
    assert "compare BEFORE AFTER" in caught.value.remedy


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n", "# a comment\n"])
def test_nothing_is_no_error_of_the_reader(text: str) -> None:
    assert read_dump(text).rulesets == ()


def test_gzip_in_a_text_is_named() -> None:
    text = gzip.compress(b"*nat\nCOMMIT\n").decode("utf-8", "surrogateescape")
    with pytest.raises(DumpSyntaxError, match="gzip"):
        read_dump(text)
