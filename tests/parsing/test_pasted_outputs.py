"""Whole outputs of nft, ipvsadm, ipset, iptables -L and iptables-save as mails, logs, pages and terminals leave them: what is
read stays the same.
"""

from __future__ import annotations

import html
import itertools
import json
import re
import textwrap
from collections.abc import Callable

import pytest

import ipt_explain
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.errors import DumpSyntaxError
from ipt_explain.parsing.pastes.carriers.margins import without_margins
from ipt_explain.services.ports import ServiceState
from tests.ipvs_corpus import LISTED, SAVED, ipvs_nodes
from tests.kube_corpus import scenario
from tests.listing_corpus import node as listed_node
from tests.nft_corpus import listing

Disfigure = Callable[[str], str]


def _each(change: Callable[[int, str], str]) -> Disfigure:
    return lambda text: "\n".join(change(number, line) for number, line in enumerate(text.splitlines(), 1)) + "\n"


def _wrapped(width: int) -> Disfigure:
    """As mail programs wrap."""

    def wrap(_: int, line: str) -> str:
        margin = line[: len(line) - len(line.lstrip())]
        return "\n".join(textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False, initial_indent=margin))

    return _each(wrap)


def _cut_at(width: int) -> Disfigure:
    """As terminals wrap."""
    return _each(lambda _, line: "\n".join(line[at : at + width] for at in range(0, max(1, len(line)), width)))


def _unblank(line: str) -> str:
    return line.replace("\t", "&nbsp;&nbsp;").replace("  ", "&nbsp; ")


_MARGINS: dict[str, Disfigure] = {
    "mail": _each(lambda _, line: f"> {line}"),
    "a reply to a mail": _each(lambda _, line: f"> > {line}"),
    "cat -n": _each(lambda number, line: f"{number:6}\t{line}"),
    "grep -n": _each(lambda number, line: f"{number}:{line}"),
    "bat": _each(lambda number, line: f"{number:4} │ {line}"),
    "kubectl logs --timestamps": _each(lambda number, line: f"2026-11-20T10:11:12.{number:09}Z {line}"),
    "kubectl logs --prefix": _each(lambda _, line: f"[pod/debug-x2/shell] {line}"),
    "journald": _each(lambda number, line: f"Nov 20 10:11:{number % 60:02} node-1 save[{number}]: {line}"),
    "containerd": _each(lambda number, line: f"2026-11-20T10:11:12.{number:09}+00:00 stdout F {line}"),
    "docker": _each(lambda _, line: json.dumps({"log": f"{line}\n", "stream": "stdout"})),
    "ansible": _each(lambda _, line: f"    {json.dumps(line)},"),
    "a list in YAML": _each(lambda _, line: "  - '{}'".format(line.replace("'", "''"))),
    "a diff of a new file": _each(lambda _, line: f"+{line}"),
    "a box": _each(lambda _, line: f"| {line:<180} |"),
}
_AROUND: dict[str, Disfigure] = {
    "HTML": lambda text: f"<html><body><pre><code>{html.escape(text)}</code></pre></body></html>\n",
    "a fold of GitHub": lambda text: f"<details><summary>rules</summary>\n\n```console\n$ sudo x\n{text}```\n\n</details>\n",
    "a letter": lambda text: f"Hello team,\n\nDNS is broken since the upgrade, here is node-1:\n\n{text}\nThanks,\nBob\n",
    "kubectl exec": lambda text: f'$ kubectl exec ds/x -- y\nDefaulted container "a" out of: a, b (init)\n{text}',
    "oc debug": lambda text: f"Starting pod/node-1-debug ...\n{text}\nRemoving debug pod ...\n",
    "ansible's heading": lambda text: f"node-1 | CHANGED | rc=0 >>\n{text}",
    "PowerShell": lambda text: f"PS C:\\Users\\bob> ssh node-1\n{text}PS C:\\Users\\bob>\n".replace("\n", "\r\n"),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "trailing blanks": _each(lambda _, line: f"{line}   "),
    "entities of a page": lambda text: html.escape(text, quote=False),
    "spans of a page": lambda text: f"<pre>{_each(lambda _, line: f'<span>{html.escape(line)}</span>')(text)}</pre>\n",
    "line breaks of a page": lambda text: f"<p>{_each(lambda _, line: f'{_unblank(html.escape(line))}<br>')(text)}</p>\n",
    "a session of ssh": lambda text: f"Last login: today\nroot@n1:~# x\n{text}root@n1:~# exit\nlogout\n",
    "a document of ansible": lambda text: json.dumps({"stdout_lines": text.splitlines()}, indent=4) + "\n",
}


