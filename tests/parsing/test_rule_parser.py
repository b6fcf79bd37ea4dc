"""One rule's text: what it means, how it is printed, and what is said where it is wrong."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_explain.model import Command, Option, Rule, TargetKind
from ipt_explain.parsing.iptables.rules.rule_parser import ParsedRule, RuleSyntaxError, parse_rule
from ipt_explain.parsing.iptables.shapes.patterns import pattern_of
from tests.corpora import restore_inputs
from tests.syntax_corpus import saved_rules


def _rule(line: str) -> Rule:
    parsed = parse_rule(line)
    return Rule(parsed.shape, parsed.values, line=1)


def _error(line: str) -> RuleSyntaxError:
    with pytest.raises(RuleSyntaxError) as caught:
        parse_rule(line)
    return caught.value


# What a rule says.


def test_the_parts_of_a_rule() -> None:
    rule = _rule(
        '-A KUBE-SERVICES ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p udp -m comment --comment "dns cluster IP" '
        "-m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU"
    )
    assert rule.chain == "KUBE-SERVICES"
    assert (rule.core("-s"), rule.core("-d"), rule.core("-p")) == ("10.244.0.0/16", "10.96.0.10/32", "udp")
    assert rule.shape.core_option("-s") == Option("-s", negated=True, slots=(1,))
    assert rule.comment == "dns cluster IP"
    assert rule.match("udp", "--dport") == "53"
    assert rule.target == "KUBE-SVC-TCOU7JCQXEZGVUNU"
    assert rule.shape.command is Command.APPEND


def test_a_known_target_is_part_of_the_shape_and_a_chain_is_a_value() -> None:
    dnat, chain = _rule("-A X -j DNAT --to-destination 10.0.0.1:80"), _rule("-A X -j DNATX")
    assert dnat.shape.target is not None and chain.shape.target is not None
    assert (dnat.shape.target.name, dnat.shape.target.slot) == ("DNAT", None)
    assert (chain.shape.target.name, chain.shape.target.slot) == (None, 1)
    assert dnat.target_value("--to-destination") == "10.0.0.1:80"


def test_a_goto_always_names_a_chain() -> None:
    rule = _rule("-A X -g ACCEPT")
    assert rule.is_goto and rule.target == "ACCEPT"
    assert rule.shape.target is not None and rule.shape.target.kind is TargetKind.GOTO


def test_rules_that_differ_only_in_values_have_one_shape() -> None:
    one = parse_rule('-A KUBE-SEP-A -s 10.244.1.3/32 -m comment --comment "a/b:http" -j KUBE-MARK-MASQ')
    two = parse_rule("-A KUBE-SEP-B -s 10.244.1.4/32 -m comment --comment x -j OTHER")
    assert one.shape is two.shape


def test_slots_are_numbered_in_text_order_and_tokens_point_at_them() -> None:
    line = "-A X -m tcp -p tcp -d 10.96.0.37 --dport 80 -j Y"
    parsed = parse_rule(line)
    assert parsed.values == ("X", "tcp", "10.96.0.37", "80", "Y")
    assert [token.slot for token in parsed.tokens] == [0, 1, 2, 3, 4]
    assert [line[token.start : token.end] for token in parsed.tokens] == list(parsed.values)


# Lines that a look at dashes and quotes would misread; each is printed again as it stands.


@pytest.mark.parametrize(
    "line",
    [
        "-A INPUT",
        "-A INPUT -m comment --comment -m -j ACCEPT",
        "-A INPUT -m comment --comment COMMIT -j ACCEPT",
        '-A INPUT -m comment --comment "" -j ACCEPT',
        '-A INPUT -m comment --comment "-j ACCEPT" -j DROP',
        '-A INPUT -m comment --comment "a \\"b\\" \\\\ \\\'c\\\'" -j DROP',
        '-A INPUT -m comment --comment "line\n-A INPUT -j ACCEPT\n#" -j DROP',
        '-A INPUT -m comment --comment "\u2028\x0b\x85\r\x1b[31m" -j DROP',
        "-A INPUT -m comment --comment a -m comment --comment b -m multiport --dports 1 -m multiport --sports 2",
        "-A INPUT -i -j -j ACCEPT",
        "-A INPUT -m set --match-set -dash src -j DROP",
        "-A INPUT -m physdev --physdev-in  -j ACCEPT",
        '-A INPUT -m physdev --physdev-in a"b -j ACCEPT',
        "-A INPUT -m nfacct --nfacct-name  test",
        '-A INPUT -m nfacct --nfacct-name  "my acct" -j ACCEPT',
        "-A INPUT -m rateest --rateest1 RE1 --rateest-lt --rateest-bps --rateest2 RE2 -j ACCEPT",
        "-A INPUT -m rateest --rateest RE1 --rateest-lt --rateest-bps 8bit -j ACCEPT",
        "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
        "-A INPUT -p udp -m recent --set --name x --mask 255.255.255.255 --rsource -m udp --dport 123 -j DROP",
        "-A INPUT -m policy --dir in --pol ipsec --strict --proto esp --mode tunnel --next --proto ah",
        "-A INPUT ! -i eth+ ! -o lo ! -p tcp ! -f -m mark ! --mark 0x1/0x1 -j DROP",
        "-A [0:0] -p tcp -j :x",
        '-A " -p tcp -j RETURN',
        '-A INPUT -j a""b',
        "-A X -j DNAT [unsupported revision]",
        "-A X -m tcp [unsupported revision] -j ACCEPT",
        "-A X -m geoip ! --source-country CN,RU -m foo --bar --baz 1 2 -j TARPIT --honeypot --level 3",
        "-A X -m foo -j ACCEPT",
        "-I INPUT 3 -j ACCEPT",
        "-D INPUT -j ACCEPT",
        "-R INPUT 1 -j DROP",
    ],
)
def test_a_rule_is_printed_as_written(line: str) -> None:
    assert _rule(line).text == line


def test_the_arguments_that_look_like_options() -> None:
    rule = _rule("-A X -i -j -m comment --comment -m -m set --match-set -dash src -j LOG --log-prefix -x")
    assert rule.core("-i") == "-j"
    assert rule.comment == "-m"
    option = rule.shape.match_option("set", "--match-set")
    assert option is not None and rule.arguments(option) == ("-dash", "src")
    assert rule.target_value("--log-prefix") == "-x"


def test_an_empty_name_is_an_empty_value() -> None:
    assert _rule("-A X -m physdev --physdev-in  -j ACCEPT").match("physdev", "--physdev-in") == ""
    assert _rule("-A X -m physdev --physdev-in  eth0 -j ACCEPT").match("physdev", "--physdev-in") == "eth0"


# Input for iptables-restore, and how iptables-save would print it.


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        (
            "-A X -m tcp -p tcp -d 10.96.0.37 --dport 80 -j Y",
            "-A X -d 10.96.0.37 -p tcp -m tcp --dport 80 -j Y",
        ),
        (
            "-A X -m tcp -m comment --comment c ! --dport 80 -j Y",
            "-A X -m tcp ! --dport 80 -m comment --comment c -j Y",
        ),
        ("-A X -j Y -m tcp -p tcp --dport 80", "-A X -p tcp -m tcp --dport 80 -j Y"),
        ("-A X -p tcp --dport 80 -j Y", "-A X -p tcp -m tcp --dport 80 -j Y"),
        ("-A X -p 17 --dport 80 -j Y", "-A X -p 17 -m udp --dport 80 -j Y"),
        ("-A X -p ipv6-icmp --icmpv6-type 1", "-A X -p ipv6-icmp -m icmp6 --icmpv6-type 1"),
        ("-A X -m tcp -j Y --dport 80", "-A X -m tcp --dport 80 -j Y"),
        ("-A X -j DNAT ! -s 10.0.0.1 --to-destination 1.2.3.4", "-A X ! -s 10.0.0.1 -j DNAT --to-destination 1.2.3.4"),
        ("-A X -j LOG -m tcp --log-prefix a --dport 1", "-A X -m tcp --dport 1 -j LOG --log-prefix a"),
        ("-A X -m mark -m connmark --mark 1", "-A X -m mark -m connmark --mark 1"),
        ("-A X -d ! 10.0.0.0/8 -j Y", "-A X ! -d 10.0.0.0/8 -j Y"),
        ("-A X -m tcp --dport ! 80", "-A X -m tcp ! --dport 80"),
        ("-A X -c 1 2 -j Y", "-A X -j Y"),
        ("-A X --set-counters 1,2 -j Y", "-A X -j Y"),
        ("-A\tX  -i   eth0\t-j Y", "-A X -i eth0 -j Y"),
        ('-A X -m comment --comment "a"-j Y', '-A X -m comment --comment "a" -j Y'),
        ("--append X --jump Y", "-A X -j Y"),
        ("--insert X 2 --goto Y", "-I X 2 -g Y"),
        (
            "-A X --source 1 --destination 2 --in-interface a --out-interface b --protocol tcp --fragment --match tcp",
            "-A X -s 1 -d 2 -i a -o b -p tcp -f -m tcp",
        ),
        ("-A X --src 1 --dst 2 --proto tcp", "-A X -s 1 -d 2 -p tcp"),
        ("-A X -m foo --bar -s 1 --baz 2 -j Y", "-A X -s 1 -m foo --bar --baz 2 -j Y"),
        ("-A X -j MARK --or-mark 0x4000", "-A X -j MARK --or-mark 0x4000"),
        ("-A X -j Y -6", "-A X -6 -j Y"),
    ],
)
def test_restore_input_is_put_in_order(line: str, printed: str) -> None:
    assert _rule(line).text == printed


def test_an_option_belongs_to_the_last_loaded_match_that_knows_it() -> None:
    shape = _rule("-A X -m mark -m comment --comment c -m connmark -m tcp --mark 1").shape
    assert [(match.module, [option.name for option in match.options]) for match in shape.matches] == [
        ("mark", []),
        ("comment", ["--comment"]),
        ("connmark", ["--mark"]),
        ("tcp", []),
    ]


def test_counters_in_a_rule_are_among_its_own_options() -> None:
    option = _rule("-A X -c 12 3400 -j Y").shape.core_option("-c")
    assert option == Option("-c", negated=False, slots=(1, 2))


def test_a_pattern_stays_with_the_protocol_that_loaded_the_match() -> None:
    """`--dport` behind -p udp is an option of another match: the shape of a line with tcp does not fit it."""
    parsed = parse_rule("-A X -p tcp --dport 80")
    assert re.fullmatch(parsed.tokens[1].pattern, "tcp")
    assert not re.fullmatch(parsed.tokens[1].pattern, "udp")


@pytest.mark.parametrize(
    ("line", "slot", "takes", "refuses"),
    [
        ("-A X -j Y", 1, ["Z", "ACCEPTED", "dnat", '"a b"'], ["ACCEPT", "DNAT", "a b"]),
        ("-A X -d 1 -j Y", 1, ["2", "-j"], ["!", "1 2"]),
        ("-A X -m comment --comment c", 1, ["d", '"d e"', '"d\ne"', '"', "!"], ["d e", '"d" e', '"d"e', ""]),
        ("-A X -m rateest --rateest-bps 1 -j Y", 1, ["2", "-x"], ["-j", "--rateest-eq", "!"]),
        ("-A X -m foo --bar 1 -j Y", 1, ["2"], ["-x", "!", "[unsupported revision]"]),
        ("-A X -m physdev --physdev-in  eth0", 1, ["eth1"], ["-x"]),
    ],
)
def test_a_value_refuses_what_the_grammar_reads_as_a_keyword(
    line: str, slot: int, takes: list[str], refuses: list[str]
) -> None:
    pattern = parse_rule(line).tokens[slot].pattern
    assert [word for word in takes if not re.fullmatch(pattern, word)] == []
    assert [word for word in refuses if re.fullmatch(pattern, word)] == []


_LINES = sorted({rule.saved for rule in saved_rules() if rule.reloads})
_INPUT = sorted(
    {rule.given for rule in saved_rules() if rule.given is not None and re.match(r"-A [^\n]*\Z", rule.given)}
    | {line for source in restore_inputs() for line in source.text.splitlines() if line.startswith("-A ")}
    | {"-A X -p tcp --dport 80 -j Y", "-A X -m tcp -j Y --dport 80", "-A X -m foo --bar -s 1 --baz 2 -j Y --q"}
)
_WORDS = st.sampled_from(
    ["-j", "-m", "!", "-s", "--dport", "tcp", "ACCEPT", "x", "-x", '"a b"', '"', "", "1", "--set", "--proto", "[unsupported"]
)  # fmt: skip


def _refilled(parsed: ParsedRule, line: str, words: list[str]) -> str:
    parts, position = [], 0
    for token, word in zip(parsed.tokens, words):
        parts += [line[position : token.start], word]
        position = token.end
    return "".join([*parts, line[position:]])


@settings(max_examples=400)
@given(st.sampled_from(_LINES) | st.sampled_from(_INPUT), st.data())
def test_what_the_patterns_take_has_the_same_shape(line: str, data: st.DataObject) -> None:
    parsed = parse_rule(line)
    refilled = _refilled(parsed, line, [data.draw(st.one_of(st.just(value), _WORDS)) for value in parsed.values])
    match = re.fullmatch(pattern_of(parsed.tokens, line, 0, len(line)).text, refilled)
    if match is not None:
        again = parse_rule(refilled)
        assert (again.shape, again.values) == (parsed.shape, match.groups())


@settings(max_examples=300)
@given(st.lists(_WORDS, max_size=12))
def test_any_words_are_read_or_refused_in_place(words: list[str]) -> None:
    line = " ".join(["-A X", *words])
    try:
        parsed = parse_rule(line)
    except RuleSyntaxError as error:
        place = (error.column, error.width)
    else:
        place = (1, 1)
        assert _rule(_rule(line).text).text == _rule(line).text
        assert parsed.values[0] == "X"
    assert 1 <= place[0] <= len(line) + 1
    assert place[1] >= 1


# What is said where a rule is wrong.


@pytest.mark.parametrize(
    ("line", "column", "width", "message"),
    [
        ("", 1, 1, "there is no rule"),
        ("-B X", 1, 2, "`-B` does not start a rule"),
        ("-A", 1, 2, "-A has no argument"),
        ("-A X -d", 6, 2, "-d has no argument"),
        ("-A X -p tcp -m tcp --dport", 20, 7, "--dport has no argument"),
        ("-A X -m set --match-set foo", 13, 11, "--match-set lacks its second argument"),
        ("-A X -p tcp -m tcp --dprot 80", 20, 7, "`--dprot` is not an option of match tcp; did you mean --dport?"),
        ("-A X -j DNAT --to-dest 1", 14, 9, "`--to-dest` is not an option of target DNAT; did you mean --to-destination?"),
        ("-A X --to-ports 1", 6, 10, "is an option of -j MASQUERADE or -j REDIRECT, which the rule does not load"),
        ("-A X -j ACCEPT -j DROP", 16, 2, "a rule has one target, and this is a second one"),
        ("-A X ! ! -s 1", 8, 1, "two negations of one option"),
        ("-A X ! -s ! 1", 11, 1, "two negations of one option"),
        ("-A X -s ! ! 1", 11, 1, "two negations of one option"),
        ("-A X ! -j Y", 8, 2, "`-j` cannot be negated"),
        ("-A X -m comment ! --comment c", 17, 1, "nothing here can be negated"),
        ("-A X -s 1 -s 2", 11, 2, "-s is given twice"),
        ("-A X -m comment --comment foo bar", 31, 3, "`bar` is one argument too many for --comment"),
        ('-A X -m comment --comment "foo bar', 32, 3, "a double quote that is opened and never closed"),
        ('-A X -m comment --comment "foo"bar', 32, 3, "`bar` follows a closing quote"),
        ("-A X -m tcp --syn 1", 19, 1, "`1` is unexpected: --syn takes no argument"),
        ("-A X -j ACCEPT foo", 16, 3, "`foo` is unexpected after -j ACCEPT"),
        ("-R X y", 6, 1, "`y` is not what -R takes"),
        ("-A X -c 1 -j Y", 11, 2, "`-j` is not what -c takes"),
        ("-A X -A Y", 6, 2, "`-A` starts a rule inside another rule"),
        ("-A X\n-j Y", 5, 1, "the rule goes on after a line feed"),
        ("-A X !", 6, 1, "nothing follows the negation"),
    ],
)
def test_an_error_quotes_the_unexpected_word(line: str, column: int, width: int, message: str) -> None:
    error = _error(line)
    assert (error.column, error.width) == (column, width)
    assert message in error.message


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-A X -p tcp -m tcp --dprot 80", "An option of match tcp, a match (-m) or a target (-j)."),
        ("-A X -j ACCEPT foo", "A match (-m)."),
        ("-A X -m", "A match's name."),
        ("-A X -j", "A target or a chain's name."),
        ("-A X -d", "An address."),
        ("-A X -m tcp --dport", "A port."),
        ("-A X foo", "An option of the rule (-s, -d, -i, -o, -p), a match (-m) or a target (-j)."),
    ],
)
def test_an_error_says_what_was_expected(line: str, expected: str) -> None:
    assert _error(line).expected == expected


def test_no_error_names_a_terminal_of_the_grammar() -> None:
    for line in _LINES[::25]:
        for cut in range(len(line)):
            try:
                parse_rule(line[:cut])
            except RuleSyntaxError as error:
                assert not re.search(r"__ANON|_BARE|MODULE|[A-Z]+_[A-Z]+", error.message + error.expected)  # noqa: PT017


def test_a_rule_may_be_as_long_as_iptables_takes_it() -> None:
    """255 words for iptables-restore; a shell may give iptables more."""
    assert len(parse_rule("-A X" + " -m comment --comment c" * 200).values) == 201
    assert len(parse_rule("-A X -m tcp -m udp" + " -m comment --dport 1" * 200).values) == 201


def test_a_rule_of_very_many_words_is_refused_early() -> None:
    for words in (" -m foo", " -i", " !", " -m foo --bar" + " x" * 100, " -j X -m tcp --dport 1", ' "', " -"):
        line = "-A X" + words * 100_000
        assert _error(line).column < len(line) / 10


def test_one_long_word_is_a_word() -> None:
    for word in ("x" * 1_000_000, '"' + "x " * 500_000 + '"', '"' + '\\"' * 500_000 + '"'):
        assert parse_rule(f"-A X -m comment --comment {word} -j Y").values[1] == word
