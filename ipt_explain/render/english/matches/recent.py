"""`-m recent`: lists of addresses that packets came from, which kube-proxy uses for session affinity."""

from __future__ import annotations

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.options import Given, Options
from ipt_explain.words import aside, counted
from ipt_explain.words.durations import duration


def recent(options: Options, _: Glossary) -> list[str]:
    """One check or update of a list of recently seen addresses.

    Facts (xt_recent.c): `--set` always matches, so `! --set` never does; `--update` renews the entry if it matches;
    `--reap` removes the oldest entry if it is older than `--seconds`, but only when the address is found.
    """
    side = "destination" if options.flag("--rdest") else "source"
    options.flag("--rsource")
    name = options.value("--name") or "DEFAULT"
    mask = options.value("--mask")
    address = f"{side} address"
    if mask is not None:
        address += f" (mask {mask})"
    noted = options.take("--set")
    if noted:
        outcome = "which never matches" if noted.negated else "which always matches"
        return [f'has its {address} noted in list "{name}" ({outcome})']
    checked = options.take("--rcheck") or options.take("--update") or options.take("--remove")
    if checked is None:
        return [f'is looked up by its {address} in list "{name}"']
    verb = "does not have" if checked.negated else "has"
    return [f'{verb} its {address} in list "{name}"{_conditions(options)}{_effects(checked, options)}']


def _conditions(options: Options) -> str:
    seconds, count = options.value("--seconds"), options.value("--hitcount")
    often = f"at least {counted(count, 'time')}" if count is not None else ""
    lately = f"within the last {duration(seconds)}" if seconds is not None else ""
    same_ttl = ", with the same TTL" if options.flag("--rttl") else ""
    when = " ".join(filter(None, [often, lately]))
    return f", noted {when}{same_ttl}" if when else same_ttl


def _effects(checked: Given, options: Options) -> str:
    """How the check changes the list."""
    effects = []
    if checked.name == "--update":
        effects.append(
            "an entry that is there but does not fit is recorded again" if checked.negated else "and is recorded again"
        )
    elif checked.name == "--remove":
        effects.append("an entry that is there is removed" if checked.negated else "and is removed from it")
    if options.flag("--reap"):
        effects.append("an outdated entry is removed")
    return aside(effects)
