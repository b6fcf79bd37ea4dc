"""Tables and chains at a glance, by author."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.analyzers.profiles.tables import HookFacts, Possession, TableFacts
from ipt_explain.render.show.chain import origin
from ipt_explain.render.text.outline import Line, Span, TreeNode, draw, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.render.text.terminal import to_text
from ipt_explain.words import and_more, counted
from ipt_explain.words.quotes import clipped

SHOWN_NAMES = 12


def overview_text(tables: Sequence[TableFacts], width: int, color: bool) -> Iterator[str]:
    """The tables as text, in pieces."""
    placed = ((facts.place.ruleset, origin(facts.place.ruleset), _table(facts)) for facts in tables)
    return to_text(titled(placed, width), color)


def titled(tables: Iterable[tuple[object, str, TreeNode]], width: int) -> Iterator[Line]:
    """Tables, each with its ruleset, below the titles of these."""
    shown: object = None
    for ruleset, title, table in tables:
        if ruleset is not shown:
            if shown is not None:
                yield []
            shown = ruleset
            yield from draw(TreeNode([(escape(title), "title")]), width)
        yield []
        yield from draw(table, width)


def _table(facts: TableFacts) -> TreeNode:
    table = facts.place.table
    sizes = f"  {counted(len(table.chains), 'chain')}, {counted(table.rule_count, 'rule')}"
    node = TreeNode([(escape(table.name), "name"), (sizes, "")])
    node.children += [_hook(hook) for hook in facts.hooks if hook.rules]
    node.children += _empty_hooks(facts.hooks)
    node.children += [_possession(possession) for possession in facts.possessions]
    if facts.unreachable:
        node.children.append(named_list("not reached from any hook", facts.unreachable))
    if facts.dangling:
        missing = dict.fromkeys(f"{jump.target} (line {jump.line})" for jump in facts.dangling)
        node.children.append(named_list("jumped to, but missing", tuple(missing)))
    for cycle in facts.cycles:
        path = [escape(clipped(name)) for name in _shortened(cycle.path)]
        node.children.append(TreeNode([("cycle  ", "bad"), *sentence(" → ".join([*path, path[0]]))], hang=7))
    return node


def _hook(facts: HookFacts) -> TreeNode:
    by_owner: dict[str, int] = {}
    for _, owner in facts.rules:
        name = owner.name if owner is not None else "unknown"
        by_owner[name] = by_owner.get(name, 0) + 1
    sizes = counted(len(facts.rules), "rule")
    owners = ", ".join(f"{name} {count:,}" for name, count in by_owner.items())
    return TreeNode(
        [(escape(facts.chain.name), "name"), *sentence(f"  {sizes} ({owners}){_policy(facts)}")[1:]], hang=2
    )


def _empty_hooks(hooks: Sequence[HookFacts]) -> Iterator[TreeNode]:
    """The built-in chains without rules, grouped by policy."""
    by_policy: dict[str, list[str]] = {}
    for facts in hooks:
        if not facts.rules:
            by_policy.setdefault(_policy(facts), []).append(facts.chain.name)
    for policy, names in by_policy.items():
        yield TreeNode([(", ".join(names), "name"), *sentence(f"  no rules{policy}")[1:]], hang=2)


def _policy(facts: HookFacts) -> str:
    return f", policy {escape(facts.chain.policy)}" if facts.chain.policy is not None else ""


def _possession(possession: Possession) -> TreeNode:
    owner = possession.owner or "unknown"
    style = "unknown" if possession.owner is None else ""
    counts = f"{counted(possession.chain_count, 'chain')}, {counted(possession.rules, 'rule')}:"
    names = [
        escape(f"{name} × {count:,}" if name.endswith("…") else clipped(name))
        for name, count in possession.chains.items()
    ]
    words: list[Span] = [(escape(owner), style or "name"), *sentence(f"  {counts}")[1:]]
    return TreeNode([*words, *_names(names)], hang=2)


def named_list(label: str, names: Sequence[str], style: str = "unknown") -> TreeNode:
    """A label and the first few names."""
    return TreeNode([(label, style), *_names([escape(clipped(name)) for name in names])], hang=2)


def _names(names: Sequence[str]) -> list[Span]:
    shown = list(names[:SHOWN_NAMES])
    if len(names) > SHOWN_NAMES:
        shown.append(and_more(len(names) - SHOWN_NAMES).strip())
    return [(f" {name}{',' if number < len(shown) else ''}", "") for number, name in enumerate(shown, start=1)]


def _shortened(path: Sequence[str]) -> list[str]:
    if len(path) <= SHOWN_NAMES:
        return list(path)
    return [*path[: SHOWN_NAMES - 1], f"… {len(path) - SHOWN_NAMES:,} more …", path[-1]]
