"""Users, their passwords, keys and sessions. Keeps hashes only: argon2 of passwords, SHA-256 of keys and sessions, which are random.

Every change of an account is one transaction with its line in the audit.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from streamlink_sql.errors import BadRequest, Forbidden, NotFound, Unauthenticated
from streamlink_sql.store.attempts import attempts_of
from streamlink_sql.store.store import COMMAND_LINE, PROVIDER, PRUNING, Store
from streamlink_sql.store.tables import keys, sessions, users
from streamlink_sql.types import Attribute, Person, Question

SESSION_HOURS = 12
PASSWORD_MIN, PASSWORD_MAX = 10, 200
KEY_START = "sl_"
TAKEN = frozenset(name.casefold() for name in (COMMAND_LINE, PROVIDER, PRUNING, Question("").asker))
"""Names by which the audit calls others than users."""
Scope = Literal["ask", "admin"]
_WRONG = "Name or password is wrong."
_WRONG_KEY = "This key is not known, has expired or was revoked."
_NOT_HERE = "Your login was good, but no account that is open here belongs to it. Ask an administrator of this server for one."
_NO_ROLE = "Your login was good, but none of your groups has a role here. Ask an administrator of this server, then log in again."


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom a provider of OpenID Connect vouches for."""

    issuer: str
    subject: str
    name: str
    """What they are called there; empty where the provider tells no name that can be trusted."""
    role: str | None = None
    """The role that they have by their groups; empty: no group of theirs has one; None: roles are not told by the provider."""
    attributes: Mapping[str, Attribute | None] = field(default_factory=dict)
    """What the provider tells of them; None is for what it could tell and does not."""


