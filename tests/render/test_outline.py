from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ipt_explain.render.text.listing import list_text
from ipt_explain.render.text.outline import TreeNode, draw, sentence
from ipt_explain.render.text.terminal import to_text

_CODE = re.compile(r"\x1b\[[0-9;]*m")


def shown(root: TreeNode, width: int) -> list[str]:
    return "".join(to_text(draw(root, width), color=False)).splitlines()


def test_children_have_guides_and_line_numbers_form_a_column() -> None:
    leaves = [TreeNode([("one", "")], "line 1"), TreeNode([("two", "")], "line 20")]
    root = TreeNode([("root", "")], children=[TreeNode([("branch", "")], children=leaves), TreeNode([("last", "")], "line 300")])
    assert shown(root, 40) == [
        "root",
        "├─ branch",
        "│  ├─ one                    line 1",
        "│  └─ two                    line 20",
        "└─ last                      line 300",
    ]


def test_words_that_do_not_fit_continue_below_with_guides() -> None:
    root = TreeNode(
        [("root", "")],
        children=[
            TreeNode([("label  ", ""), *sentence("as many words as it takes to fill lines")], "line 7", hang=7),
            TreeNode([("end", "")]),
        ],
    )
    assert shown(root, 40) == [
        "root",
        "├─ label  as many words as   line 7",
        "│         it takes to fill lines",
        "└─ end",
    ]


@given(
    st.lists(st.lists(st.text("ab \u65e5\u00e9%", min_size=1, max_size=60), min_size=1, max_size=3), min_size=1, max_size=4),
    st.integers(40, 70),
    st.sampled_from(["", "line 7"]),
    st.integers(0, 4),
)
def test_a_list_is_broken_like_its_words(entries: list[list[str]], width: int, tail: str, label_width: int) -> None:
    proses = [[(first, ""), *[(f" {text}", "chain") for text in others]] for first, *others in entries * 2]
    label = "12"[: label_width // 2]
    listed = [(label, prose, tail) for prose in proses]
    start = [(label.ljust(label_width), "guide")]
    words = [[*start, *[word for text, style in prose for word in sentence(text, style) if word[0]]] for prose in proses]
    nodes = [TreeNode(each, tail, label_width or 2) for each in words]
    below = shown(TreeNode([("root", "")], children=[TreeNode([("last", "")], children=nodes)]), width)
    for color in (False, True):
        root = TreeNode([("root", "")], children=[TreeNode([("last", "")])])
        text = "".join(list_text(root, listed, label_width, width, color))
        assert [line.rstrip() for line in _CODE.sub("", text).splitlines()] == below


def test_a_wrapped_line_keeps_the_guide_of_its_children() -> None:
    parent = TreeNode(sentence("words that fill more than a line of forty columns"), children=[TreeNode([("leaf", "")])])
    assert shown(TreeNode([("root", "")], children=[parent]), 40) == [
        "root",
        "└─ words that fill more than a line of",
        "   │  forty columns",
        "   └─ leaf",
    ]


def test_only_a_word_longer_than_a_line_is_broken() -> None:
    root = TreeNode([("root", "")], children=[TreeNode([("x" * 90, "")], "line 1")])
    lines = shown(root, 40)
    assert "".join(line[3:].removesuffix("line 1").strip() for line in lines[1:]) == "x" * 90
    assert max(map(len, lines)) <= 40


def test_wide_characters_are_counted_by_columns() -> None:
    root = TreeNode([("root", "")], children=[TreeNode([("日本語", "")], "line 1"), TreeNode([("ascii!", "")], "line 2")])
    assert shown(root, 40)[1:] == [
        "├─ 日本語                    line 1",
        "└─ ascii!                    line 2",
    ]


def test_colour_changes_nothing_but_colour() -> None:
    root = TreeNode([("[bold]root[/bold] :smile:", "name")], children=[TreeNode([("10.0.0.1", "bad")], "line 1")])
    plain = "".join(to_text(draw(root, 60), color=False))
    coloured = "".join(to_text(draw(root, 60), color=True))
    assert coloured != plain
    assert _CODE.sub("", coloured) == plain


def test_a_tree_deeper_than_any_stack_is_drawn_in_width() -> None:
    root = node = TreeNode([("root", "")])
    for depth in range(5000):
        child = TreeNode(sentence(f"chain number {depth} which jumps to the next of them"), "line 1")
        node.children.append(child)
        node = child
    lines = shown(root, 60)
    assert max(map(len, lines)) <= 60
    assert sum("chain" in line for line in lines) == 5000
