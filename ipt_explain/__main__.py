"""The program's entry point, also for `python -m ipt_explain`. It imports nothing slow itself."""

from __future__ import annotations

import gc
import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the program and exit with its status. Ctrl-C ends it silently, even during imports."""
    gc.disable()  # Imports make many objects that stay, and the work makes no cycles: see `collector_paused`.
    try:
        if os.path.basename(sys.argv[0]).startswith("kubectl-"):
            # krew makes a link with the plugin's name to the program's single file.
            from ipt_explain.cli.kubectl import main as run_program
        else:
            from ipt_explain.cli.main import main as run_program

        run_program()
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