class People:
    """The people of one store; may be used by many threads."""

    def __init__(self, store: Store) -> None:
        """Keeps them beside history and audit."""
        self._store, self.attempts = store, attempts_of(store)

    def add(
        self,
        name: str,
        *,
        role: str = "",
        attributes: Mapping[str, Attribute] | None = None,
        admin: bool = False,
        password: str | None = None,
        issuer: str | None = None,
    ) -> None:
        """A new user, who can log in if there is a password, or at the provider `issuer`, where the first one of this name is taken for
        them. BadRequest where the name is taken or no name, or the password too short.
        """
        hashed = None if password is None else _hashed(password)
        row = {"role": role, "attributes": dict(attributes or {}), "admin": admin}
        told: dict[str, Any] = {**row, "password": hashed is not None} | ({"issuer": issuer} if issuer else {})
        with self._store.account("user added", name, **told) as connection:
            _insert(connection, {**row, "name": name, "password": hashed, "issuer": issuer})

    def change(
        self,
        name: str,
        *,
        role: str | None = None,
        attributes: Mapping[str, Attribute] | None = None,
        clear_attributes: bool = False,
        admin: bool | None = None,
        issuer: str | None = None,
    ) -> None:
        """Changes what is given, for their keys and sessions too, from the next question on. Attributes go beside those that are there,
        unless these are cleared. From an `issuer` the next one of this name is taken for them; an empty one ends such logins;
        both end their sessions.
        BadRequest where nothing would change, NotFound.
        """
        given = {"role": role, "attributes": attributes, "clear_attributes": clear_attributes or None, "admin": admin, "issuer": issuer}
        told: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        with self._store.account("user changed", name, **told) as connection:
            user = self._known(connection, name)
            before = {"role": user["role"], "attributes": _attributes(user), "admin": user["admin"]}
            before |= {"issuer": user["issuer"], "subject": user["subject"]}
            after = {
                "role": user["role"] if role is None else role,
                "attributes": {**({} if clear_attributes else _attributes(user)), **(attributes or {})},
                "admin": user["admin"] if admin is None else admin,
                "issuer": user["issuer"] if issuer is None else issuer or None,
                "subject": user["subject"] if issuer is None else None,
            }
            if repr(after) == repr(before):  # 1 and True differ to a condition
                raise BadRequest(f"There is nothing to change: give what {name} has not yet.")
            if before["admin"] and not after["admin"]:
                self._keep_an_administrator(connection, name)
            connection.execute(sa.update(users).where(users.c.name == name).values(after))
            if issuer is not None:
                connection.execute(sa.delete(sessions).where(sessions.c.user == name))

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
            if self._known(connection, name)["admin"]:
                self._keep_an_administrator(connection, name)
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
        row: dict[str, Any] = {"scope": scope, "expires_at": None if days is None else _now(days * 24)}
        with self._store.account("key created", name, key=id_, **row) as connection:
            user = self._known(connection, name)
            if scope == "admin" and not user["admin"]:
                raise BadRequest(f"{name} is no administrator, so a key of theirs has the scope ask.")
            connection.execute(sa.insert(keys).values({**row, "id": id_, "user": name, "hash": _digest(secret), "created_at": _now()}))
        return f"{KEY_START}{id_}_{secret}"

    def keys(self) -> list[dict[str, Any]]:
        """All keys without what opens: id, user, scope, when they were made, expire, were revoked, and `opens`: what they are good for now,
        `admin`, `ask` or nothing."""
        columns = [*(column for column in keys.c if column.name != "hash"), users.c.admin, users.c.disabled_at]
        query = sa.select(*columns).join(users, users.c.name == keys.c.user).order_by(keys.c.created_at)
        with self._store.transaction("read") as connection:
            rows = connection.execute(query).mappings().all()
        return [{**{key: value for key, value in row.items() if key not in ("admin", "disabled_at")}, "opens": _opens(row)} for row in rows]

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
        row = next(iter(self._store.found(query)), None) if mark and key.startswith(KEY_START) else None
        good = hmac.compare_digest(_digest(secret), row["hash"] if row else _digest("none"))
        scope = _opens(row) if row is not None and good else None
        if row is None or scope is None:
            raise Unauthenticated(_WRONG_KEY)
        return _person(row, scope)

    def log_in(self, name: str, password: str) -> str:
        """A new session for a name and a password; raises Unauthenticated, after as long as a right password takes."""
        with self._store.transaction("read") as connection:
            row = connection.execute(sa.select(users).where(users.c.name == name)).mappings().first()
        known = row["password"] if row and row["password"] and not row["disabled_at"] else None
        if not _fits(known or _nobodys(), password[: PASSWORD_MAX + 1]) or known is None:
            raise Unauthenticated(_WRONG)
        return self._new_session(name, known)

    def log_in_as(self, who: Identity, *, may_add: bool = False) -> str:
        """A new session for somebody whom a provider vouches for; their role and attributes are then what it says. An account belongs to
        the subject that first came for it: a name alone never opens one that nobody has opened to the provider. Who is not known is
        added where they may be and have a role. Raises Forbidden.
        """
        with self._store.transaction("read") as connection:
            row = _belongs_to(connection, who)
        if row is None and may_add and who.role:
            return self._new_session(self._add(who))
        if row is None or row["disabled_at"]:
            raise Forbidden(_NOT_HERE)
        self._renew(row, who)
        if who.role == "":
            raise Forbidden(_NO_ROLE)
        return self._new_session(row["name"])

    def _add(self, who: Identity) -> str:
        row: dict[str, Any] = {"role": who.role, "attributes": _known_of(who), "admin": False}
        row |= {"issuer": who.issuer, "subject": who.subject}
        try:
            with self._store.account("user added", who.name, asker=PROVIDER, **row) as connection:
                _insert(connection, {**row, "name": who.name})
        except BadRequest as error:  # the name is somebody else's here, or none
            raise Forbidden(_NOT_HERE) from error
        return who.name

    def _renew(self, row: sa.RowMapping, who: Identity) -> None:
        """Takes over what the provider says, where it says something new."""
        kept = {name: value for name, value in _attributes(row).items() if name not in who.attributes}
        before = {"role": row["role"], "attributes": _attributes(row), "subject": row["subject"]}
        role = row["role"] if who.role is None else who.role
        now: dict[str, Any] = {"role": role, "attributes": {**kept, **_known_of(who)}, "subject": who.subject}
        if repr(now) == repr(before):  # 1 and True differ to a condition
            return
        mine = sa.or_(users.c.subject.is_(None), users.c.subject == who.subject)
        same = sa.and_(users.c.name == row["name"], users.c.issuer == who.issuer, mine)
        with self._store.account("user changed", row["name"], asker=PROVIDER, **now, issuer=who.issuer) as connection:
            if not connection.execute(sa.update(users).where(same).values(now)).rowcount:
                raise Forbidden(_NOT_HERE)  # another came first

    def _new_session(self, name: str, password: str | None = None) -> str:
        """A session, unless the account, or the hash of the password that was tried, changed in the meantime."""
        session = secrets.token_urlsafe(32)
        with self._store.transaction("written") as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires_at < _now()))
            now = connection.execute(sa.select(users.c.password, users.c.disabled_at).where(users.c.name == name).with_for_update()).one()
            if now.disabled_at or (password is not None and now.password != password):
                raise Unauthenticated(_WRONG)
            new = {"hash": _digest(session), "user": name, "created_at": _now(), "expires_at": _now(SESSION_HOURS)}
            connection.execute(sa.insert(sessions).values(new))
        return session

    def of_session(self, session: str) -> Person:
        """Who a session belongs to; raises Unauthenticated."""
        query = sa.select(sessions, users).join(users, users.c.name == sessions.c.user).where(sessions.c.hash == _digest(session))
        row = next(iter(self._store.found(query)), None)
        if row is None or row["disabled_at"] or row["expires_at"] < _now():
            raise Unauthenticated("Your session has ended. Log in again.")
        return _person(row, "admin" if row["admin"] else "ask")

    def log_out(self, session: str) -> None:
        """Ends a session, if there is one."""
        with self._store.transaction("written") as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.hash == _digest(session)))

    def _keep_an_administrator(self, connection: sa.Connection, name: str) -> None:
        """Raises BadRequest where nobody else is an administrator who can get in."""
        others = sa.select(users.c.name).where(users.c.admin, users.c.disabled_at.is_(None), users.c.name != name).with_for_update()
        if connection.execute(others).first() is None:
            raise BadRequest(f"{name} is the last administrator. Make somebody else one first: streamlink-sql users change NAME --admin")

    def _known(self, connection: sa.Connection, name: str) -> sa.RowMapping:
        row = connection.execute(sa.select(users).where(users.c.name == name).with_for_update()).mappings().first()
        if row is None:
            raise NotFound(f"There is no user {name}.")
        return row


