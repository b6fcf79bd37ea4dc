"""`python -m ipt_explain` is `ipt-explain`: the program's first lines, before anything is imported that takes time."""

from __future__ import annotations

import gc
import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the program and exit with its status; Ctrl-C ends it without a word, also while it is still being loaded."""
    gc.disable()  # Loading makes many objects that stay. Nor does the work make cycles: see `collector_paused`.
    try:
        if os.path.basename(sys.argv[0]).startswith("kubectl-"):
            # krew links a plugin's name to the one file that the program is.
            from ipt_explain.cli.kubectl import main as run_program
        else:
            from ipt_explain.cli.main import main as run_program

        run_program()
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