def _texts() -> dict[str, str]:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/nodeport"))
    return {
        "nft": listing("1.33/basic/nft-ruleset").text,
        "nft 1.36": listing("1.36/loadbalancer/nft-ruleset").text,
        "IPVS, saved": node.text(SAVED),
        "IPVS, listed": node.text(LISTED),
        "iptables -L": listed_node("1.30-basic-legacy")["iptables-L-nv.txt"],
    }


_TEXTS = _texts()


def _read(text: str) -> list[object]:
    """What explain says of a text, apart from lines, sources and warnings."""
    document = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())

    def bare(value: object) -> object:
        if isinstance(value, dict):
            return {key: bare(each) for key, each in value.items() if key not in ("line", "source", "generator")}
        return [bare(each) for each in value] if isinstance(value, list) else value

    return [bare(document["rulesets"]), bare(document["services"])]


@pytest.mark.parametrize("way", [*_MARGINS, *_AROUND])
@pytest.mark.parametrize("name", _TEXTS)
def test_a_pasted_output_is_read_as_it_was(name: str, way: str) -> None:
    assert _read((_MARGINS | _AROUND)[way](_TEXTS[name])) == _read(_TEXTS[name])


@pytest.mark.parametrize(
    ("way", "change"),
    [(f"mail at {width}", _wrapped(width)) for width in (72, 80)]
    + [(f"terminal of {width}", _cut_at(width)) for width in (80, 100)]
    + [("backslashes", _each(lambda _, line: f"{line[:80]}\\\n{line[80:]}" if len(line) > 90 else line))]
    + [("typographic quotes", lambda text: text.replace('"', "\u201d"))],
)
@pytest.mark.parametrize("name", ["nft", "nft 1.36"])
def test_a_wrapped_table_of_nft_is_read_as_it_was(name: str, way: str, change: Disfigure) -> None:
    assert _read(change(_TEXTS[name])) == _read(_TEXTS[name])


@pytest.mark.parametrize("quote", [lambda text: text, _MARGINS["mail"]], ids=["bare", "quoted"])
@pytest.mark.parametrize("change", [_wrapped(72), _wrapped(80), _cut_at(72), _cut_at(100)], ids=["72", "80", "c72", "c100"])
def test_a_wrapped_dump_is_read_as_it_was(change: Disfigure, quote: Disfigure) -> None:
    dump = scenario("1.30", "policy").files["iptables-save.txt"]
    assert _read(quote(change(dump))) == _read(dump)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(" ", "\t"),
        lambda text: text.replace(" ", "\u00a0"),
        _each(lambda number, line: f"{number:4} | {line}"),
        _AROUND["a fold of GitHub"],
    ],
    ids=["tabs", "no-break spaces", "numbers", "fold"],
)
def test_a_dump_with_other_blanks_or_margins_is_read_as_it_was(change: Disfigure) -> None:
    dump = scenario("1.30", "basic").files["iptables-save.txt"]
    assert _read(change(dump)) == _read(dump)


@pytest.mark.parametrize("arrow", ["→", "–>", "➜"])
def test_arrows_that_an_editor_made_are_arrows_of_ipvsadm(arrow: str) -> None:
    listed = _TEXTS["IPVS, listed"]
    assert _read(listed.replace("->", arrow)) == _read(listed)


def _in_columns(text: str) -> str:
    """As `column -t` prints it, which drops empty lines, but for those between chains."""

    def aligned(block: str) -> str:
        rows = [line.split() for line in block.split("\n")]
        widths = [max(map(len, words)) for words in itertools.zip_longest(*rows, fillvalue="")]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    return "\n\n".join(map(aligned, text.strip("\n").split("\n\n"))) + "\n\n"


def _padded(text: str) -> str:
    """As a terminal that pads lines leaves it in a copy: some line feeds are gone."""
    padded = re.sub(r"(?m)^( pkts .*destination) *\n(?=.*\S)", lambda found: found[1] + " " * 70, text)
    return re.sub(r"(?m)^(?=Chain KUBE-S)", " " * 60, padded)


@pytest.mark.parametrize("change", [_in_columns, _padded])
def test_a_listing_that_was_aligned_or_padded_is_read_as_it_was(change: Disfigure) -> None:
    listed = _TEXTS["iptables -L"]
    assert change(listed) != listed
    assert _read(change(listed)) == _read(listed)


