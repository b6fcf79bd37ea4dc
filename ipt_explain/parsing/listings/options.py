"""Converting one option of a listing to iptables-save's form.

Most options only have another name, which the grammar supplies. The others are converted here, by their name in the
grammar, which has two underscores: a value that is spelled differently (`icmptype 3 code 11`), an option omitted by
default, a phrase that stands for several options.
"""

from __future__ import annotations

from collections.abc import Callable

from ipt_explain.model.rule import quote
from ipt_explain.parsing.listings import values
from ipt_explain.records import Record


class Word(Record):
    """The value of an option that varies between lines: token `token` of the line, respelled."""

    token: int
    spell: Callable[[str], str] = values.same


class SavedOption(Record):
    """An option as iptables-save prints it. Words given as text are part of the line's form."""

    name: str
    negated: bool
    words: tuple[Word | str, ...]


class Listed(Record):
    """An option in a listing: its values by number and text."""

    name: str
    negated: bool
    tokens: tuple[tuple[int, str], ...]

    def saved(self, *words: Word | str, name: str | None = None) -> SavedOption:
        """The option in iptables-save's form, with these words; `name` without its two dashes."""
        return SavedOption(f"--{(name or self.name).replace('_', '-')}", self.negated, words)

    def word(self, number: int, spell: Callable[[str], str] = values.same) -> Word:
        """Value `number`, spelled as iptables-save does."""
        return Word(self.tokens[number][0], spell)

    def text(self, number: int) -> str:
        """Value `number` as text. The result depends on it, so it becomes part of the line's form."""
        return self.tokens[number][1]


_Options = list[SavedOption]


def saved_options(rule: str, negated: bool, tokens: tuple[tuple[int, str], ...]) -> _Options:
    """The options that iptables-save prints for one alternative of the grammar."""
    name, irregular, _ = rule.partition("__")
    option = Listed(name, negated, tokens)
    if irregular:
        return _IRREGULAR[rule](option)
    return [option.saved(*(option.word(number, _SPELLED.get(name, values.same)) for number in range(len(tokens))))]


_SPELLED: dict[str, Callable[[str], str]] = {
    "sport": values.ports, "dport": values.ports, "sports": values.ports, "dports": values.ports,
    "ports": values.ports, "proto": values.protocol, "vproto": values.protocol, "strip_options": values.tcp_options,
}  # fmt: skip


def _spelled(*spells: Callable[[str], str]) -> Callable[[Listed], _Options]:
    """Respell each value by its own function."""
    return lambda option: [option.saved(*(option.word(number, spell) for number, spell in enumerate(spells)))]


def _both(*spells: Callable[[str], str]) -> Callable[[Listed], _Options]:
    """Split one word into two values."""
    return lambda option: [option.saved(*(option.word(0, spell) for spell in spells))]


def _mark(spell: Callable[[str], str]) -> Callable[[Listed], _Options]:
    return lambda option: [option.saved(option.word(0, spell), name="set-xmark")]


def _type_of_service(spell: Callable[[str], str]) -> Callable[[Listed], _Options]:
    return lambda option: [option.saved(option.word(0, spell), name="set-tos")]


def _nothing(_: Listed) -> _Options:
    return []


def _comment(option: Listed) -> _Options:
    return [option.saved(option.word(0, lambda text: quote(text[2:-2].removeprefix(" ").removesuffix(" "))))]


def _quoted(text: str) -> str:
    return f'"{text}"'


def _inside_quotes(text: str) -> str:
    return quote(text[1:-1])


def _label(option: Listed) -> _Options:
    return [option.saved(option.word(0, _quoted)), SavedOption("--set", False, ())]


def _connection_sides(option: Listed) -> _Options:
    side, _, mask = option.text(0).partition("/")
    return [
        option.saved(option.word(1)),
        SavedOption("--connlimit-mask", False, (mask,)),
        SavedOption(f"--connlimit-{side[0]}addr", False, ()),
    ]


def _icmp_type(option: Listed) -> _Options:
    if len(option.tokens) == 1:
        return [option.saved(option.word(0))]
    return [option.saved(f"{option.text(0)}/{option.text(1).split()[1]}")]


def _named_type(option: Listed) -> _Options:
    text = option.text(0)
    return [SavedOption(option.saved().name, text.startswith("!"), (text.removeprefix("!"),))]


_DEFAULT_BURST = "5"


def _burst(option: Listed) -> _Options:
    burst = option.text(1)
    saved = [option.saved(option.word(0))]
    if burst != _DEFAULT_BURST:
        saved.append(SavedOption("--limit-burst", False, (burst,)))
    return saved


def _string(option: Listed) -> _Options:
    return [option.saved(option.word(0, _escaped))]


def _escaped(text: str) -> str:
    inside = text[1:-1].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'


