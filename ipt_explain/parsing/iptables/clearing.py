"""Prepares a text before its lines are read: takes out what other tools printed, and repairs pastes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipt_explain.model import Rule
from ipt_explain.model.dump import SourceText
from ipt_explain.model.kernel import BUILT_IN_CHAINS
from ipt_explain.parsing.cleaning import clean
from ipt_explain.parsing.iptables.misfits import Misfits
from ipt_explain.patterns import lazy_pattern
from ipt_explain.words import both, counted

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.assembly import TableBuilder
    from ipt_explain.parsing.ipvs.taking_out import TakenFacts
    from ipt_explain.parsing.nft.taking_out import TakenRuleset


class Cleared:
    """A text without what is not for the reader of rules, and what was found on the way. The lines `cut_off`, counted
    from 1, are left out.

    `text` has an empty line or a comment in place of each line that is gone; `source` is the original text. `nft` and
    `ipvs` are what these tools printed in it. `sections` are tables from listings and pastes, to which the reader adds
    those that it reads; `commanded` are those of them that commands make. `beside` are rules that follow another rule
    on its line. `refused` are the numbers of lines that no tool prints. `elided`: lines are missing from the middle.

    `trusting` skips the search for lines unlike those of iptables-save, which few texts have, and `unsearched` tells
    the reader so. `mending`: some rule could not be read, so everything that people do to rules is looked for.

    Raises UsageError if the text has more lines than a dump may have.
    """

    def __init__(
        self, text: str, name: str, cut_off: Sequence[int] = (), trusting: bool = False, mending: bool = False
    ) -> None:
        cleaned = clean(text, name)
        self.text = cleaned.readable
        self.source = SourceText(name, cleaned.text)
        self.warnings = list(cleaned.warnings)
        self.sections: list[TableBuilder] = []
        self.commanded: tuple[TableBuilder, ...] = ()
        self.refused = (*cleaned.refused, *cut_off)
        self.misfits = Misfits(self.source)
        self.elided = False
        self.beside: tuple[Rule, ...] = ()
        self.ipvs: TakenFacts | None = None
        self.nft: TakenRuleset | None = None
        if cut_off:
            from ipt_explain.parsing.pastes.broken import windows

            self.text = windows.without_lines(self.text, cut_off)
            self.warnings.append(windows.warning(name, cleaned.text, cut_off))
        for line in cleaned.refused:
            self.misfits.refuse(self.source.line(line), line)
        self.unsearched = trusting and self._looks_plain()
        whole, odd = self.text, not self.unsearched and has_odd_lines(self.text)
        if odd:
            self._name_hosts()
            self._decode_mail()
            self._take_off_margins()
        self._take_off_tags()
        if "{" in self.text:  # rare in dumps of iptables, and sooner found than a line
            self._take_out_nft()
        self.straightened = mending or (odd if self.text is whole else has_odd_lines(self.text))
        if self.straightened:
            self._take_out_ipvs()
            self._straighten(mending)
        self._leave_out_half_line()

    def _looks_plain(self) -> bool:
        """Whether the text has no tags, no nftables rules, and no other tool's output at its end."""
        return "<" not in self.text and "{" not in self.text and not has_odd_lines(self.text, len(self.text) - _TAIL)

    def _name_hosts(self) -> None:
        """Warn of several hosts: their rules are read as those of one node."""
        from ipt_explain.parsing.pastes.hosts import hosts_of

        hosts = hosts_of(self.text)
        if len(hosts) > 1:
            named = both(hosts[:_MOST_HOSTS]) if len(hosts) <= _MOST_HOSTS else counted(len(hosts), "host")
            self.warnings.append(
                f"{self.source.name}: prompts or headings name {named}, whose rules are read as those of one node: "
                "read each host's output separately"
            )

    def _decode_mail(self) -> None:
        if "=\n" not in self.text:
            return
        from ipt_explain.parsing.pastes.carriers.printable import as_written

        self.text, count = as_written(self.text)
        if count:
            self.warnings.append(f"{self.source.name}: {counted(count, 'line')}: decoded from quoted-printable")

    def _take_off_margins(self) -> None:
        from ipt_explain.parsing.pastes.carriers.margins import without_margins

        if "+" in self.text and (self.text.startswith("+") or "\n+" in self.text):
            from ipt_explain.parsing.pastes.carriers.diffs import without_additions

            self.text, notes = without_additions(self.text)
            self.warnings += (f"{self.source.name}: {note}" for note in notes)
        self.text, notes = without_margins(self.text)
        self.warnings += (f"{self.source.name}: {note}" for note in notes)

    def _take_off_tags(self) -> None:
        if "<" not in self.text or ("</" not in self.text and "<br" not in self.text):  # one letter is found in no time
            return
        from ipt_explain.parsing.pastes.carriers.pages import without_tags

        self.text, count = without_tags(self.text)
        if count:
            lines = counted(count, "line")
            self.warnings.append(f"{self.source.name}: {lines}: HTML tags were removed")

    def _take_out_nft(self) -> None:
        from ipt_explain.parsing.nft.beginnings import BEGINNING

        first = BEGINNING.search(self.text)
        if first is None and not _HEADLESS.search(self.text):
            return
        if first is None:
            from ipt_explain.parsing.nft.headless import take_out_blocks

            self.nft = take_out_blocks(self._left)
        else:
            from ipt_explain.parsing.nft.taking_out import take_out_ruleset

            self.nft = take_out_ruleset(self._left, first)
        if self.nft is None:
            return
        self.text = self.nft.rest
        self.misfits.add(self.nft.diagnostics, len(self.nft.diagnostics))

    def _take_out_ipvs(self) -> None:
        from ipt_explain.parsing.ipvs.signs import first_line

        first = first_line(self.text, 0)
        if first is None:
            return
        from ipt_explain.parsing.ipvs.taking_out import take_out_facts

        self.ipvs = take_out_facts(self._left, first)
        if self.ipvs is not None:
            self.text = self.ipvs.rest
            self.misfits.add(self.ipvs.diagnostics, self.ipvs.refused)

    def _take_out_listings(self) -> bool:
        """Take out listings. Returns whether there were any."""
        first = _LISTED_CHAIN.search(self.text) if "Chain " in self.text else None
        if first is None:
            return False
        from ipt_explain.parsing.listings.chains import take_out_listings

        listings = take_out_listings(self._left, first.start())
        if listings is not None:
            self.text = listings.rest
            self.sections += listings.sections
            self.warnings += listings.warnings
        return listings is not None

    def _straighten(self, mending: bool) -> None:
        listed = self._take_out_listings()
        self._leave_out_half_line()  # or it would be read as the rest of the line above
        if not mending and not has_odd_lines(self.text):
            return
        from ipt_explain.parsing.pastes.preparing import prepare

        others = listed or self.nft is not None or self.ipvs is not None
        whole = self.source.text
        last = whole.count("\n", 0, len(whole.rstrip())) if others else None
        prepared = prepare(self._left, last, mending)
        if prepared is not None:
            self.text = prepared.rest
            self.commanded = prepared.sections
            self.sections += prepared.sections
            self.elided = prepared.incomplete
            self.beside = prepared.beside
            self.warnings += prepared.warnings

    def leave_out_commands(self) -> None:
        """Leave out what commands do to chains that the text shows."""
        if not self.commanded:
            return
        from ipt_explain.parsing.pastes.commanded import leave_out_shown
        from ipt_explain.words.line_numbers import line_numbers

        gone = leave_out_shown(self.commanded, self.sections)
        if gone:
            self.sections = [each for each in self.sections if each.chains or each not in self.commanded]
            self.warnings.append(
                f"{self.source.name}: left out {line_numbers(gone)}: commands that change chains which the text shows"
            )

    @property
    def _left(self) -> SourceText:
        return SourceText(self.source.name, self.text)

    def _leave_out_half_line(self) -> None:
        """Leave out the last line of an open table if it does not end in a line feed, as iptables-save's do: it may be
        incomplete."""
        start = self.text.rfind("\n") + 1
        first = self.text[start : start + 1]
        half = self._names_no_table(start) if first == "*" else first in ("-", "[", ":") and self._in_table(start)
        if not half:
            return
        line = self.text.count("\n") + 1
        self.warnings.append(f"{self.source.name}:{line}: the text ends inside this line, which was left out")
        self.text = self.text[:start] + "#"

    def _names_no_table(self, start: int) -> bool:
        """Whether a last line `*TABLE` has only the beginning of a name."""
        name = self.text[start + 1 :]
        return start > 0 and name not in BUILT_IN_CHAINS and any(known.startswith(name) for known in BUILT_IN_CHAINS)

    def _in_table(self, start: int) -> bool:
        opened = max(self.text.rfind("\n*", 0, start), 0 if self.text.startswith("*") else -1)
        return opened > self.text.rfind("\nCOMMIT", 0, start)


