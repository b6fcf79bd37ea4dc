"""Actions of nftables' rules, as predicates: `goes to chain X for good`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ipt_explain.model import nft
from ipt_explain.model.nft.printing import element_text, expression_text, statement_text
from ipt_explain.netfilter.marks import ALL_BITS
from ipt_explain.netfilter.nft.chances import chances
from ipt_explain.records import replace
from ipt_explain.render.english.marks import bits
from ipt_explain.render.english.nft.nouns import drawn, held, noun, value
from ipt_explain.words import either, listed
from ipt_explain.words.percents import percent

Fold = Callable[[str], str]
"""Returns a chain's purpose in a few words; "" if unknown."""

_MOST_OUTCOMES = 4


def action(statement: nft.Statement, table: nft.Table | None, marks: Mapping[int, str], fold: Fold) -> str | None:
    """What a statement does; None for a condition or a counter."""
    if isinstance(statement, nft.Verdict):
        return _verdict(statement, fold)
    if isinstance(statement, nft.VerdictMap):
        return _verdict_map(statement, table, fold)
    if isinstance(statement, nft.Nat):
        return _nat(statement, table)
    if isinstance(statement, nft.Mangle):
        return _mangle(statement, marks)
    if isinstance(statement, nft.SetUpdate):
        return _update(statement, table)
    if isinstance(statement, nft.Reject):
        kind = (
            "icmp port-unreachable"
            if statement.kind is None
            else statement_text(statement).removeprefix("reject with ")
        )
        return f"is refused with {kind} (reject)"
    if isinstance(statement, nft.Log):
        return f"is logged (`{statement_text(statement)}`)"
    if isinstance(statement, nft.Notrack):
        return "is kept out of connection tracking (notrack)"
    if isinstance(statement, nft.Aside):
        return f"goes through `{statement.text}`, which does not change its way"
    if isinstance(statement, nft.FlowOffload):
        return f"hands the rest of its connection to flow table {statement.table.name}"
    if isinstance(statement, nft.Xtables) and statement.kind != "match":
        return f"gets what {statement.kind} {statement.name} of iptables does (nft shows only its name)"
    return None


def _verdict(given: nft.Verdict, fold: Fold) -> str:
    """A verdict."""
    if given.chain is not None:
        what = fold(given.chain)
        aside = f" ({what})" if what else ""
        if given.kind is nft.VerdictKind.GOTO:
            return f"goes to chain {given.chain}{aside} and does not come back"
        return f"jumps to chain {given.chain}{aside}"
    return _VERDICTS[given.kind]


_VERDICTS = {
    nft.VerdictKind.ACCEPT: "passes this hook's chain (accept); chains of later priority still see it",
    nft.VerdictKind.DROP: "is dropped",
    nft.VerdictKind.RETURN: "returns to the calling chain (in a base chain: to its policy)",
    nft.VerdictKind.CONTINUE: "goes on to the next rule",
}


def _verdict_map(lookup: nft.VerdictMap, table: nft.Table | None, fold: Fold) -> str:
    key, data = lookup.key, lookup.data
    if not isinstance(data, nft.SetLiteral):
        by = drawn(key) if isinstance(key, nft.Numgen) else f"its {noun(key)}"
        return f"goes where {held(data, table, key, 'map')} sends it by {by}; without an entry, on to the next rule"
    shared = chances(lookup)
    if shared is None:
        outcomes = [f"{value(element.key, key)}: {_outcome(element, fold)}" for element in data.elements]
        return f"goes by its {noun(key)}: {listed(outcomes, _MOST_OUTCOMES)}"
    return _by_chance([(_outcome(element, fold), share) for element, share in shared.items()])


def _by_chance(outcomes: Sequence[tuple[str, float]]) -> str:
    """Where packets go, each with its share; equal shares are printed once."""
    places = [place for place, _ in outcomes]
    if len(places) == 1 and outcomes[0][1] == 1:
        return f"goes to {places[0]}"
    if len({share for _, share in outcomes}) == 1:
        each = f"{percent(outcomes[0][1])} each"
        return f"goes at random, {each}, to {either(_few(places))}"
    return "goes at random: " + listed([f"{percent(share)} to {place}" for place, share in outcomes], _MOST_OUTCOMES)


