"""Every limit on input, with its purpose.

Input is untrusted. A limit exists wherever a few bytes could cost unbounded time or memory, far above what real nodes
need. An environment variable raises it (`IPT_EXPLAIN_MAX_INPUT_BYTES=2G`); `.github/SECURITY.md` lists them.
"""

from __future__ import annotations

import os
import re

from ipt_explain.errors import UsageError
from ipt_explain.patterns import lazy_pattern
from ipt_explain.records import Record

_AMOUNT = lazy_pattern(r"([0-9]{1,18})([KMGT]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class InputLimit(Record):
    """A limit. `name` is the end of the variable that raises it; `unit` is a plural noun, "bytes" for sizes."""

    name: str
    default: int
    unit: str

    @property
    def variable(self) -> str:
        """The environment variable that overrides the value."""
        return f"IPT_EXPLAIN_MAX_{self.name}"

    def value(self) -> int:
        """The limit in force. Raises UsageError if the variable is not an amount (`4096`, `512M`, `2G`)."""
        text = os.environ.get(self.variable, "").strip()
        if not text:
            return self.default
        amount = _AMOUNT.fullmatch(text)
        if amount is None:
            raise UsageError(f"{self.variable} is {text!r}: give a whole number, as in 4096, 512M or 2G")
        return int(amount[1]) * _UNITS[amount[2].upper()]

    def exceeded(self, source: str, subject: str = "it holds") -> UsageError:
        """The error for input beyond the limit: what exceeds it, the limit, and how to raise it."""
        value = self.value()
        return UsageError(
            f"{source}: {subject} more than {amount_text(value, self.unit)}; if you trust it, "
            f"{self.variable}={self._next(value)} allows more"
        )

    def _next(self, value: int) -> str:
        if self.unit != "bytes":
            return str(10 * value)
        # As `value` reads it: 1G, 180000.
        return size_text(2 * value).removesuffix("iB").removesuffix(" bytes").replace(" ", "").replace(",", "")


def amount_text(value: int, unit: str) -> str:
    """`512 MiB`, `4,000,000 lines`."""
    return size_text(value) if unit == "bytes" else f"{value:,} {unit}"


def size_text(value: int) -> str:
    """A size in the largest binary unit that divides it: `512 MiB`, `1 GiB`, `1,000 bytes`."""
    for sign in "TGMK":
        if value and value % _UNITS[sign] == 0:
            return f"{value // _UNITS[sign]} {sign}iB"
    return f"{value:,} bytes"


INPUT_BYTES = InputLimit("INPUT_BYTES", 512 << 20, "bytes")
"""One input, unpacked: a file, standard input, an archive's member, one tool's output with --live. A dump of 320,000
rules has 50 MB."""

UNPACK_RATIO = InputLimit("UNPACK_RATIO", 200, "times its packed size")
"""How far gzip data, or a zip archive's member, may grow. Dumps grow 10 to 40 times, deflate reaches 1,032."""

UNPACK_FREE_BYTES = InputLimit("UNPACK_FREE_BYTES", 16 << 20, "bytes")
"""Unpacked bytes that are allowed regardless of the ratio."""

DUMP_LINES = InputLimit("DUMP_LINES", 4_000_000, "lines")
"""Lines of one dump: short ones take far more memory than their text. A dump of 320,000 rules has 460,000."""

LONGEST_NUMBER = 1000
"""Digits in a row. Fields of rules have at most 20, so this limit is fixed."""

CONFIG_BYTES = InputLimit("CONFIG_BYTES", 1 << 20, "bytes")
"""A configuration file."""

NESTING = InputLimit("NESTING", 100, "levels")
"""Levels of lists and mappings in YAML. Kubernetes objects have about 15."""

YAML_ALIAS_NODES = InputLimit("YAML_ALIAS_NODES", 100_000, "values")
"""Values after expanding YAML aliases. kubectl's output has no aliases."""

DIFFERENCES = InputLimit("DIFFERENCES", 100_000, "differences")
"""Differences that compare lists; beyond that it only counts them."""

ARCHIVE_BYTES = InputLimit("ARCHIVE_BYTES", 1 << 40, "bytes")
"""Total unpacked size of one archive."""

ARCHIVE_RATIO = InputLimit("ARCHIVE_RATIO", 2000, "times its packed size")
"""How far an archive as a whole may grow. Dumps of similar nodes repeat each other, so xz and zstd pack them well."""

ARCHIVE_MEMBERS = InputLimit("ARCHIVE_MEMBERS", 1_000_000, "members")
"""Members of one archive, including those that are skipped."""

ARCHIVE_DEPTH = InputLimit("ARCHIVE_DEPTH", 3, "levels")
"""Archives within archives."""

DASK_SECONDS = InputLimit("DASK_SECONDS", 600, "seconds")
"""How long to wait for a Dask cluster that finishes no node's dump. One with 320,000 rules takes some 5 CPU seconds."""
