"""A command line that cannot be used, as one sentence: what was written, what is allowed, where the help is. Runs nothing."""

from __future__ import annotations

import re
from typing import Any

import typer

from streamlink_sql.errors import BadRequest

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What the library raises for every misuse; it has no public name there."""

_TAKES = {"int": "a whole number", "float": "a number", "bool": "true or false", "path": "a path"}


def usage_problem(error: Any) -> BadRequest:
    """The misuse as a problem of ours."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "streamlink-sql"
    return BadRequest(_sentence(error, path), usage=f"{path} --help", option=_option(error) or None, suggestions=_near(error) or None)


def help_asked_for(error: Exception) -> bool:
    """True where a command was called without anything: it shows its help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def _sentence(error: Any, path: str) -> str:
    kind, option, message = type(error).__name__, _option(error), str(error.format_message())
    if kind == "MissingParameter":
        return f"{option} is missing." if option.startswith("--") else f"The {option.lower()} is missing."
    if kind == "NoSuchOption":
        return f"There is no option {error.option_name}."
    if kind == "BadParameter" and option:
        value = _given(error)
        return f"{option} cannot be {value}: {_allowed(error)}." if value else f"{option} cannot be used so: {_allowed(error)}."
    if "unexpected extra argument" in message and path.endswith(" ask"):
        return 'Put the whole question in quotes: streamlink-sql ask "how many sales were there in 2024?".'
    unknown = re.match(r"No such command '([^']*)'", message)
    return f"There is no command {unknown[1]}." if unknown else message.rstrip(".") + "."


def _option(error: Any) -> str:
    """The option as it is typed, or the name of the argument."""
    parameter = getattr(error, "param", None)
    if parameter is None:
        return ""
    long = [name for name in parameter.opts if name.startswith("--")]
    return long[0] if long else str(parameter.name or "")


def _first(error: Any) -> dict[str, Any]:
    """What the library that reads values has found, where it was that one."""
    cause = error.__cause__
    found: list[dict[str, Any]] = cause.errors() if hasattr(cause, "errors") else []
    return found[0] if found else {}


def _given(error: Any) -> str:
    first = _first(error)
    return repr(str(first["input"])) if "input" in first else ""


def _allowed(error: Any) -> str:
    first = _first(error)
    limits, kind = first.get("ctx", {}), str(first.get("type", ""))
    choices = re.findall(r"'([^']+)'", str(first.get("msg", "")).partition("not one of")[2])
    if choices:
        return f"it takes {', '.join(choices[:-1])} or {choices[-1]}"
    for name, words in (("ge", "{} or more"), ("gt", "more than {}"), ("le", "{} or less"), ("lt", "less than {}")):
        if name in limits:
            return f"it takes {words.format(format(limits[name], ','))}"
    what = next((words for name, words in _TAKES.items() if kind.startswith(name)), "")
    return f"it takes {what}" if what else str(error.message).rstrip(".")


def _near(error: Any) -> list[str]:
    """Options or commands that were perhaps meant."""
    possible = list(getattr(error, "possibilities", None) or [])
    return possible or re.findall(r"'([^']+)'", str(error.format_message()).partition("Did you mean")[2])
