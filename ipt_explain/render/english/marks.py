"""Packet and connection marks in words: which bits a rule tests, sets, clears or toggles."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.netfilter.marks import ALL_BITS, MarkChange, mark_change, parse_mark
from ipt_explain.render.english.wording import say


def bits(mask: int, names: Mapping[int, str]) -> str:
    """`bit 0x4000 (the masquerade mark)`, `bits 0xff`."""
    noun = "bit" if _single(mask) else "bits"
    name = f" ({names[mask]})" if mask in names else ""
    return f"{noun} {mask:#x}{name}"


def asked(text: str, negated: bool, names: Mapping[int, str], whose: str = "mark") -> str:
    """The condition of `--mark VALUE[/MASK]`: the bits under the mask must equal the value."""
    try:
        mark = parse_mark(text)
    except ValueError:
        return say(f"has {whose} {text}", negated)
    if mark.value & ~mark.mask:
        outcome = "always" if negated else "never"
        return say(f"has {whose} {text}", negated) + f" ({outcome} true: the mask leaves out bits of the value)"
    written = f"({'! ' * negated}{text})"
    if mark.mask == ALL_BITS and mark.value == 0:
        return f"has {'some' if negated else 'no'} {whose} {written}"
    if mark.mask == ALL_BITS:
        return say(f"has the {whose} {text} exactly", negated)
    if mark.mask == 0:
        return say(f"has any {whose} ({text})", negated)
    which = bits(mark.mask, names)
    if mark.value == mark.mask and (not negated or _single(mark.mask)):
        return f"has {whose} {which} {'clear' if negated else 'set'}"
    if mark.value == 0 and (not negated or _single(mark.mask)):
        return f"has {whose} {which} {'set' if negated else 'clear'} {written}"
    return say(f"has {whose} {which} equal to {mark.value:#x} ({text})", negated)


def changed(option: str, text: str, names: Mapping[int, str], whose: str = "mark") -> str:
    """The effect of `--set-xmark`, `--set-mark`, `--or-mark`, `--and-mark`, `--xor-mark` or `--tproxy-mark`."""
    try:
        change = mark_change(_SAME_AS.get(option, option), text)
    except ValueError:
        return f"gets its {whose} changed ({option} {text})"
    done = _operation(change, names, whose)
    obvious = option == "--set-xmark" and change.flip == change.clear != ALL_BITS
    return done if obvious else f"{done} ({option} {text})"


# xt_TPROXY.c clears the bits of the mask and toggles those of the value, as `--set-xmark` does.
_SAME_AS = {"--tproxy-mark": "--set-xmark"}


def _operation(change: MarkChange, names: Mapping[int, str], whose: str) -> str:
    flip, clear = change.flip, change.clear
    if clear == 0:
        return f"gets {whose} {bits(flip, names)} toggled" if flip else f"keeps its {whose}"
    if clear == ALL_BITS:
        name = f", {names[flip]}" if flip in names else ""
        return f"gets its whole {whose} set to {flip:#x}{name}" if flip else f"gets its whole {whose} cleared"
    if flip == clear:
        return f"gets {whose} {bits(clear, names)} set"
    if flip == 0:
        return f"gets {whose} {bits(clear, names)} cleared"
    if not change.toggles:
        return f"gets {whose} {bits(clear, names)} set to {flip:#x}"
    return f"gets {whose} {bits(clear, names)} cleared, then {bits(flip, names)} toggled"


def _single(mask: int) -> bool:
    return mask & (mask - 1) == 0
