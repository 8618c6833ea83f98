"""Users, their passwords, keys and sessions. Keeps hashes only: argon2 of passwords, SHA-256 of keys and sessions, which are random.

Every change of an account is one transaction with its line in the audit.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from streamlink_sql.errors import BadRequest, NotFound, Unauthenticated
from streamlink_sql.store.store import Store
from streamlink_sql.store.tables import keys, sessions, users
from streamlink_sql.types import Attribute, Person

SESSION_HOURS = 12
PASSWORD_MIN, PASSWORD_MAX = 10, 200
KEY_START = "sl_"
Scope = Literal["ask", "admin"]
_WRONG = "Name or password is wrong."
_WRONG_KEY = "This key is not known, has expired or was revoked."


class People:
    """The people of one store; may be used by many threads."""

    def __init__(self, store: Store) -> None:
        """Keeps them beside history and audit."""
        self._store = store

    def add(
        self,
        name: str,
        *,
        role: str = "",
        attributes: Mapping[str, Attribute] | None = None,
        admin: bool = False,
        password: str | None = None,
    ) -> None:
        """A new user, who can log in if there is a password; BadRequest where the name is taken or no name, or the password too short."""
        if not name.strip() or not name.isprintable() or len(name) > 200 or name != name.strip():
            raise BadRequest("A user's name is 1 to 200 printable characters, without blanks around it.")
        hashed = None if password is None else _hashed(password)
        row = {"role": role, "attributes": dict(attributes or {}), "admin": admin}
        with self._store.account("user added", name, **row, password=hashed is not None) as connection:
            if connection.execute(sa.select(users.c.name).where(users.c.name == name)).first():
                raise BadRequest(f"There is a user {name} already.")
            connection.execute(sa.insert(users).values({**row, "name": name, "password": hashed, "created_at": _now()}))

    def change(
        self,
        name: str,
        *,
        role: str | None = None,
        attributes: Mapping[str, Attribute] | None = None,
        clear_attributes: bool = False,
        admin: bool | None = None,
    ) -> None:
        """Changes what is given, for their keys and sessions too, from the next question on. Attributes go beside those that are there,
        unless these are cleared. BadRequest where nothing would change, NotFound.
        """
        told = {"role": role, "attributes": attributes, "clear_attributes": clear_attributes or None, "admin": admin}
        with self._store.account("user changed", name, **{key: value for key, value in told.items() if value is not None}) as connection:
            user = self._known(connection, name)
            before = {"role": user["role"], "attributes": _attributes(user), "admin": user["admin"]}
            after = {
                "role": user["role"] if role is None else role,
                "attributes": {**({} if clear_attributes else _attributes(user)), **(attributes or {})},
                "admin": user["admin"] if admin is None else admin,
            }
            if repr(after) == repr(before):  # 1 and True differ to a condition
                raise BadRequest(f"There is nothing to change: give a role, attributes or admin rights other than those that {name} has.")
            connection.execute(sa.update(users).where(users.c.name == name).values(after))

    def set_password(self, name: str, password: str) -> None:
        """Gives a user a new password and ends their sessions; raises BadRequest and NotFound."""
        hashed = _hashed(password)
        with self._store.account("password changed", name) as connection:
            self._known(connection, name)
            connection.execute(sa.update(users).where(users.c.name == name).values(password=hashed))
            connection.execute(sa.delete(sessions).where(sessions.c.user == name))

    def disable(self, name: str) -> None:
        """Ends a user's sessions and refuses their keys and password from now on."""
        with self._store.account("user disabled", name) as connection:
            self._known(connection, name)
            connection.execute(sa.update(users).where(users.c.name == name).values(disabled_at=_now()))
            connection.execute(sa.delete(sessions).where(sessions.c.user == name))

    def enable(self, name: str) -> None:
        """Lets a user in again."""
        with self._store.account("user enabled", name) as connection:
            self._known(connection, name)
            connection.execute(sa.update(users).where(users.c.name == name).values(disabled_at=None))

    def users(self) -> list[dict[str, Any]]:
        """All users by name, without their passwords."""
        with self._store.transaction("read") as connection:
            rows = connection.execute(sa.select(users).order_by(users.c.name)).mappings().all()
        return [
            {**{key: value for key, value in row.items() if key != "password"}, "password": row["password"] is not None} for row in rows
        ]

    def somebody(self) -> bool:
        """Whether anybody could get in."""
        with self._store.transaction("read") as connection:
            return connection.execute(sa.select(users.c.name).where(users.c.disabled_at.is_(None)).limit(1)).first() is not None

    def create_key(self, name: str, *, scope: Scope = "ask", days: float | None = None) -> str:
        """A new key of a user: shown now and never again. `admin` keys are for users who are administrators."""
        id_, secret = secrets.token_hex(5), secrets.token_urlsafe(32)
        row = {"scope": scope, "expires_at": None if days is None else _now(days * 24)}
        with self._store.account("key created", name, key=id_, **row) as connection:
            user = self._known(connection, name)
            if scope == "admin" and not user["admin"]:
                raise BadRequest(f"{name} is no administrator, so a key of theirs has the scope ask.")
            connection.execute(sa.insert(keys).values({**row, "id": id_, "user": name, "hash": _digest(secret), "created_at": _now()}))
        return f"{KEY_START}{id_}_{secret}"

    def keys(self) -> list[dict[str, Any]]:
        """All keys without what opens: id, user, scope, and when they were made, expire, were revoked."""
        columns = [column for column in keys.c if column.name != "hash"]
        with self._store.transaction("read") as connection:
            return [dict(row) for row in connection.execute(sa.select(*columns).order_by(keys.c.created_at)).mappings()]

    def revoke_key(self, id: str) -> None:  # noqa: A002 - it is called id everywhere
        """Refuses a key from now on; raises NotFound."""
        good = sa.and_(keys.c.id == id, keys.c.revoked_at.is_(None))
        with self._store.transaction("read") as connection:
            user = connection.execute(sa.select(keys.c.user).where(good)).scalar()
        if user is None:
            raise NotFound(f"There is no key {id} that is still good.")
        with self._store.account("key revoked", user, key=id) as connection:
            connection.execute(sa.update(keys).where(good).values(revoked_at=_now()))

    def of_key(self, key: str) -> Person:
        """Who holds a key; raises Unauthenticated."""
        id_, mark, secret = key.removeprefix(KEY_START).partition("_")
        query = sa.select(keys, users).join(users, users.c.name == keys.c.user).where(keys.c.id == id_)
        with self._store.transaction("read") as connection:
            row = connection.execute(query).mappings().first() if mark and key.startswith(KEY_START) else None
        good = hmac.compare_digest(_digest(secret), row["hash"] if row else _digest("none"))
        expired = row is not None and row["expires_at"] is not None and row["expires_at"] < _now()
        if row is None or not good or expired or row["revoked_at"] or row["disabled_at"]:
            raise Unauthenticated(_WRONG_KEY)
        return _person(row, row["scope"])

    def log_in(self, name: str, password: str) -> str:
        """A new session for a name and a password; raises Unauthenticated, after as long as a right password takes."""
        with self._store.transaction("read") as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name)).mappings().first()
        known = row["password"] if row and row["password"] and not row["disabled_at"] else None
        if not _fits(known or _nobodys(), password[: PASSWORD_MAX + 1]) or known is None:
            raise Unauthenticated(_WRONG)
        session = secrets.token_urlsafe(32)
        with self._store.transaction("written") as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires_at < _now()))
            new = {"hash": _digest(session), "user": name, "created_at": _now(), "expires_at": _now(SESSION_HOURS)}
            connection.execute(sa.insert(sessions).values(new))
        return session

    def of_session(self, session: str) -> Person:
        """Who a session belongs to; raises Unauthenticated."""
        query = sa.select(sessions, users).join(users, users.c.name == sessions.c.user).where(sessions.c.hash == _digest(session))
        with self._store.transaction("read") as connection:
            row = connection.execute(query).mappings().first()
        if row is None or row["disabled_at"] or row["expires_at"] < _now():
            raise Unauthenticated("Your session has ended. Log in again.")
        return _person(row, "admin" if row["admin"] else "ask")

    def log_out(self, session: str) -> None:
        """Ends a session, if there is one."""
        with self._store.transaction("written") as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.hash == _digest(session)))

    def _known(self, connection: sa.Connection, name: str) -> sa.RowMapping:
        row = connection.execute(sa.select(users).where(users.c.name == name).with_for_update()).mappings().first()
        if row is None:
            raise NotFound(f"There is no user {name}.")
        return row


def _person(row: sa.RowMapping, scope: Scope) -> Person:
    return Person(row["name"], row["role"], _attributes(row), scope if row["admin"] else "ask")


def _attributes(row: sa.RowMapping) -> dict[str, Attribute]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row["attributes"].items()}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _now(hours: float = 0.0) -> str:
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)).isoformat(timespec="milliseconds")


def _hashed(password: str) -> str:
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise BadRequest(f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
    return str(_hasher().hash(password))


def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys() -> str:
    """The hash of a password that nobody has: an unknown name takes as long to refuse as a known one."""
    return str(_hasher().hash(secrets.token_urlsafe(32)))


def _fits(hashed: str, password: str) -> bool:
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return bool(_hasher().verify(hashed, password))
    except (Argon2Error, InvalidHashError):
        return False