def test_ports_of_ipvsadm_by_name_are_read_as_numbers() -> None:
    listed = _TEXTS["IPVS, listed"]
    named = re.sub(r":53(?= )", ":domain", re.sub(r":443(?= )", ":https", listed))
    assert ":https" in named
    assert ":domain" in named
    assert _read(named) == _read(listed)


@pytest.mark.parametrize("count", ["", "Number of entries: 7\n"])
def test_prose_below_a_set_that_is_cut_off_is_not_its_element(count: str) -> None:
    header = "Name: KUBE-CLUSTER-IP\nType: hash:ip,port\nHeader: family inet hashsize 1024 maxelem 65536\n"
    text = f"```\n{header}{count}Members:\n10.96.7.7,tcp:80\n```\n2. Then the servers\nThanks for reading\n"
    dump = ipt_explain.parse(f"{text}TCP  10.96.7.7:80 rr\n  -> 10.244.1.9:80                Masq    1      0          0\n")
    assert [len(found.set.elements) for found in dump.node.sets.values()] == [1]


def test_servers_without_addresses_are_not_left_out_as_prose() -> None:
    """Left out, they would make a virtual server that refuses all connections."""
    with pytest.raises(DumpSyntaxError) as refused:
        ipt_explain.parse("TCP  10.96.7.7:80 rr\n\nsome text\n\n-> Masq 1 0 0\n")
    assert [each.line for each in refused.value.diagnostics] == [5]


def test_the_margin_is_named() -> None:
    (warning,) = ipt_explain.parse(_MARGINS["kubectl logs --prefix"](_TEXTS["nft"])).warnings
    assert "289 lines: what is before each, such as `[pod/debug-x2/shell]`, was ignored" in warning


@pytest.mark.parametrize("mark", ["-", "<", "the "])
def test_marks_of_diffs_and_comments_are_no_margin(mark: str) -> None:
    with pytest.raises(DumpSyntaxError):
        ipt_explain.parse(_each(lambda _, line: f"{mark}{line}")(_TEXTS["nft"]) if mark != "the " else "the table ip x {\n")


def test_a_long_run_of_blanks_is_refused() -> None:
    """It took minutes where each blank might begin a warning's line."""
    with pytest.raises(DumpSyntaxError):
        ipt_explain.parse('# Generated by iptables-save v1.8.9\n--comment "' + "\t" * 300_000)


def test_many_numbers_in_a_margin_cost_no_more_than_few() -> None:
    text = "1 " * 60 + "Chain KUBE-SVC-A (policy ACCEPT)\n" + ("1" * 150 + "x\n") * 3
    assert without_margins(text) == (text, [])


def test_a_line_feed_in_a_comment_is_no_wrap() -> None:
    rule = '-A X -m comment --comment "a\nb" -j ACCEPT\n'
    text = f"*filter\n:X - [0:0]\n{rule * 4}-A X -m comment --comment \"{'long ' * 30}\" -j ACCEPT\nCOMMIT\n"
    assert ipt_explain.parse(text).to_text().count('"a\nb"') == 4


@pytest.mark.parametrize(
    "chain",
    [
        "chain f { type filter hook forward priority 0; policy drop; ip daddr 10.9.9.9 accept }",
        "chain f {\ntype filter hook forward priority 0; policy drop; ip daddr 10.9.9.9 accept\n}",
        "chain f {\ntype filter hook forward priority 0; policy drop;\nct state established accept; ip daddr 10.9.9.9 accept;\n}",
    ],
)
def test_a_chain_as_configuration_files_have_it(chain: str) -> None:
    text = f"{_TEXTS['nft']}table inet mine {{\n{chain}\n}}\n"
    states = {service["state"] for service in json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())["services"]}
    assert states == {"blocked"}


def test_what_is_left_of_a_broken_table_is_a_fragment() -> None:
    text = _TEXTS["nft"].replace("\tchain nat-prerouting {\n", "\tchain\n\t\tnat-prerouting {\n")
    dump = ipt_explain.parse(text)
    assert dump.nft is not None
    assert dump.nft.fragment
    assert "nft-not-hooked" not in {finding.name for finding in ipt_explain.audit(dump)}


def test_a_part_of_a_table_is_refused_with_what_to_do() -> None:
    with pytest.raises(DumpSyntaxError) as caught:
        ipt_explain.parse("chain services {\n\tip daddr . meta l4proto . th dport vmap @service-ips\n}\n")
    assert "`nft list chain ip kube-proxy NAME`" in caught.value.remedy


