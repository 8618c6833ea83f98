"""Who may see what: roles, read from a policy file. Judges no SQL and opens no data.

mode = "enforce"                                   # or "log": nothing is enforced, the audit says what would have been

[roles.analyst]
others = false                                     # tables that are not named below: not to be seen (the default)
isolate = false                                    # true: queries run on a copy that holds nothing else
smallest_group = 0                                 # 5: counts, sums and averages of 5 rows or more, and nothing else; also of one table

[roles.analyst.tables.orders]
columns = ["id", "ordered_on", "country", "total"] # the only ones; or hide = ["email"] for all but these
mask = { total = "null" }                          # "null", "stars", "first 3", "year"
rows = "country = :country"                        # a condition on the table's columns; :name is the asker's attribute

[roles.analyst.tables.products]                    # all of it
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from streamlink_sql.errors import BadRequest, Forbidden, NotFound
from streamlink_sql.scope import Scope, View, spelt

MASK = re.compile(r"null|stars|year|first [1-9]\d?")
FILE_NAME = "policy.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableRule(_Strict):
    """What a role may see of one table."""

    columns: tuple[str, ...] | None = Field(default=None, min_length=1)
    hide: tuple[str, ...] = ()
    mask: dict[str, str] = Field(default_factory=dict)
    rows: str | None = None
    smallest_group: int = Field(default=0, ge=0, le=1_000_000, strict=True)

    @field_validator("mask")
    @classmethod
    def _known(cls, mask: dict[str, str]) -> dict[str, str]:
        for name in mask.values():
            if not MASK.fullmatch(name):
                raise ValueError(f'there is no mask "{name}"; known are "null", "stars", "year" and "first N" such as "first 3"')
        return mask

    @model_validator(mode="after")
    def _one_way(self) -> TableRule:
        if self.columns is not None and self.hide:
            raise ValueError("columns and hide exclude each other: name what may be seen, or what may not")
        return self


class Role(_Strict):
    """What the people of one role may see."""

    tables: dict[str, TableRule] = Field(default_factory=dict)
    others: bool = False
    isolate: bool = False
    smallest_group: int = Field(default=0, ge=0, le=1_000_000, strict=True)

    @field_validator("tables")
    @classmethod
    def _once(cls, tables: dict[str, TableRule]) -> dict[str, TableRule]:
        if len({spelt(name) for name in tables}) < len(tables):
            raise ValueError("a table has two rules, with its name spelt in two ways")
        return tables

    def scope(self, condition: Callable[[str], tuple[str, tuple[str, ...]]]) -> Scope | None:
        """The scope of an asker; `condition` makes SQL of a condition, with their attributes, and names the columns that it reads.
        None where a role sees everything."""
        if self.others and not self.tables and not self.isolate and self.smallest_group <= 1:
            return None
        views = tuple(
            View(
                table,
                rule.columns,
                rule.hide,
                tuple(sorted(rule.mask.items())),
                *(("", ()) if rule.rows is None else condition(rule.rows)),
                smallest_group=rule.smallest_group,
            )
            for table, rule in sorted(self.tables.items())
        )
        return Scope(views, self.others, self.isolate, self.smallest_group)


class Policy(_Strict):
    """A policy file."""

    mode: Literal["enforce", "log"] = "enforce"
    roles: dict[str, Role] = Field(min_length=1)

    def role(self, name: str | None) -> Role:
        """The role of that name; raises Forbidden for none and for an unknown one."""
        known = list(self.roles)
        if name is None:
            raise Forbidden(f"There is a policy, so a role is needed: {', '.join(known)}.", rule="role", roles=known)
        if name not in known:
            raise Forbidden(f"There is no role {name} in the policy. There are: {', '.join(known)}.", rule="role", roles=known)
        return self.roles[name]


def read_policy(path: Path) -> Policy:
    """The policy in a file; raises NotFound and BadRequest with the place of the first thing that cannot be used."""
    try:
        return Policy.model_validate(_content(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadRequest(f"{path}, {place or 'roles'}: {_said(first, place)}.", setting="policy") from error


def is_log_only(path: Path) -> bool:
    """Whether a policy only looks on. A file that is no TOML does not say so: it counts as one that is enforced, and opens nothing."""
    try:
        return _content(path).get("mode") == "log"
    except (BadRequest, NotFound):
        return False


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"{path} is not valid TOML: {error}.", setting="policy") from error
    except OSError as error:
        raise NotFound(f"There is no policy that can be read at {path} ({error.strerror}).", setting="policy") from error


def _said(error: Mapping[str, Any], place: str) -> str:
    """A complaint of pydantic's in plain words."""
    if error["type"] == "extra_forbidden":
        owners: dict[int, type[BaseModel]] = {1: Policy, 3: Role, 5: TableRule}
        return f"there is no such key; known are {', '.join(owners.get(place.count('.') + 1, Policy).model_fields)}"
    if error["type"] == "missing":
        return "a policy needs at least one role, such as [roles.analyst]"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return str(error["msg"]).lower().rstrip(".")
