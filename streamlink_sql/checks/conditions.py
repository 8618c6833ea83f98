"""Conditions on the rows of one table, as a policy writes them: judged as every query is. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from streamlink_sql.checks import syntax, text
from streamlink_sql.checks.policy import DEFAULT, check_tree
from streamlink_sql.errors import BadRequest, Forbidden, InvalidSQL, PolicyRefused
from streamlink_sql.types import Attribute, Dialect

_PARTS = {"expressions", "from_", "where"}


def condition(written: str, dialect: Dialect, attributes: Mapping[str, Attribute]) -> tuple[str, tuple[str, ...]]:
    """A condition such as `country = :country` as SQL of the engine, with the asker's attributes in the place of `:name`, and the columns
    that it reads: whoever uses it makes sure that they are there, as SQLite takes an unknown quoted name for a text.

    It may use the columns of its own table and the functions that queries may use; no other table. Raises BadRequest for a condition that
    cannot be used, Forbidden where the asker lacks an attribute that it needs.
    """
    query = f"SELECT 1 FROM t WHERE ({written}\n)"
    if not written.strip():
        raise BadRequest("A condition is empty. Leave it out where all rows may be seen.", setting="policy")
    try:
        tokens = text.tokens_of(query, dialect, DEFAULT.caps)
        tree = syntax.parse(tokens, query, dialect)
        _check_form(tree, written)
        for place in list(tree.find_all(exp.Placeholder, exp.Parameter)):
            _put_in(place, attributes)
        check_tree(tree, dialect, DEFAULT, tokens)
    except (InvalidSQL, PolicyRefused) as error:
        detail = f"The condition {written!r} cannot be used: {error.detail}"
        raise BadRequest(detail, rule=error.helps.get("rule"), setting="policy") from error
    columns = dict.fromkeys(column.name for column in tree.find_all(exp.Column))
    return syntax.generate(tree.args["where"].this, dialect), tuple(columns)


def _check_form(tree: exp.Query, written: str) -> None:
    """One plain SELECT with nothing but the condition in it: brackets that close too early end here."""
    extra = {name for name, value in tree.args.items() if value and name not in _PARTS}
    others = [each for each in tree.find_all(exp.Query, exp.Table) if each is not tree and each.find_ancestor(exp.From) is None]
    if not isinstance(tree, exp.Select) or extra or others or any(column.table for column in tree.find_all(exp.Column)):
        raise BadRequest(
            f"The condition {written!r} cannot be used: it is one condition on the columns of its own table, such as country = 'DE' or "
            "country = :country, without other tables.",
            setting="policy",
        )


def _put_in(place: exp.Expr, attributes: Mapping[str, Attribute]) -> None:
    """The asker's attribute in the place of its name; several values stand in a list, which only IN takes. An empty list fits no row."""
    name = place.name
    if name not in attributes:
        raise Forbidden(
            f"The role needs to know your {name!r}, which is not set. It is one of the `attributes`: in the settings, or of your account.",
            rule="attribute",
        )
    value = attributes[name]
    if not isinstance(value, tuple):
        place.replace(exp.convert(value))
        return
    parent = place.parent
    if not isinstance(parent, exp.In):
        raise Forbidden(f"There are several values of your attribute {name!r}; only a condition with IN can use them.", rule="attribute")
    others = [each for each in parent.expressions if each is not place]
    parent.set("expressions", [*others, *(exp.convert(each) for each in value)] or [exp.null()])