def _time_of_day(option: Listed) -> _Options:
    return [option.saved(option.word(0), name="timestart"), option.saved(option.word(1), name="timestop")]


def _date(option: Listed) -> _Options:
    return [option.saved(f"{option.text(0)}T{option.text(1)}")]


def _program(text: str) -> str:
    program = text.strip("\0 ")
    return f'"{program.count(",") + 1},{program}"'


def _connection_mark(option: Listed) -> _Options:
    masks: list[Word | str] = [option.word(number, values.without_tilde) for number in range(len(option.tokens))]
    masks = masks or ["0xffffffff"]
    of_packet, of_connection = masks[0], masks[-1]
    if option.name.startswith("restore"):
        of_packet, of_connection = of_connection, of_packet
    return [
        option.saved(),
        SavedOption("--nfmask", False, (of_packet,)),
        SavedOption("--ctmask", False, (of_connection,)),
    ]


_LOG_FLAGS = ("tcp-sequence", "tcp-options", "ip-options", "uid", "nflog", "macdecode")
"""IPT_LOG_* of ipt_LOG.h, by bit."""


def _log_flags(option: Listed) -> _Options:
    bits = int(option.text(0))
    return [SavedOption(f"--log-{flag}", False, ()) for place, flag in enumerate(_LOG_FLAGS) if bits >> place & 1]


_LOG_LEVELS = {
    "emerg": "0", "panic": "0", "alert": "1", "crit": "2", "error": "3", "err": "3", "warning": "4", "warn": "4",
    "notice": "5", "info": "6", "debug": "7",
}  # fmt: skip


def _log_level(option: Listed) -> _Options:
    level = _LOG_LEVELS.get(option.text(0), option.text(0))
    return [] if level == "4" else [option.saved(level)]


def _prefix_pair(option: Listed) -> _Options:
    return [option.saved(option.word(0), name="src-pfx"), option.saved(option.word(1), name="dst-pfx")]


def _tproxy(option: Listed) -> _Options:
    return [
        option.saved(option.word(0, values.tproxy_port), name="on-port"),
        option.saved(option.word(0, values.tproxy_address), name="on-ip"),
        option.saved(option.word(1), name="tproxy-mark"),
    ]


_IRREGULAR: dict[str, Callable[[Listed], _Options]] = {
    "bytecode__counted": _spelled(_program),
    "path__text": _spelled(quote),
    "comment__text": _comment,
    "label__quoted": _spelled(_quoted),
    "label__set": _label,
    "connlimit_upto__sides": _connection_sides,
    "connlimit_above__sides": _connection_sides,
    "dccp_types__names": _spelled(values.dccp_types),
    "hashlimit_mode__list": _spelled(values.dashes_to_commas),
    "helper__text": _spelled(_inside_quotes),
    "icmp_type__number": _icmp_type,
    "icmp_type__any": lambda option: [option.saved("any")],
    "icmp_type__name": _named_type,
    "icmpv6_type__number": _icmp_type,
    "icmpv6_type__name": _named_type,
    "header__names": _spelled(values.ipv6_headers),
    "limit__burst": _burst,
    "first__element": _nothing,
    "chunk_types__names": _spelled(values.same, values.chunk_types),
    "string__text": _string,
    "tcp_flags__names": _both(values.tcp_mask, values.tcp_set),
    "time__of_day": _time_of_day,
    "monthdays__numbers": _spelled(values.month_days),
    "datestart__both": _date,
    "datestop__both": _date,
    "tos__number": _spelled(values.tos),
    "set_class__padded": _spelled(values.traffic_class),
    "mark__set": _mark(values.set_mark),
    "mark__and": _mark(values.and_mark),
    "mark__or": _mark(values.or_bits),
    "mark__xor": _mark(values.xor_mark),
    "save_mark__masks": _connection_mark,
    "restore_mark__masks": _connection_mark,
    "log__flags": _log_flags,
    "log__named": _nothing,
    "log_prefix__text": _spelled(_inside_quotes),
    "log_level__number": _log_level,
    "npt__both": _prefix_pair,
    "hmark_offset__number": _spelled(lambda word: str(int(word, 16))),
    "hmark_tuple__list": _spelled(lambda word: word.strip(" ,")),
    "hmark_spi__wide": _spelled(values.wide_hex),
    "hmark_spi_mask__wide": _spelled(values.wide_hex),
    "hmark_rnd__wide": _spelled(values.wide_hex),
    "set_tos__number": _spelled(values.tos),
    "set_tos__and": _type_of_service(values.and_tos),
    "set_tos__or": _type_of_service(values.or_bits),
    "set_tos__xor": _type_of_service(values.xor_tos),
    "tproxy__all": _tproxy,
    "ulog_prefix__text": _spelled(_inside_quotes),
}
