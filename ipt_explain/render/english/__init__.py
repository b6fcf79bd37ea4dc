"""Rules in plain English, every match and target of the grammar in words of its own."""

from ipt_explain.render.english.glossary import NOTHING_KNOWN, Glossary
from ipt_explain.render.english.rule import RuleWords, rule_words

__all__ = ["NOTHING_KNOWN", "Glossary", "RuleWords", "rule_words"]