# The most frequent beginnings come first. `-A -t` is ipvsadm's. A line after a `\` continues a rule. Searching for `^`
# instead of the line feed takes seven times as long.
_ODD_LINE = lazy_pattern(r"\n(?!-A [^-]|:|\[\d|[*#\n]|-[B-Z][ \t]|-A\t|COMMIT$|\Z)(?<!\\\n)", re.MULTILINE)

_LISTED_CHAIN = lazy_pattern(r"^[ \t>]{0,40}Chain [^\n(]{1,300} \(", re.MULTILINE)

_HEADLESS = lazy_pattern(r"^[ \t]*(?:chain|set|map) [^\s{]+ *\{", re.MULTILINE)
"""A block of an nftables table."""

_MOST_HOSTS = 4
_TAIL = 4096
"""Characters at a text's end: most that other tools printed comes last."""


def has_odd_lines(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether any line in this part of a text begins unlike those of iptables-save.

    Cheaper than a search for everything that people paste, which would take as long as reading a large dump.
    """
    end = len(text) if end is None else end
    if start > 0:
        return _ODD_LINE.search(text, start - 1, end) is not None
    first = text[: text.find("\n") + 1] or text
    return _ODD_LINE.match(f"\n{first}") is not None or _ODD_LINE.search(text, 0, end) is not None
