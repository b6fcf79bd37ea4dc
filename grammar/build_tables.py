"""Part of building a wheel, and of nothing else: puts the parser's tables beside the grammar they are made from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from setuptools.command.build_py import build_py

# Run against the modules that go into the wheel, in a process that has not imported any others.
_WRITE_TABLES = """
import sys
from ipt_explain.parsing.grammar_files import build_parser, grammar_text
from ipt_explain.parsing.grammar_tables import tables_of
grammar = grammar_text()
sys.stdout.buffer.write(tables_of(build_parser(grammar), grammar))
"""


class BuildWithTables(build_py):
    """setuptools' `build_py`, and the tables. An editable install has none: a checkout keeps its own."""

    def run(self) -> None:
        """Copy the modules, make the tables. A build without Lark goes on; the program makes them when first run."""
        super().run()
        if getattr(self, "editable_mode", False):
            return
        root = Path(self.build_lib).resolve()
        done = subprocess.run(
            [sys.executable, "-B", "-c", _WRITE_TABLES],
            check=False,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        )
        if done.returncode == 0:
            (root / "ipt_explain" / "grammar" / "rule.tables").write_bytes(done.stdout)
        else:
            self.announce(f"the parser's tables are left out: {done.stderr.decode(errors='replace')}", level=3)
