"""Bytes that are not text, or text in another encoding. Undecodable bytes arrive as lone surrogates (PEP 383)."""

from __future__ import annotations

from ipt_explain.inputs.limits import LONGEST_NUMBER
from ipt_explain.parsing.iptables.diagnosis.signs import RUN_SAVE, sign

_UTF16 = "this is UTF-16 text, as PowerShell's `>` writes it"
_UTF16_REMEDY = "Convert it: `iconv -f UTF-16 -t UTF-8 FILE`; in PowerShell, write with `| Out-File -Encoding utf8`."
_BINARY = "this is a binary file, not text"

WHOLE = (
    sign("\\A(\udcff\udcfe|\udcfe\udcff|\ufeff\0|\ufffe)", _UTF16, _UTF16_REMEDY),
    sign(r"\A((?:[\x20-\x7e]\0){4}|(?:\0[\x20-\x7e]){4})", _UTF16, _UTF16_REMEDY),
    sign(
        "\\A(\x1f(?:\udc8b|\x8b))",
        "this is gzip-compressed data without the `.gz` name",
        "Rename it to `.gz`, or `zcat FILE | ipt-explain`.",
    ),
    sign("\\A(\x7fELF)", "this is a program file (ELF), not text", "Run the program, and give its output."),
    sign(
        r"\A(PK\x03\x04|BZh\d|\udcfd7zXZ|\(\udcb5/\udcfd)", "this is an archive or compressed data", "Unpack it first."
    ),
)
"""Signs of the start of an input."""

IMPOSSIBLE = (
    sign(r"(\0+)", "the line has a NUL byte, and iptables-restore reads no further", RUN_SAVE),
    sign(rf"(\d{{{LONGEST_NUMBER + 1},}})", f"a number of more than {LONGEST_NUMBER:,} digits fits no field", RUN_SAVE),
)
"""Signs of lines that no tool prints, whatever else is in them."""

SIGNS = (
    *IMPOSSIBLE,
    sign(
        "\\A(\ufeff|\udcef\udcbb\udcbf)",
        "a byte order mark comes before the first line",
        "Remove it: `sed '1s/^\\xef\\xbb\\xbf//'`.",
    ),
    sign(
        r"(\x1b\[[\d;]*[A-Za-z])",
        "the line has a terminal's colour code",
        "Run `grep --color=never`, or save the output without a terminal's colours.",
    ),
    sign(
        r"(\r)(?=.)",
        "the line has a carriage return in the middle",
        "Lines end with LF: `tr -d '\\r' < FILE` removes carriage returns.",
    ),
    sign(r"(\udcff|\udcfe|[\x00-\x08\x0e-\x1a\x1c-\x1f]{2,})", _BINARY, RUN_SAVE),
)
