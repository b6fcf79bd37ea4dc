"""`python -m ipt_explain` is `ipt-explain`: the program's first lines, before anything is imported that takes time."""

from __future__ import annotations

import os

INTERRUPTED = 130


def main() -> None:
    """Run the program and exit with its status; Ctrl-C ends it without a word, also while it is still being loaded."""
    try:
        from ipt_explain.cli.main import main as run_program

        run_program()
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
