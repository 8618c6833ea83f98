"""Rows of small answers, for some minutes, so that each of several control units gives the same answer to the same id.

They lie in the store encrypted, with a key that is made of the audit's and is not in the store: whoever reads the database reads no data.
"""

from __future__ import annotations

import base64
import datetime
import json
import zlib
from typing import Any

import sqlalchemy as sa

from streamlink_sql.errors import BadRequest
from streamlink_sql.store.tables import kept_rows
from streamlink_sql.types import Answer, Question

KEPT_FOR = datetime.timedelta(minutes=10)
KEPT_BYTES = 2**20


class KeptRows:
    """Writes and reads them in a transaction of others."""

    def __init__(self, key: bytes) -> None:
        """`key` has 32 bytes; control units that share a store need the same one."""
        try:
            from cryptography.fernet import Fernet
        except ModuleNotFoundError as error:
            raise BadRequest(f"This store needs the Python package {error.name}: install streamlink-sql[postgres].") from error
        self._cipher = Fernet(base64.urlsafe_b64encode(key))

    def keep(self, connection: sa.Connection, question: Question, answer: Answer) -> None:
        """Keeps the rows of an answer, unless they are many, for whoever asked as who they are now; forgets those of the same id."""
        connection.execute(sa.delete(kept_rows).where(kept_rows.c.id == answer.id))
        if answer.rows is None or answer.rows.table.nbytes > KEPT_BYTES:
            return
        text = json.dumps([_as_whom(question), list(answer.rows.as_json())], ensure_ascii=False).encode("utf-8", "surrogatepass")
        sealed = self._cipher.encrypt(zlib.compress(text, 1))
        connection.execute(sa.insert(kept_rows).values(id=answer.id, until=sa.func.clock_timestamp() + KEPT_FOR, rows=sealed))

    def rows_of(self, connection: sa.Connection, question: Question) -> list[list[Any]] | None:
        """The rows of an answer as its JSON has them; None where they are not kept, were sealed with another key, or were those of another
        role or other attributes.
        """
        from cryptography.fernet import InvalidToken

        good = sa.and_(kept_rows.c.id == question.id, kept_rows.c.until > sa.func.clock_timestamp())
        sealed = connection.execute(sa.select(kept_rows.c.rows).where(good)).scalar()
        if sealed is None:
            return None
        try:
            as_whom, rows = json.loads(zlib.decompress(self._cipher.decrypt(bytes(sealed))))
        except InvalidToken:
            return None
        return rows if as_whom == _as_whom(question) else None

    def forget(self, connection: sa.Connection) -> None:
        """Removes what is too old."""
        connection.execute(sa.delete(kept_rows).where(kept_rows.c.until < sa.func.clock_timestamp()))


def _as_whom(question: Question) -> str:
    """By what a policy tells what somebody may see."""
    return json.dumps([question.role, dict(question.attributes or {})], sort_keys=True)