def _insert(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """A new user; BadRequest where the name is taken or no name."""
    name = row["name"]
    if not name.strip() or not name.isprintable() or len(name) > 200 or name != name.strip():
        raise BadRequest("A user's name is 1 to 200 printable characters, without blanks around it.")
    if name.casefold() in TAKEN:
        raise BadRequest(f"Nobody can be called {name}: the audit calls others by that name.")
    if connection.execute(sa.select(users.c.name).where(users.c.name == name)).first():
        raise BadRequest(f"There is a user {name} already.")
    connection.execute(sa.insert(users).values({**row, "created_at": _now()}))


def _belongs_to(connection: sa.Connection, who: Identity) -> sa.RowMapping | None:
    """The account of a provider's subject, or one of its name that was opened to the provider and that nobody has come for yet."""
    of_issuer = sa.select(users).where(users.c.issuer == who.issuer)
    own = connection.execute(of_issuer.where(users.c.subject == who.subject)).mappings().first()
    return own or connection.execute(of_issuer.where(users.c.subject.is_(None), users.c.name == who.name)).mappings().first()


def _known_of(who: Identity) -> dict[str, Attribute]:
    return {name: value for name, value in who.attributes.items() if value is not None}


def _person(row: sa.RowMapping, scope: Scope) -> Person:
    return Person(row["name"], row["role"], _attributes(row), scope if row["admin"] else "ask")


def _opens(key: sa.RowMapping) -> Scope | None:
    """What a key of a user is good for now; None for nothing."""
    if key["revoked_at"] or key["disabled_at"] or (key["expires_at"] is not None and key["expires_at"] < _now()):
        return None
    return "admin" if key["scope"] == "admin" and key["admin"] else "ask"


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
