"""Adds the parser's tables and the manual pages to a wheel. Not part of the installed program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from setuptools.command.build_py import build_py

# Run against the modules that go into the wheel, in a process that has not imported any others.
_WRITE_TABLES = {
    "rule.tables": """
import sys
from ipt_explain.parsing.grammar_files import build_parser, grammar_text
from ipt_explain.parsing.grammar_tables import tables_of
grammar = grammar_text()
sys.stdout.buffer.write(tables_of(build_parser(grammar), grammar))
""",
    "nft.tables": """
import sys
from ipt_explain.parsing.nft.grammar import nft_tables
sys.stdout.buffer.write(nft_tables())
""",
    "listing.tables": """
import sys
from ipt_explain.parsing.listings.grammar import listing_tables
sys.stdout.buffer.write(listing_tables())
""",
}
_WRITE_TABLES |= {
    f"{name}.tables": f"""
import sys
from ipt_explain.parsing.ipvs.grammars import line_tables
sys.stdout.buffer.write(line_tables("{name}.lark"))
"""
    for name in ("ipvsadm", "ipset", "ip_addr")
}


class BuildWithTables(build_py):
    """setuptools' `build_py`, plus the tables and the manual pages. An editable install gets neither: a checkout makes
    its own tables.
    """

    def run(self) -> None:
        """Copy the modules, then make the rest. This may fail without Lark or click: the program can make its tables on
        the first run, and `ipt-explain help` prints the manual's text.
        """
        super().run()
        if getattr(self, "editable_mode", False):
            return
        root = Path(self.build_lib).resolve()
        for name, program in _WRITE_TABLES.items():
            tables = self._python("-c", program)
            if tables is not None:
                (root / "ipt_explain" / "grammar" / name).write_bytes(tables)
        pages = Path(self.get_finalized_command("build").build_base) / "man"
        pages.mkdir(parents=True, exist_ok=True)
        if self._python("-m", "ipt_explain.cli.shared.manual", str(pages.resolve())) is not None:
            data = self.distribution.data_files
            data += [(f"share/man/man{page.suffix[1:]}", [str(page)]) for page in sorted(pages.iterdir())]

    def _python(self, *arguments: str) -> bytes | None:
        """The output of Python with the built modules; None if that fails, with a message in the build's log."""
        root = Path(self.build_lib).resolve()
        done = subprocess.run(
            [sys.executable, "-B", *arguments],
            check=False,
            capture_output=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        )
        if done.returncode == 0:
            return done.stdout
        self.announce(f"{arguments[1]} is left out of the build: {done.stderr.decode(errors='replace')}", level=3)
        return None
