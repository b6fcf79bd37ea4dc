"""What word processors, chat programs and web pages make of a rule."""

from __future__ import annotations

from ipt_explain.parsing.iptables.diagnosis.signs import sign

DASHES = "‐‑‒–—―−﹘﹣－"
DOUBLE_QUOTES = "“”„‟″〝〞＂«»"
SINGLE_QUOTES = "‘’‚‛′"
BLANKS = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"

_PASTE = "Copy the rules from the terminal, or from the page's source."
_QUOTED = r'(?:[^"]|"(?:[^"\\]|\\.)*")*?'

SIGNS = (
    sign(
        rf"^(?:{_QUOTED}\s)?([{DASHES}])[A-Za-z{DASHES}-]",
        "a typographic dash in place of an option's hyphen",
        _PASTE,
        "An option such as -A or --comment, with ASCII hyphens.",
    ),
    sign(
        rf"^{_QUOTED}([{DOUBLE_QUOTES}])",
        "a typographic quotation mark in place of a straight one",
        _PASTE,
        'A value in straight double quotes: "…".',
    ),
    sign(
        rf"^{_QUOTED}([{SINGLE_QUOTES}])",
        "a typographic apostrophe in place of a quotation mark",
        _PASTE,
        'A value in straight double quotes: "…".',
    ),
    sign(rf"^{_QUOTED}([{BLANKS}])", "a no-break space in place of a plain one", _PASTE, "A plain space."),
    sign(rf"^{_QUOTED}([{INVISIBLE}])", "the rule has an invisible character", _PASTE),
    sign(
        r"(&(?:quot|gt|lt|amp|nbsp|#34|#39|#x22|#62);)",
        "the rule is escaped as in an HTML page",
        "Copy the rules from the page as displayed, not from its source.",
    ),
    sign(r"^\s*(```|~~~)", "this is a Markdown fence", "Give the lines between the fences alone."),
    sign(r"^\s*(\\-[A-Za-z]|\\\*)", "a backslash of Markdown or of a shell comes before the rule", "Remove it."),
    sign(
        r"^\s*(\[?\(?(?:\.{3,}|…|⋮)\)?\]?)",
        "lines were left out here, so this is not all that the table holds",
        "Give the whole dump; or only rule lines, without `*table` and `COMMIT`, to have them read as a fragment.",
    ),
)
