"""`streamlink-sql users` and `streamlink-sql keys`: who may log in, and which programs may ask."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamlink_sql.cli.options import AsJSON, Attributes, Config, Store, attributes_of
from streamlink_sql.cli.terminal import for_terminal, json_line
from streamlink_sql.errors import BadRequest

if TYPE_CHECKING:
    from streamlink_sql.store.people import People

users = typer.Typer(
    help="Add, change, list and disable the people who may log in.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
keys = typer.Typer(help="Create, list and revoke keys for programs.", no_args_is_help=True, add_completion=False, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(help="The user's name.")]
ByProvider = "They log in at the provider of `oidc_issuer`, where the first to come by this name is taken for them."
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin, for scripts.")]


class Scope(StrEnum):
    """What a key is for."""

    ask = "ask"
    admin = "admin"


@users.command()
def add(
    name: Name,
    role: Annotated[str, typer.Option("--role", help="Their role in the policy.")] = "",
    attribute: Attributes = None,
    admin: Annotated[bool, typer.Option("--admin", help="They see what all asked, and may have admin keys.")] = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="For a program: keys only.")] = False,
    oidc: Annotated[bool, typer.Option("--oidc", help=ByProvider)] = False,
    password_stdin: FromStdin = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Add a user. A password is asked for, unless --no-password, --oidc or --password-stdin is given."""
    attributes = attributes_of(attribute)
    with _people(config, store) as (people, known):
        _check_role(role, known)
        issuer = _issuer(config) if oidc else None
        password = None if no_password or (oidc and not password_stdin) else _password(password_stdin)
        people.add(name, role=role, attributes=attributes, admin=admin, password=password, issuer=issuer)
    can = password or issuer
    print(for_terminal(f"{name} can log in now." if can else f"{name} is added. Make a key: streamlink-sql keys create {name}"))