_NODE = _TEXTS["nft"][: _TEXTS["nft"].index("\n}\n") + 3]
_BLOCKS = _NODE.split("\n", 2)[2].removesuffix("}\n")
_NO_HOOKS = "\tmap service-ips {" + _BLOCKS.partition("\tmap service-ips {")[2]


@pytest.mark.parametrize("around", ["{}", "The node has:\n```\n{}```\nThanks!\n", "Hello,\n\n{}\nThanks!\n"])
def test_blocks_of_a_table_without_its_first_line_are_read_as_a_part_of_it(around: str) -> None:
    dump = ipt_explain.parse(around.format(_NO_HOOKS))
    assert dump.nft is not None
    assert dump.nft.fragment
    assert _read(around.format(_NO_HOOKS))[1] == _read(f"table ip kube-proxy {{\n\t...\n{_NO_HOOKS}}}\n")[1]
    assert sum("the first line of this table is missing" in warning for warning in dump.warnings) == 1
    line = around.format(_NO_HOOKS).split("\n").index("\tmap service-ips {") + 1
    assert any(warning.startswith(f"-:{line}: the first line") for warning in dump.warnings)


@pytest.mark.parametrize("end", ["\n```\n", "...\n\n", "\n"])
def test_text_below_a_table_that_never_ends_is_no_part_of_it(end: str) -> None:
    piece = "\tchain reject-chain {\n\t\treject\n\t}\n"
    dump = ipt_explain.parse(f"table ip kube-proxy {{\n{piece}{end}and the pod says so\n-A INPUT -j DROP\n")
    assert dump.nft is not None
    (table,) = dump.nft.tables.values()
    assert [len(chain.rules) for chain in table.chains.values()] == [1]
    assert not any("wrapped" in warning for warning in dump.warnings)
    assert [list(ruleset.tables) for ruleset in dump.rulesets] == [["filter"]]


def test_a_block_that_is_cut_off_is_read_up_to_there() -> None:
    text = 'The map:\n```\n\tmap no-endpoint-services {\n\t\ttype ipv4_addr . inet_proto . inet_service : verdict\n'
    text += '\t\telements = { 10.96.7.7 . tcp . 80 comment "demo/web:http" : drop,\n```\nWhy?\n'
    (service,) = ipt_explain.explain(ipt_explain.parse(text)).services
    assert (service.namespace, service.name, service.port_name) == ("demo", "web", "http")
    assert [frontend.verdict.value for frontend in service.frontends] == ["drop"]


def test_lines_that_grep_took_out_of_a_table_are_refused() -> None:
    """They would be rules of whatever chain is above them."""
    lines = [line for line in _NODE.split("\n") if "kube-dns" in line]
    with pytest.raises(DumpSyntaxError) as caught:
        ipt_explain.parse("\n".join(lines))
    assert "Lines that `grep` takes out of a table do not show which chain they are in" in caught.value.remedy


def _json(text: str, indent: int | None) -> str:
    return json.dumps(json.loads(text), indent=indent)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: _each(lambda _, line: f"> {line}")(_json(text, 2)),
        lambda text: _MARGINS["cat -n"](_json(text, 4)),
        lambda text: f"2026-11-20T10:11:12.1Z {_json(text, None)}\n",
        lambda text: json.dumps(json.loads(text)["nftables"], indent=2),
        lambda text: f"```json\n{_json(text, 2)}\n```\n",
    ],
    ids=["quoted", "numbered", "logged", "jq .nftables", "fenced"],
)
def test_the_json_of_nft_is_read_as_it_was(change: Disfigure) -> None:
    given = listing("1.33/policy/nft-ruleset").json
    assert given is not None
    assert _read(change(given)) == _read(given)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("after", ["", "\n```\nThanks!\n", "\n...\n"], ids=["cut", "fence", "dots"])
