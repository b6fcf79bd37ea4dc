"""Single rules in plain English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipt_explain.analyzers.owners.owner import owner_of
from ipt_explain.model import Rule
from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.rule import rule_words
from ipt_explain.render.show.chain_words import line_notes
from ipt_explain.render.text.outline import Line, TreeNode, draw, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.render.text.terminal import to_text
from ipt_explain.words.quotes import cited, clipped


def rules_text(rules: Iterable[Rule], glossary: Glossary, width: int, color: bool) -> Iterator[str]:
    """The rules as text, in pieces: each as a sentence, with its comments and its chain."""
    return to_text(_lines(rules, glossary, width), color)


def _lines(rules: Iterable[Rule], glossary: Glossary, width: int) -> Iterator[Line]:
    for number, rule in enumerate(rules):
        if number:
            yield []
        words = rule_words(rule, glossary)
        yield from draw(TreeNode(sentence(escape(clipped(words.sentence)), "name")), width)
        for comment in words.comments:
            yield from draw(TreeNode(sentence(f"Comment: {escape(cited(clipped(comment)))}"), hang=9), width)
        for note in line_notes(rule):
            yield from draw(TreeNode(sentence(f"Note: {escape(clipped(note))}"), hang=6), width)
        owner = owner_of(rule.chain)
        if owner is not None:
            about = f"Chain: {rule.chain}, of {owner.name}: {owner.purpose}"
            yield from draw(TreeNode(sentence(escape(clipped(about)), "chain"), hang=7), width)
