"""Rules hidden by earlier rules of their chain."""

from __future__ import annotations

from ipt_explain.graph.lint.shadowed import Shadow, find_shadows
from ipt_explain.model.by_shape import by_layout
from ipt_explain.parsing import read_dump


def shadows(text: str) -> list[Shadow]:
    return [shadow for ruleset in read_dump(text).rulesets for shadow in find_shadows(ruleset, by_layout(ruleset))]


def lines(text: str) -> list[tuple[int, list[int]]]:
    """Each hiding rule's line, with those that it hides."""
    return [(shadow.rule.line, [rule.line for rule in shadow.hidden]) for shadow in shadows(text)]


def filter_table(*rules: str) -> str:
    chains = sorted({rule.split()[1] for rule in rules} - {"INPUT"})
    declared = "".join(f":{chain} - [0:0]\n" for chain in chains)
    return "*filter\n:INPUT ACCEPT [0:0]\n" + declared + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"


def test_everything_after_an_unconditional_verdict_is_hidden() -> None:
    assert lines("-A INPUT -j ACCEPT\n-A INPUT -p tcp -j DROP\n-A INPUT -j LOG\n") == [(1, [2, 3])]


def test_a_goto_ends_its_chain() -> None:
    assert lines("-A INPUT -g ELSEWHERE\n-A INPUT -j DROP\n") == [(1, [2])]


def test_a_jump_hides_only_if_its_chain_never_returns() -> None:
    ends = filter_table("-A INPUT -j A", "-A INPUT -j LOG", "-A A -i lo -j ACCEPT", "-A A -j DROP")
    returns = filter_table("-A INPUT -j A", "-A INPUT -j LOG", "-A A -i lo -j RETURN", "-A A -j DROP")
    assert len(shadows(ends)) == 1
    assert shadows(returns) == []


def test_a_chain_that_ends_by_way_of_others_never_returns() -> None:
    text = filter_table("-A INPUT -j A", "-A INPUT -j LOG", "-A A -j B", "-A A -j RETURN", "-A B -g C", "-A C -j DROP")
    assert len([shadow for shadow in shadows(text) if shadow.chain == "INPUT"]) == 1


def test_a_fragment_does_not_show_whether_a_chain_returns() -> None:
    assert shadows("-A INPUT -j A\n-A INPUT -j LOG\n-A A -j DROP\n") == []


def test_a_cycle_of_jumps_is_not_an_end() -> None:
    assert shadows(filter_table("-A INPUT -j A", "-A INPUT -j LOG", "-A A -j B", "-A B -j A")) == []


def test_equal_effects_are_distinguished_from_others() -> None:
    (same,) = shadows("-A INPUT -s 10.0.0.0/8 -j DROP\n-A INPUT -s 10.1.0.0/16 -j DROP\n")
    (other,) = shadows("-A INPUT -s 10.0.0.0/8 -j DROP\n-A INPUT -s 10.1.0.0/16 -j ACCEPT\n")
    assert same.same_effect
    assert not other.same_effect


def test_inserted_rules_have_no_order_to_judge() -> None:
    assert shadows("*filter\n-A INPUT -j ACCEPT\n-I INPUT -j DROP\nCOMMIT\n") == []


def test_one_narrow_rule_is_found_among_many() -> None:
    many = [
        f"-A INPUT -s 10.{number // 250}.{number % 250}.1/32 -p tcp -m tcp --dport 80 -j DROP" for number in range(5000)
    ]
    text = "\n".join([*many, "-A INPUT -s 10.3.7.1/32 -p tcp -m tcp --dport 80 -j ACCEPT", ""])
    assert lines(text) == [(758, [5001])]
