"""Part of building a wheel, and of nothing else: puts the parser's tables beside the grammar they are made from, and
makes the manual pages.
"""

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


class BuildWithTables(build_py):
    """setuptools' `build_py`, the tables and the manual pages. An editable install has none: a checkout keeps its own
    tables.
    """

    def run(self) -> None:
        """Copy the modules, make the rest. A build without Lark or click goes on: the program makes its tables when
        first run, and `ipt-explain help` prints what the manual has.
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
        """What a Python with the built modules prints; None, said in the build's log, where it fails."""
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