@users.command()
def change(
    name: Name,
    role: Annotated[str | None, typer.Option("--role", help="Their new role in the policy.")] = None,
    attribute: Attributes = None,
    clear_attributes: Annotated[bool, typer.Option("--clear-attributes", help="Forget the attributes that they had.")] = False,
    admin: Annotated[bool | None, typer.Option("--admin/--no-admin", help="Whether they are an administrator.")] = None,
    oidc: Annotated[bool | None, typer.Option("--oidc/--no-oidc", help=f"{ByProvider} Either ends their sessions.")] = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Change a user's role, attributes, admin rights or way to log in, from their next question on. What is not given stays."""
    attributes = attributes_of(attribute) or None
    with _people(config, store) as (people, known):
        if role is not None:
            _check_role(role, known)
        issuer = _issuer(config) if oidc else None if oidc is None else ""
        people.change(name, role=role, attributes=attributes, clear_attributes=clear_attributes, admin=admin, issuer=issuer)
    print(for_terminal(f"{name} is changed; it counts from their next question on."))


@users.command("list")
def list_users(ctx: typer.Context, config: Config = None, store: Store = None, as_json: AsJSON = False) -> None:
    """List the users."""
    ctx.obj.as_json = as_json
    with _people(config, store) as (people, _):
        _print(people.users(), as_json, lambda user: [user["name"], user["role"] or "-", *_marks(user)])


@users.command()
def password(name: Name, password_stdin: FromStdin = False, config: Config = None, store: Store = None) -> None:
    """Give a user a new password; their sessions end."""
    with _people(config, store) as (people, _):
        people.set_password(name, _password(password_stdin))
    print(for_terminal(f"{name} has a new password."))


@users.command()
def disable(name: Name, config: Config = None, store: Store = None) -> None:
    """Let a user in no more: password, sessions and keys."""
    with _people(config, store) as (people, _):
        people.disable(name)
    print(for_terminal(f"{name} cannot log in any more."))


@users.command()
def enable(name: Name, config: Config = None, store: Store = None) -> None:
    """Let a disabled user in again."""
    with _people(config, store) as (people, _):
        people.enable(name)
    print(for_terminal(f"{name} can log in again."))


@keys.command()
def create(
    name: Name,
    scope: Annotated[Scope, typer.Option("--scope", help="What it is for; admin keys see what all asked.")] = Scope.ask,
    expires: Annotated[
        float | None, typer.Option("--expires", min=0.001, max=36_500, help="Days that it is good for. Default: until it is revoked.")
    ] = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Create a key of a user and print it, this once: it is not kept."""
    with _people(config, store) as (people, _):
        print(people.create_key(name, scope=scope.value, days=expires))
    print("This key is shown once. Programs send it as: Authorization: Bearer KEY", file=sys.stderr)


@keys.command("list")
def list_keys(ctx: typer.Context, config: Config = None, store: Store = None, as_json: AsJSON = False) -> None:
    """List the keys, without what opens."""
    ctx.obj.as_json = as_json
    with _people(config, store) as (people, _):
        _print(people.keys(), as_json, lambda key: [key["id"], key["user"], key["scope"], _state(key)])


@keys.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The key's id: what stands between sl_ and the next _.")],  # noqa: A002
    config: Config = None,
    store: Store = None,
) -> None:
    """Refuse a key from now on."""
    with _people(config, store) as (people, _):
        people.revoke_key(id)
    print(f"The key {for_terminal(id)} opens nothing any more.")


def _issuer(config: Path | None) -> str:
    from streamlink_sql.settings import load_settings

    found = load_settings(config).oidc_issuer
    if found is None:
        raise BadRequest("There is no provider to log in at. Set oidc_issuer first.", setting="oidc_issuer")
    return found


def _check_role(role: str, known: list[str] | None) -> None:
    if known is not None and role not in known:
        raise BadRequest(f"There is no role {role!r} in the policy. Give one of these with --role: {', '.join(known)}.")


def _marks(user: dict[str, Any]) -> list[str]:
    marks = ["administrator"] if user["admin"] else []
    marks += ([f"at {user['issuer']}"] if user["subject"] else [f"expected from {user['issuer']}"]) if user["issuer"] else []
    return marks + (["disabled"] if user["disabled_at"] else [] if user["password"] or user["issuer"] else ["keys only"])


def _state(key: dict[str, Any]) -> str:
    if key["opens"] is None:
        return "revoked" if key["revoked_at"] else "opens nothing: expired, or its user is disabled"
    lost = "" if key["opens"] == key["scope"] else f"for {key['opens']} only, as its user is no administrator; "
    return lost + (f"until {key['expires_at'][:16]}" if key["expires_at"] else "good")


def _print(entries: list[dict[str, Any]], as_json: bool, cells: Callable[[dict[str, Any]], list[str]]) -> None:
    if as_json:
        print(json_line(entries))
        return
    for entry in entries:
        print(for_terminal("  ".join(cells(entry))))
    if not entries:
        print("There are none.", file=sys.stderr)


def _password(from_stdin: bool) -> str:
    """A password, typed twice, or the first line of stdin."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise BadRequest("A password is asked for at a terminal. Give it with --password-stdin, or --no-password for keys only.")
    first = getpass.getpass("Password (10 characters or more): ")
    if getpass.getpass("Once more: ") != first:
        raise BadRequest("The passwords are not the same. Nothing was changed.")
    return first


@contextmanager
def _people(config: Path | None, store: str | None) -> Iterator[tuple[People, list[str] | None]]:
    """The people of the store, and the roles of the policy, where there is one."""
    from streamlink_sql.assemble import open_store
    from streamlink_sql.roles import read_policy
    from streamlink_sql.settings import load_settings
    from streamlink_sql.store.people import People

    settings = load_settings(config, store=store)
    roles = list(read_policy(settings.policy).roles) if settings.policy else None
    with closing(open_store(settings)) as opened:
        yield People(opened), roles
