"""One rule as an English sentence: which packets match, and what happens to them."""

from __future__ import annotations

from collections.abc import Container

from ipt_explain.model import Match, Rule, Target, TargetKind
from ipt_explain.records import dataclass
from ipt_explain.render.english.core import core, counters
from ipt_explain.render.english.glossary import NOTHING_KNOWN, Glossary
from ipt_explain.render.english.matches.catalogue import COMPOSERS
from ipt_explain.render.english.matches.plain import BARE, PREDICATES
from ipt_explain.render.english.options import Given, Options
from ipt_explain.render.english.targets.catalogue import ACTIONS, CONTINUING
from ipt_explain.render.english.targets.nat import NAT
from ipt_explain.render.english.wording import say
from ipt_explain.words.lists import both
from ipt_explain.words.quotes import cited

NEXT_RULE = "goes on to the next rule"
CONNECTION_FOLLOWS = "the rest of its connection follows"


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A rule in words, not yet escaped for a terminal.

    `conditions` and `action` are predicates about the packet; `after` says where it goes next, "" if the action already
    does. `comments` are the rule's own.
    """

    conditions: tuple[str, ...]
    action: str
    after: str
    comments: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """One sentence, without the comments."""
        end = f", and {self.after}." if self.after else "."
        return self.brief[:-1] + end

    @property
    def brief(self) -> str:
        """The sentence without where the packet goes next, for a list of rules, which shows that."""
        if not self.conditions:
            return f"Every packet {self.action}."
        return f"If a packet {both(self.conditions)}, it {self.action}."


def rule_words(rule: Rule, glossary: Glossary = NOTHING_KNOWN, chains: Container[str] = ()) -> RuleWords:
    """The rule in words, with every option's value.

    `chains` are the names of the table's chains: `-j LOG` is a jump if one of them is called LOG.
    """
    shape = rule.shape
    own = Options(rule, shape.core)
    conditions = core(own)
    comments = []
    for match in shape.matches:
        if match.module == "comment":
            comments += [given.value for given in Options(rule, match.options)]
        else:
            conditions += _match(rule, match, glossary)
    action, after = _action(rule, shape.target, glossary, chains)
    return RuleWords(tuple(conditions), action + counters(own), after, tuple(comments))


def _match(rule: Rule, match: Match, glossary: Glossary) -> list[str]:
    """The conditions of one match: from its composer, from predicates of its options, then a generic phrase."""
    if not match.options and match.module in BARE:
        return [BARE[match.module]] if BARE[match.module] else []
    options = Options(rule, match.options)
    composer = COMPOSERS.get(match.module)
    phrases = composer(options, glossary) if composer else []
    predicates = PREDICATES.get(match.module, {})
    unknown = []
    for given in options:
        if given.name in predicates:
            phrases.append(say(predicates[given.name].format(*given.arguments or ("",)), given.negated))
        else:
            unknown.append(given)
    if unknown or not phrases:
        phrases.append(f"passes match {match.module}" + _spelled(unknown))
    return phrases


def _action(rule: Rule, target: Target | None, glossary: Glossary, chains: Container[str]) -> tuple[str, str]:
    """What the rule does with a packet, and where the packet goes after that."""
    if target is None:
        return "is counted", NEXT_RULE
    name = rule.target or ""
    options = Options(rule, target.options)
    if target.kind is TargetKind.GOTO:
        return f"moves to chain {_chain(name, glossary)}, whose end leads back to where this chain was called from", ""
    if name in ACTIONS and not (name in chains and not target.options):
        action = ACTIONS[name](options, glossary)
        left = list(options)
        if left:
            action += f", with{_spelled(left)}"
        return action, NEXT_RULE if name in CONTINUING else CONNECTION_FOLLOWS if name in NAT else ""
    if target.options and name not in chains:
        return f"is handed to target {name}{_spelled(list(options))}", ""
    return f"jumps to chain {_chain(name, glossary)}", f"{NEXT_RULE} if it comes back"


def _chain(name: str, glossary: Glossary) -> str:
    purpose = glossary.chain(name)
    return f"{name} ({purpose})" if purpose else name


def _spelled(left: list[Given]) -> str:
    """Options without words, as the rule spells them."""
    words = []
    for given in left:
        words += ["!"] * given.negated + [given.name, *map(cited, given.arguments)]
    return "".join(f" {word}" for word in words)
