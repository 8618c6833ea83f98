"""Where the program starts: loads the command line within reach of Ctrl-C, which may come that early, too. Decides nothing else."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line."""
    try:
        from streamlink_sql.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(5)


if __name__ == "__main__":
    main()