def test_json_that_is_cut_off_tells_no_more_than_it_shows(indent: int | None, after: str) -> None:
    given = listing("1.33/policy/nft-ruleset").json
    assert given is not None
    text = _json(given, indent)
    whole = {service.label: service.state for service in ipt_explain.explain(ipt_explain.parse(text)).services}
    for part in range(1, 12):
        dump = ipt_explain.parse(text[: len(text) * part // 12].rstrip() + after)
        assert dump.nft is not None
        assert dump.nft.fragment
        assert any("the JSON of nft is cut off here" in warning for warning in dump.warnings)
        for service in ipt_explain.explain(dump).services:
            assert service.state in (ServiceState.UNKNOWN, whole[service.label])
        assert not [finding for finding in ipt_explain.audit(dump) if finding.severity is Severity.ERROR]


def test_json_that_breaks_in_the_middle_is_refused() -> None:
    given = listing("1.33/policy/nft-ruleset").json
    assert given is not None
    with pytest.raises(DumpSyntaxError) as caught:
        ipt_explain.parse(given.replace('{"rule":', '{"rule" oops:', 1))
    assert "ends or breaks here" in str(caught.value)


def test_commands_in_remarks_name_table_and_family_of_what_they_printed() -> None:
    text = (
        "# iptables -t nat -S\n-P PREROUTING ACCEPT\n-N KUBE-SERVICES\n-A PREROUTING -j KUBE-SERVICES\n"
        "# ip6tables -t filter -S\n-P INPUT DROP\n-A INPUT -j ACCEPT\n"
    )
    found = [(ruleset.family.value, [*ruleset.tables]) for ruleset in ipt_explain.parse(text).rulesets]
    assert found == [("ipv4", ["nat"]), ("ipv6", ["filter"])]


def test_two_nodes_in_one_text_are_not_mixed() -> None:
    one = _TEXTS["nft"]
    other = one.replace("10.244.1.2", "10.244.7.2")
    both = ipt_explain.parse(f"node-1$ nft list ruleset\n{one}node-2$ nft list ruleset\n{other}")
    assert _read(f"{one}{other}") == _read(other)
    hosts, warning = both.warnings
    assert "prompts or headings name node-1 and node-2, whose rules are read as those of one node" in hosts
    assert "table ip kube-proxy is shown with different rules than on line 2: the later output counts" in warning


def test_a_text_with_the_same_output_twice_is_no_news() -> None:
    given = listing("1.33/policy/nft-ruleset")
    assert ipt_explain.parse(given.text * 2).warnings == ()
    assert ipt_explain.parse(f"{given.json}\n{given.text}").warnings == ()


def test_a_map_alone_tells_nothing_of_chains() -> None:
    text = _TEXTS["nft"]
    start = text.index("\tmap service-ips {")
    piece = "table ip kube-proxy {\n" + text[start : text.index("\t}", start)] + "\t}\n}\n"
    dump = ipt_explain.parse(piece)
    assert {service["state"] for service in json.loads(ipt_explain.explain(dump).to_json())["services"]} == {"unknown"}
    assert ipt_explain.audit(dump) == []


@pytest.mark.parametrize("name", ["nft", "nft 1.36"])
def test_numbers_for_names_are_read_as_names(name: str) -> None:
    """`nft -nn` prints them."""
    text = _TEXTS[name]
    numbers = text.replace("ct state new", "ct state 0x8").replace("saddr type local", "saddr type 2")
    for protocol, number in (("tcp", 6), ("udp", 17)):
        numbers = numbers.replace(f" . {protocol} . ", f" . {number} . ").replace(f"{{ {protocol} . ", f"{{ {number} . ")
        numbers = re.sub(rf"(?m)^(\t+ +){protocol} \. ", rf"\g<1>{number} . ", numbers)
        numbers = numbers.replace(f"meta l4proto {protocol}", f"meta l4proto {number}")
    assert " . 17 . " in numbers
    assert _read(numbers) == _read(text)


def test_tables_of_nft_in_a_string_of_json_are_refused_with_what_to_do() -> None:
    with pytest.raises(DumpSyntaxError) as caught:
        ipt_explain.parse(json.dumps({"stdout": _TEXTS["nft"]}))
    assert "jq -r .stdout" in caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "table ip x {\n\tchain c {\n" + ";" * 30_000 + "\n\t}\n}\n",
        "table ip x {\n\tchain c {\n\t\tct state 0x8 " + "fib " * 20_000 + "\n\t}\n}\n",
        "".join(
            f"table ip x {{\n\tchain c{number} {{\n\t\ttype filter hook forward priority 0;\n\t}}\n}}\n"
            for number in range(5000)
        ),
    ],
    ids=["one long word", "words that may begin a name", "pieces"],
)
def test_hostile_tables_are_read(text: str) -> None:
    """Each took minutes where a pattern or a comparison was tried at every place."""
    assert ipt_explain.parse(text).nft is not None
