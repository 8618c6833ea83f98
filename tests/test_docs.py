"""The reference pages name every setting, command, option and error, as the code has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamlink_sql import cli, errors
from streamlink_sql.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def setting_rows() -> list[str]:
    """One row of the table for each setting."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "unset" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{name}` | {default} | {field.description} |")
    return rows


def test_every_setting_is_on_its_page_as_it_is() -> None:
    shown = page("reference-settings.md")
    assert [row for row in setting_rows() if row not in shown] == []
    assert PREFIX in shown


def test_the_page_has_no_setting_that_is_gone() -> None:
    named = re.findall(r"^\| `(\w+)` \|", page("reference-settings.md"), re.MULTILINE)
    assert set(named) == set(Settings.model_fields)


def error_classes(root: type[errors.StreamLinkError] = errors.StreamLinkError) -> Iterator[type[errors.StreamLinkError]]:
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from error_classes(child)


def test_every_error_is_on_its_page_as_it_is() -> None:
    shown = page("reference-errors.md")
    rows = [f"| `{e.code}` | {e.status} | {e.exit_status} | {(e.__doc__ or '').strip()} |" for e in error_classes()]
    assert [row for row in rows if row not in shown] == []


def test_the_tree_of_errors_is_drawn_at_the_top_of_its_module() -> None:
    drawn = dict(re.findall(r"-- (\w+)\s+(\w+)\s+\d+", errors.__doc__ or ""))
    assert drawn == {e.__name__: e.code for e in error_classes()}


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """A command, and those below it."""
    if getattr(command, "commands", None):
        for below, found in command.commands.items():
            yield from commands(f"{name} {below}", found)
    else:
        yield name, command


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_and_option_is_on_its_page(name: str) -> None:
    shown = page("reference-cli.md")
    missing = []
    for full, command in commands(name, cli.load_command(name)):
        section = re.search(rf"^## `streamlink-sql {re.escape(full)}\b[^\n]*\n(.*?)(?=^## |\Z)", shown, re.MULTILINE | re.DOTALL)
        if section is None:
            missing.append(full)
            continue
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        missing += [f"{full} {option}" for option in options if option != "--help" and f"`{option}" not in section[1]]
    assert missing == []


def test_exit_statuses_are_on_the_page() -> None:
    shown = page("reference-cli.md")
    assert [status for status in (0, 1, 2, 3, 4, 5) if f"| {status} |" not in shown] == []


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")) + sorted(ROOT.glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not link.startswith("mailto:") and not (path.parent / link).exists()]
    assert broken == []