def _few(places: Sequence[str]) -> list[str]:
    if len(places) <= _MOST_OUTCOMES:
        return list(places)
    return [*places[: _MOST_OUTCOMES - 1], f"{len(places) - _MOST_OUTCOMES + 1:,} others"]


def _outcome(element: nft.Element, fold: Fold) -> str:
    given = element.data
    if not isinstance(given, nft.Verdict):
        return element_text(element)
    if given.chain is None:
        return given.kind.value
    what = fold(given.chain)
    return f"chain {given.chain}{f' ({what})' if what else ''}"


def _nat(nat: nft.Nat, table: nft.Table | None) -> str:
    flags = "".join(f", {_FLAGS.get(flag, flag)} ({flag})" for flag in sorted(nat.flags))
    port = f", port {value(nat.port)}" if nat.port is not None else ""
    if nat.kind is nft.NatKind.MASQUERADE:
        return f"gets its source rewritten to the address of the interface it leaves by{port} (masquerade){flags}"
    if nat.kind is nft.NatKind.REDIRECT:
        return f"is sent to this node itself{port} (redirect){flags}"
    end = "destination" if nat.kind is nft.NatKind.DNAT else "source"
    if isinstance(nat.address, nft.MapLookup):
        looked_up = nat.address
        shared = chances(looked_up)
        if shared is not None:
            places = [(_place(element.data), share) for element, share in shared.items()]
            rewritten = _by_chance(places).removeprefix("goes ")
            return f"gets its {end} rewritten {rewritten} ({nat.kind.value}){flags}"
        where = held(looked_up.data, table, looked_up.key, "map")
        return f"gets its {end} rewritten to what {where} has for its {noun(looked_up.key)} ({nat.kind.value}){flags}"
    to = statement_text(replace(nat, flags=frozenset())).split(" to ", 1)[-1]
    return f"gets its {end} rewritten to {to} ({nat.kind.value}){flags}"


_FLAGS = {
    "random": "with a port at random",
    "fully-random": "with a port fully at random",
    "persistent": "always the same for a client",
}


def _place(data: nft.Verdict | nft.Expression | None) -> str:
    if data is None or isinstance(data, nft.Verdict):
        return ""
    return expression_text(data).replace(" . ", ":")


def _mangle(mangle: nft.Mangle, marks: Mapping[int, str]) -> str:
    target, given = mangle.target, mangle.value
    if target in (nft.Meta("mark"), nft.Conntrack("mark")):
        whose = "mark" if isinstance(target, nft.Meta) else "connmark"
        if isinstance(given, nft.Binary) and given.left == target and isinstance(given.right, int):
            done = {"|": "set", "^": "toggled"}.get(given.operator)
            if done is not None:
                return f"gets {whose} {bits(given.right, marks)} {done}"
            if given.operator == "&":
                return f"gets {whose} {bits(ALL_BITS ^ given.right, marks)} cleared"
        if isinstance(given, int):
            return f"gets its whole {whose} set to {given:#x}"
    return f"gets its {noun(target).strip('`')} changed (`{statement_text(mangle)}`)"


def _update(update: nft.SetUpdate, table: nft.Table | None) -> str:
    named = None if table is None else table.sets.get(update.target.name)
    seconds = update.timeout if update.timeout is not None else named.timeout if named is not None else None
    if update.operation == "delete":
        return f"has its {noun(update.key)} taken out of set {update.target.name}"
    span = f" for {seconds:,} s" if seconds is not None else ""
    return f"has its {noun(update.key)} remembered in set {update.target.name}{span}"


def joined_actions(actions: Sequence[str]) -> str:
    """A rule's actions, in order: `is counted, then is dropped`."""
    return ", then ".join(actions)
