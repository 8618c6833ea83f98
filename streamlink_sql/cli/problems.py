"""How the command line says that something failed: one sentence, what helps, and an exit status. Shows no trace; the log has it."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import uuid
from pathlib import Path

from streamlink_sql.cli.terminal import for_terminal
from streamlink_sql.errors import BadRequest, InternalError, StreamLinkError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
HELPS = {"suggestions": "Known here", "sql": "The SQL was", "warning": "Also", "rule": "Rule", "usage": "Help"}


def report(error: StreamLinkError, *, as_json: bool) -> int:
    """Prints the problem and gives the exit status: JSON on stdout where JSON was asked for, else sentences on stderr."""
    if as_json:
        print(json.dumps(error.problem(), default=str))
        return error.exit_status
    print(for_terminal(error.detail, lines=True), file=sys.stderr)
    for name, label in HELPS.items():
        if name in error.helps:
            value = error.helps[name]
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            print(f"  {label}: {for_terminal(text)}", file=sys.stderr)
    if error.code == "too_costly" and "cap" not in error.helps:
        print("  Repeat with --confirm to run it all the same.", file=sys.stderr)
    return error.exit_status


def unexpected(error: Exception) -> StreamLinkError:
    """What nothing named before: a full disk under stdout, else a fault of ours, whose trace goes to the log under an id."""
    if isinstance(error, OSError) and error.errno in _FULL:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the rest fails once more when the program ends
        return BadRequest(f"The answer cannot be written: {error.strerror}. Free some space, or write it elsewhere with --output.")
    id_ = str(uuid.uuid4())
    where = _log(id_, error)
    return InternalError(
        f"Something went wrong inside StreamLink ({type(error).__name__}). The details are in {where} under {id_}.", id=id_
    )


def _log(id_: str, error: Exception) -> str:
    import platformdirs

    path = Path(platformdirs.user_log_dir("streamlink-sql", appauthor=False)) / "streamlink.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(path, encoding="utf-8")
    except OSError:
        return "no log, as it cannot be written,"
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("streamlink_sql.internal")
    log.propagate = False
    log.addHandler(handler)
    log.error("%s", id_, exc_info=error)
    log.removeHandler(handler)
    handler.close()
    return str(path)
