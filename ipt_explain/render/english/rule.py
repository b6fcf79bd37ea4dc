"""One rule as an English sentence: which packets match, and what happens to them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import Generic, TypeVar

from ipt_explain.model import Match, Option, Rule, Shape, Target, TargetKind
from ipt_explain.model.kernel import HOOKS, NO_CHAIN
from ipt_explain.records import Record
from ipt_explain.render.english.core import condition, counters, worded
from ipt_explain.render.english.glossary import NOTHING_KNOWN, Glossary
from ipt_explain.render.english.matches.catalogue import COMPOSERS
from ipt_explain.render.english.matches.plain import BARE, PREDICATES
from ipt_explain.render.english.options import Given, Options
from ipt_explain.render.english.targets.catalogue import ACTIONS, CONTINUING
from ipt_explain.render.english.targets.nat import NAT
from ipt_explain.render.english.wording import say
from ipt_explain.words import both
from ipt_explain.words.quotes import cited

NEXT_RULE = "goes on to the next rule"
CONNECTION_FOLLOWS = "the rest of its connection follows"


class RuleWords(Record):
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


def rule_words(rule: Rule, glossary: Glossary = NOTHING_KNOWN) -> RuleWords:
    """The rule in words, with every option's value."""
    return RuleWriter(glossary).words(rule)


class RuleWriter:
    """Puts the rules of one table into words, as `rule_words` does, with the work per shape done once. Rules that have
    the same values in a match or option share its words.

    `chains` are the names of the table's chains: `-j LOG` is a jump if one of them is called LOG.
    """

    def __init__(self, glossary: Glossary = NOTHING_KNOWN, chains: Container[str] = ()) -> None:
        self._glossary = glossary
        self._chains = chains
        self._forms: dict[Shape, _Form] = {}
        self._known: dict[tuple[object, ...], dict[object, list[str]]] = {}

    def words(self, rule: Rule) -> RuleWords:
        """The rule in words."""
        form = self._forms.get(rule.shape)
        if form is None:
            form = self._forms[rule.shape] = self._form(rule.shape)
        conditions: list[str] = []
        for part in form.conditions:
            conditions += part.of(rule)
        action, after = form.action.of(rule)
        comments = tuple([rule.first(option) or "" for option in form.comments]) if form.comments else ()
        return RuleWords(tuple(conditions), action, after, comments)

    def _form(self, shape: Shape) -> _Form:
        conditions = [self._part("", (option,), partial(_core, option=option)) for option in worded(shape.core)]
        comments: list[Option] = []
        for match in shape.matches:
            if match.module == "comment":
                comments += match.options
            else:
                compose = partial(_match, match=match, glossary=self._glossary)
                conditions.append(self._part(match.module, match.options, compose))
        target = shape.target
        options = [*shape.core] if shape.core_option("-c") is not None else []
        if target is not None:
            options += target.options
            options += [] if target.slot is None else [Option("-j", False, (target.slot,))]
        return _Form(conditions, _Part(options, self._action, {}), comments)

    def _part(self, module: str, options: Sequence[Option], compose: Callable[[Rule], list[str]]) -> _Part[list[str]]:
        """What a match says, or a core option; shapes that have the same one share its words."""
        alike = (module, *[(option.name, option.negated, len(option.slots)) for option in options])
        return _Part(options, compose, self._known.setdefault(alike, {}))

    def _action(self, rule: Rule) -> tuple[str, str]:
        action, after = _action(rule, rule.shape.target, self._glossary, self._chains)
        return action + counters(rule), after


_Words = TypeVar("_Words")
_KEPT = 4096
"""How many combinations of values are kept with their words: rules of one Service follow each other."""


class _Part(Generic[_Words]):
    """What some options of a shape's rules say, kept by their values."""

    def __init__(
        self, options: Iterable[Option], compose: Callable[[Rule], _Words], known: dict[object, _Words]
    ) -> None:
        slots = [slot for option in options for slot in option.slots]
        self._values: Callable[[Sequence[str]], object] = itemgetter(*slots) if slots else len
        self._compose = compose
        self._known = known

    def of(self, rule: Rule) -> _Words:
        """The words for a rule."""
        values = self._values(rule.values)
        words = self._known.get(values)
        if words is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            words = self._known[values] = self._compose(rule)
        return words


class _Form(Record):
    """What rules of one shape say, part by part."""

    conditions: Sequence[_Part[list[str]]]
    action: _Part[tuple[str, str]]
    comments: Sequence[Option]


def _core(rule: Rule, option: Option) -> list[str]:
    return [condition(option, rule.first(option) or "")]


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
    if name == "RETURN" and name not in chains and rule.chain != NO_CHAIN:
        of_hook = rule.chain in HOOKS
        return "leaves this chain, and its policy applies" if of_hook else "returns to the calling chain", ""
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
