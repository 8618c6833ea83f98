"""Finds what every name in a query means: tables against the catalogue and the CTEs, columns against the tables in scope.

Judges only existence. A table name is a CTE only where that CTE is surely visible, so a doubt ends as "no such table", never as a table
that nobody saw.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from streamlink_sql.checks.policy import forbidden_table
from streamlink_sql.checks.scopes import (
    MOST_NAMES,
    UNNAMED,
    Names,
    Outputs,
    Relation,
    Scope,
    all_columns,
    check_width,
    relations_of,
    rename,
)
from streamlink_sql.checks.tree import children, nearest, span_of
from streamlink_sql.errors import InvalidSQL, PolicyRefused
from streamlink_sql.types import Dialect, Table

_ROW_IDS = {"sqlite": {"rowid", "oid", "_rowid_"}, "duckdb": {"rowid"}, "spark": set[str]()}
_HOME_SCHEMAS = {"duckdb": "main", "sqlite": "main", "spark": "default"}
_SET_PARTS = {"this", "expression", "with_"}


def resolve(tree: exp.Query, tables: tuple[Table, ...], dialect: Dialect) -> Names:
    """Every table and column of the tree, found.

    The tree is changed where it must be: in SQLite, double-quoted names that are no columns become strings; elsewhere a table that
    is called `"schema.table"` in one name, as the catalogue has it, gets its schema.
    """
    resolver = _Resolver(tables, dialect)
    outputs = resolver.query(tree, None, {})
    for table in tree.find_all(exp.Table):
        if id(table) not in resolver.seen:
            raise InvalidSQL("A table stands where none is expected.", rule="table.misplaced", span=span_of(table))
    resolver.found.outputs = outputs or []
    return resolver.found


class _Resolver:
    def __init__(self, tables: tuple[Table, ...], dialect: Dialect) -> None:
        self.dialect = dialect
        self.names = [table.name for table in tables]
        self.tables: Mapping[str, Table] = {table.name.lower(): table for table in reversed(tables)}
        self.exact: Mapping[str, Table] = {table.name: table for table in tables}
        self.found = Names()
        self.seen: set[int] = set()
        self.width = 0
        self.anchors: dict[int, Outputs] = {}
        self.withs: dict[int, dict[str, Outputs]] = {}

    def query(self, node: exp.Expr, outer: Scope | None, ctes: dict[str, Outputs]) -> Outputs:
        """Resolves a query and returns its columns; what a recursion begins with is resolved once, or nested ones would double the work."""
        if id(node) in self.anchors:
            return self.anchors[id(node)]
        if isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Query):
            raise InvalidSQL("A table stands where a query is expected.", rule="table.misplaced", span=span_of(node))
        if node.args.get("with_"):
            ctes = self.with_(node.args["with_"], outer, dict(ctes))
        if isinstance(node, exp.SetOperation):
            return self.set_operation(node, outer, ctes)
        if isinstance(node, exp.Subquery):
            outputs = self.query(node.this, outer, ctes)
            self.modifiers(node, Scope(outer, ctes, [Relation("", outputs)]), {"this", "with_", "alias"})
            return outputs
        if isinstance(node, exp.Select):
            return self.select(node, outer, ctes)
        raise PolicyRefused("Only a query that reads is allowed.", rule="statement.not_query", span=span_of(node))

    def with_(self, node: exp.Expr, outer: Scope | None, ctes: dict[str, Outputs]) -> dict[str, Outputs]:
        if id(node) in self.withs:
            return {**ctes, **self.withs[id(node)]}
        self.withs[id(node)] = own = {}
        for cte in node.expressions:
            name, renamed = cte.alias.lower(), [column.name.lower() for column in cte.args["alias"].columns]
            inner = cte.this
            while isinstance(inner, exp.Subquery) and not inner.args.get("with_"):
                inner = inner.this
            if node.args.get("recursive") and isinstance(inner, exp.SetOperation):
                anchor = _leftmost(inner)
                first = self.query(anchor, outer, {**ctes, **self._own_ctes(inner, outer, ctes)})
                self.anchors[id(anchor)] = first
                ctes = {**ctes, name: self.counted(rename(first, renamed))}
            ctes[name] = own[name] = self.counted(rename(self.query(cte.this, outer, ctes), renamed))
        return ctes

    def _own_ctes(self, node: exp.Expr, outer: Scope | None, ctes: dict[str, Outputs]) -> dict[str, Outputs]:
        return self.with_(node.args["with_"], outer, dict(ctes)) if node.args.get("with_") else {}

    def set_operation(self, node: exp.SetOperation, outer: Scope | None, ctes: dict[str, Outputs]) -> Outputs:
        """Left to right without recursion, since unions can be long chains."""
        chain: list[exp.SetOperation] = []
        left: exp.Expr = node
        while isinstance(left, exp.SetOperation) and (left is node or not left.args.get("with_")):
            chain.append(left)
            left = left.this
        outputs = self.query(left, outer, ctes)
        for operation in reversed(chain):
            right = self.query(operation.expression, outer, ctes)
            if operation.args.get("by_name"):
                known = set(outputs or ())
                outputs = None if outputs is None or right is None else [*outputs, *(name for name in right if name not in known)]
                self.counted(outputs)
            if any(value and key not in _SET_PARTS and isinstance(value, (exp.Expr, list)) for key, value in operation.args.items()):
                sources = [Relation("", outputs), Relation("", right)]
                scope = Scope(outer, ctes, sources, aliases=set(outputs or ()) | set(right or ()))
                self.modifiers(operation, scope, _SET_PARTS)
        return outputs

    def counted(self, outputs: Outputs) -> Outputs:
        """The same columns; raises InvalidSQL once there are too many in all parts of the query together."""
        self.width += len(outputs or ())
        if self.width > MOST_NAMES:
            raise InvalidSQL(
                "The parts of the SQL have too many columns together. Name those that you need, and read wide tables fewer times.",
                rule="columns.too_many",
            )
        return outputs

    def select(self, node: exp.Select, outer: Scope | None, ctes: dict[str, Outputs]) -> Outputs:
        scope = Scope(outer, ctes)
        if not node.expressions:
            raise InvalidSQL("A SELECT without columns.", rule="syntax.parse", span=span_of(node))
        if node.args.get("from_"):
            self.source(node.args["from_"].this, scope)
        for join in node.args.get("joins") or ():
            self.join(join, scope)
        for lateral in node.args.get("laterals") or ():
            self.source(lateral, scope)
        scope.aliases = {item.alias.lower() for item in node.expressions if item.alias}
        for item in node.expressions:
            self.expression(item, scope, item.alias.lower() if isinstance(item, exp.Alias) else "")
        self.modifiers(node, scope, {"with_", "from_", "joins", "laterals", "expressions"})
        return self.outputs(node, scope)

    def modifiers(self, node: exp.Expr, scope: Scope, done: set[str]) -> None:
        """Resolves everything under a node but what is done already."""
        for key, value in node.args.items():
            if key not in done:
                for child in value if isinstance(value, list) else (value,):
                    if isinstance(child, exp.Expr):
                        self.expression(child, scope)

    def join(self, node: exp.Expr, scope: Scope) -> None:
        before = len(scope.relations)
        self.source(node.this, scope)
        left, right = scope.relations[:before], scope.relations[before:]
        using = [column.name.lower() for column in node.args.get("using") or ()]
        for name, column in zip(using, node.args.get("using") or (), strict=False):
            for side in (left, right):
                if not any(relation.columns is None or relation.has(name) for relation in side):
                    self.unknown_column(column, scope)
        if str(node.args.get("method") or "").upper() == "NATURAL":
            using += [name for relation in right for name in relation.columns or ()]
        scope.merged.update(using)
        self.modifiers(node, scope, {"this", "using"})
        if str(node.args.get("kind") or "").upper() in ("SEMI", "ANTI"):
            del scope.relations[before:]

    def source(self, node: exp.Expr, scope: Scope) -> None:
        """Adds what stands in a FROM or JOIN to the scope."""
        if isinstance(node, exp.Table):
            self.table(node, scope)
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
            self.parenthesised(node, scope)
        elif isinstance(node, exp.Subquery):
            inner = scope if self.dialect != "sqlite" else scope.outer
            self.add(node, self.query(node.this, inner, self._visible(node, scope)), scope)
        elif isinstance(node, (exp.Lateral, exp.Unnest, exp.Values)):
            self.computed(node, scope)
        else:
            raise PolicyRefused("This cannot be read from.", rule="node.not_allowed", span=span_of(node))
        for join in node.args.get("joins") or ():
            self.join(join, scope)
        sample = node.args.get("sample")
        if sample is not None:
            self.expression(sample, scope)

    def _visible(self, node: exp.Expr, scope: Scope) -> dict[str, Outputs]:
        return self.with_(node.args["with_"], scope.outer, dict(scope.ctes)) if node.args.get("with_") else scope.ctes

    def parenthesised(self, node: exp.Subquery, scope: Scope) -> None:
        """`(t JOIN u ON ...)`: its relations are seen one by one, or under the alias when it has one."""
        inner = Scope(scope.outer, scope.ctes)
        self.source(node.this, inner)
        if not node.alias:
            scope.relations += inner.relations
            scope.merged |= inner.merged
            return
        self.add(node, self.counted(all_columns(inner)), scope)

    def computed(self, node: exp.Expr, scope: Scope) -> None:
        """LATERAL, UNNEST and VALUES: columns known only where the alias names them."""
        inner = node.this if isinstance(node, exp.Lateral) else None
        outputs: Outputs = None
        if isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Query):
            outputs = self.query(inner, scope, scope.ctes)
        else:
            self.modifiers(node, scope, {"alias", "joins", "sample"})
        self.add(node, outputs, scope)

    def add(self, node: exp.Expr, outputs: Outputs, scope: Scope) -> None:
        alias = node.args.get("alias")
        renamed = [column.name.lower() for column in alias.columns] if alias is not None else []
        columns = rename(outputs, renamed) if outputs is not None or not isinstance(node, exp.Unnest | exp.Values) else (renamed or None)
        scope.relations.append(Relation(node.alias.lower(), self.counted(columns)))

    def table(self, node: exp.Table, scope: Scope) -> None:
        self.seen.add(id(node))
        if isinstance(node.this, exp.Func):
            self.expression(node.this, scope)
            scope.relations.append(Relation(node.alias.lower() or node.this.name.lower(), None))
            return
        if not isinstance(node.this, exp.Identifier):
            raise PolicyRefused("This cannot be read from.", rule="node.not_allowed", span=span_of(node))
        alias = node.args.get("alias")
        renamed = [column.name.lower() for column in alias.columns] if alias is not None else []
        name, schema = node.name.lower(), node.text("db").lower()
        if not schema and not node.catalog and name in scope.ctes:
            scope.relations.append(Relation(node.alias.lower() or name, self.counted(rename(scope.ctes[name], renamed))))
            return
        table = self.stored(node)
        self.found.tables.add(table.name)
        columns = self.counted(rename([column.name.lower() for column in table.columns], renamed))
        whole = "" if renamed else table.name
        scope.relations.append(Relation(node.alias.lower() or name, columns, stored=True, schema=schema, table=whole))

    def stored(self, node: exp.Table) -> Table:
        """The catalogue's table of that name."""
        name, schema = node.name, node.text("db")
        whole = f"{schema}.{name}" if schema else name
        home = _HOME_SCHEMAS[self.dialect]
        found = self.exact.get(whole) or self.tables.get(whole.lower())
        if found is None and schema.lower() == home:
            found = self.exact.get(name) or self.tables.get(name.lower())
        if found is None and not schema:
            found = self.exact.get(f"{home}.{name}") or self.tables.get(f"{home}.{name}".lower())
        if found is not None and not node.catalog:
            if not schema and "." in found.name and self.dialect != "sqlite":
                _write_schema(node, found)
            return found
        span = span_of(node)
        reason = forbidden_table(name, schema)
        if reason is not None:
            raise PolicyRefused(reason[1], rule=reason[0], span=span)
        if node.catalog:
            raise PolicyRefused("Name tables without a catalogue.", rule="table.catalog", span=span)
        if schema and schema.lower() != _HOME_SCHEMAS[self.dialect]:
            raise PolicyRefused(f"The schema {schema[:60]!r} cannot be read.", rule="table.schema", span=span)
        raise InvalidSQL(f"There is no table {name[:60]!r}.", rule="table.unknown", span=span, suggestions=nearest(name, self.names))

    def expression(self, root: exp.Expr, scope: Scope, own: str = "") -> None:
        """Resolves the columns under a node, with a stack of its own, since chains of AND and + can be long."""
        stack: list[tuple[exp.Expr, Scope]] = [(root, scope)]
        while stack:
            node, scope = stack.pop()
            if isinstance(node, exp.Column):
                self.column(node, scope, own)
                continue
            if isinstance(node, exp.Query):
                self.query(node, scope, scope.ctes)
                continue
            if isinstance(node, exp.Dot):
                self.dot(node, scope)
            elif isinstance(node, exp.Comprehension):
                scope = Scope(scope, scope.ctes, aliases={node.expression.name.lower()})
            stack += [(child, scope) for child in children(node)]

    def dot(self, node: exp.Dot, scope: Scope) -> None:
        """`x.upper()` and lambda fields: a leading bare name is a column, a relation or a lambda's parameter."""
        first = node.this
        while isinstance(first, exp.Dot):
            first = first.this
        if not isinstance(first, exp.Identifier) or node.find_ancestor(exp.Lambda):
            return
        name = first.name.lower()
        if not self.lookup(name, scope) and not any(relation.name == name for relation in relations_of(scope)):
            self.unknown_column(first, scope)

    def column(self, node: exp.Column, scope: Scope, own: str) -> None:
        parts = [part.name for part in node.parts if isinstance(part, exp.Identifier)]
        if isinstance(node.this, exp.Star):
            self.modifiers(node.this, scope, set())
            if parts and not any(relation.name == parts[-1].lower() for relation in relations_of(scope)):
                self.unknown_relation(node, parts[-1], scope)
            return
        if len(parts) == 1:
            self.bare(node, scope, own)
        else:
            self.dotted(node, [part.lower() for part in parts], scope)

    def bare(self, node: exp.Column, scope: Scope, own: str) -> None:
        name = node.name.lower()
        owners = self.lookup(name, scope)
        if len(owners) > 1 and name not in scope.merged and (name not in scope.aliases or name == own) and all(o.columns for o in owners):
            clear = [f"{owner.name}.{node.name}" for owner in owners if owner.name]
            if len(clear) == len(owners):
                raise InvalidSQL(
                    f"The column {node.name!r} is in more than one table.", rule="column.ambiguous", span=span_of(node), suggestions=clear
                )
        if owners:
            self.found.owners[id(node)] = owners[0]
        elif not self._named(name, scope):
            self.not_a_column(node, scope)

    def _named(self, name: str, scope: Scope) -> bool:
        """An alias of this or an outer query, a relation taken as a whole row, or a row id."""
        level: Scope | None = scope
        while level is not None:
            if name in level.aliases:
                return True
            level = level.outer
        relations = list(relations_of(scope))
        if self.dialect != "sqlite" and any(relation.name == name for relation in relations):
            return True
        return name in _ROW_IDS[self.dialect] and any(relation.stored for relation in relations)

    def not_a_column(self, node: exp.Column, scope: Scope) -> None:
        """SQLite takes a double-quoted name that is no column for a string; anything else is unknown."""
        if self.dialect == "sqlite" and node.this.args.get("quoted"):
            node.replace(exp.Literal.string(node.name))
            return
        self.unknown_column(node, scope)

    def dotted(self, node: exp.Column, parts: list[str], scope: Scope) -> None:
        relations = list(relations_of(scope))
        for depth in (0, 1):
            if len(parts) < depth + 2:
                break
            for relation in relations:
                if relation.name != parts[depth] or (depth == 1 and relation.schema and relation.schema != parts[0]):
                    continue
                rowid = relation.stored and parts[depth + 1] in _ROW_IDS[self.dialect]
                if relation.columns is None or relation.has(parts[depth + 1]) or rowid:
                    self.found.owners[id(node)] = relation
                    return
        if self.dialect != "sqlite" and self.lookup(parts[0], scope):
            self.found.owners[id(node)] = self.lookup(parts[0], scope)[0]
            return
        if self.dialect != "sqlite" and self._named(parts[0], scope) and not any(relation.name == parts[0] for relation in relations):
            return
        if any(relation.name == parts[-2] for relation in relations):
            self.unknown_column(node, scope, parts[-2])
        self.unknown_relation(node, parts[-2], scope)

    def lookup(self, name: str, scope: Scope) -> list[Relation]:
        """The relations that hold a column of that name: those of the nearest scope that has any."""
        level: Scope | None = scope
        while level is not None:
            sure = [relation for relation in level.relations if relation.columns is not None and relation.has(name)]
            maybe = [relation for relation in level.relations if relation.columns is None]
            if sure or maybe:
                return sure or maybe
            if name in level.aliases and level is not scope:
                return []
            level = level.outer
        return []

    def outputs(self, node: exp.Select, scope: Scope) -> Outputs:
        names: list[str] = []
        for item in node.expressions:
            star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
            if isinstance(star, exp.Star):
                owner = item.text("table").lower()
                inner = Scope(None, {}, [r for r in scope.relations if not owner or r.name == owner], scope.merged)
                expanded = all_columns(inner)
                if expanded is None or star.args.get("rename"):
                    return None
                dropped = {column.name.lower() for column in star.args.get("except_") or ()}
                names += [name for name in expanded if name not in dropped]
                check_width(names)
            elif item.find(exp.Columns) or isinstance(item, exp.Explode):
                return None
            else:
                names.append(item.alias_or_name.lower() or UNNAMED)
        return self.counted(names)

    def unknown_column(self, node: exp.Expr, scope: Scope, relation: str = "") -> None:
        known = {name for source in relations_of(scope) if not relation or source.name == relation for name in source.columns or ()}
        spelled = {column.name for table in self.tables.values() for column in table.columns if column.name.lower() in known}
        suggestions = nearest(node.name, spelled | (known - {name.lower() for name in spelled}))
        where = f" in {relation!r}" if relation else ""
        owners = [table.name for table in self.tables.values() if any(column.name.lower() == node.name.lower() for column in table.columns)]
        elsewhere = f" It is a column of {' and of '.join(sorted(owners)[:3])}." if owners else ""
        detail = f"There is no column {node.name!r}{where}.{elsewhere}"
        raise InvalidSQL(detail, rule="column.unknown", span=span_of(node), suggestions=suggestions)

    def unknown_relation(self, node: exp.Expr, name: str, scope: Scope) -> None:
        known = {relation.name for relation in relations_of(scope) if relation.name}
        raise InvalidSQL(
            f"{name!r} is not one of the tables of this query.{' Join it.' if name.lower() in self.tables else ''}",
            rule="column.unknown_table",
            span=span_of(node),
            suggestions=nearest(name, known),
        )


def _leftmost(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.SetOperation):
        node = node.this
    return node


def _write_schema(node: exp.Table, table: Table) -> None:
    """Schema and table as two names; columns that name the table go on naming it."""
    called, select = node.name, node.find_ancestor(exp.Select)
    columns = select.find_all(exp.Column) if select is not None else ()
    if not node.alias and any(column.table.lower() == called.lower() for column in columns):
        node.set("alias", exp.TableAlias(this=exp.to_identifier(called, quoted=True)))
    schema, _, name = table.name.partition(".")
    node.set("db", exp.to_identifier(schema, quoted=True))
    node.set("this", exp.to_identifier(name, quoted=True))
