"""The conditions of rules: all of them in words, and the connection states that they name."""

from __future__ import annotations

from ipt_explain.model import Option, Rule


def conditions_of(rule: Rule, but_new: bool = False) -> tuple[str, ...]:
    """A rule's conditions, except comments: `-p tcp`, `--match-set …`. `but_new` also leaves out `--ctstate NEW`."""
    shape = rule.shape
    matches = [option for match in shape.matches if match.module != "comment" for option in match.options]
    words = [rule.spelled(option) for option in (*shape.core, *matches)]
    return tuple(each for each in words if not (but_new and each in ("--ctstate NEW", "--state NEW")))


def asked_states(rule: Rule) -> frozenset[str]:
    """The connection states that a rule names (`--ctstate NEW`), negated or not; none if it does not ask for any."""
    words = rule.match("conntrack", "--ctstate") or rule.match("state", "--state")
    return frozenset(words.split(",")) if words else frozenset()


def asks_for_new(rule: Rule) -> bool:
    """Whether a rule is limited to new connections."""
    return asked_states(rule) == {"NEW"}


def state_option(rule: Rule) -> Option | None:
    """The option by which a rule asks for the connection's state, if it does."""
    return rule.shape.match_option("conntrack", "--ctstate") or rule.shape.match_option("state", "--state")
