"""What is wrong with a store, and what to do about it: a database's or the system's error in plain words. Opens nothing."""

from __future__ import annotations

import errno
import re

from sqlalchemy.exc import SQLAlchemyError

_OTHER = "or name another with the setting `store`."
_SCHEMA = (
    "its tables are not those of this StreamLink ({why}). Something else changed them: restore the store from a copy, "
    f"or move it away so that a new one is made, {_OTHER}"
)
_MEANINGS: tuple[tuple[str, str], ...] = (
    (
        r"database( table)? is locked|database is busy|lock timeout|could not obtain lock|deadlock",
        f"another process has held it locked for too long. Close what has it open, such as a database browser, and ask again, {_OTHER}",
    ),
    (
        r"\bSSL\b|certificate",
        f"database and setting do not agree about TLS ({{why}}). Set ssl = on there, or correct sslmode and sslrootcert here, {_OTHER}",
    ),
    (
        r"permission denied for (table|schema|database|sequence)|must be owner",
        f"this user may not keep a store there ({{why}}). Make them the owner of an empty database (CREATE DATABASE x OWNER y), {_OTHER}",
    ),
    (
        r"readonly|read-only|read only|not writable|permission denied|Operation not permitted",
        f"it may not be written by this user ({{why}}). Change the permissions of the file and of its folder, {_OTHER}",
    ),
    (
        r"malformed|not a database|corrupt|bad page|unsupported file format",
        "its file is damaged ({why}). Restore it from a copy, or move it away so that a new one is made, " + _OTHER,
    ),
    (
        r"is full|No space left|Disk quota|File too large|disk I/O error",
        f"there is no space left for it, or the disk fails ({{why}}). Free some disk space, {_OTHER}",
    ),
    (r"no such (table|column)|has no column|(relation|column|table) .* does not exist|UndefinedColumn|UndefinedTable", _SCHEMA),
    (
        r"unable to open|No such file|Not a directory|Is a directory",
        f"there is no such place, or it may not be opened ({{why}}). Make the folder, check its permissions, {_OTHER}",
    ),
    (
        r"password|authentication|pg_hba|role .* does not exist|database .* does not exist",
        f"the database does not let this user in ({{why}}). Check user, password and name in the setting `store`, {_OTHER}",
    ),
    (
        r"connection|connect|refused|timed? ?out|could not translate host|resolve host|server closed|terminat|starting up|too many clients",
        f"the database does not answer ({{why}}). See that it runs and that the address in the setting `store` is right, {_OTHER}",
    ),
)
_BY_NUMBER = {
    errno.ENOSPC: "No space left",
    errno.EDQUOT: "Disk quota",
    errno.EROFS: "read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
}


def explained(error: SQLAlchemyError | OSError) -> str:
    """What failed and what to do, as the end of a sentence."""
    why = _reason(error)
    looked_at = f"{_BY_NUMBER.get(error.errno or 0, '')} {why}" if isinstance(error, OSError) else why
    for marks, meaning in _MEANINGS:
        if re.search(marks, looked_at, re.IGNORECASE):
            return meaning.replace("{why}", why)
    return f"{why}. Check that the place is right and may be written, {_OTHER}"


def _reason(error: SQLAlchemyError | OSError) -> str:
    """The driver's own words in one line, without the statement and its values."""
    text = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error)
    if isinstance(error, OSError) and error.filename:
        text = f"{text}: {error.filename}"
    return (text.strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
