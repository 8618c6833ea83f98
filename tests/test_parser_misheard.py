"""Where a query does not fit the words of its question, and that queries which do fit raise no doubt."""

from __future__ import annotations

import pytest

from streamlink_sql.generators.parser.actions import Layout, spans_of
from streamlink_sql.generators.parser.ir import Schema, to_ir
from streamlink_sql.generators.parser.linking import link
from streamlink_sql.generators.parser.misheard import misheard
from streamlink_sql.generators.parser.parse import parse
from streamlink_sql.generators.parser.pieces import Pieces
from streamlink_sql.generators.parser.runtime import WEIGHTS
from streamlink_sql.training.parser_data import to_actions, to_symbols
from streamlink_sql.types import Column, ForeignKey, Table, ValueMatch

SCHEMA = Schema.of(
    (
        Table(
            "orders",
            (
                Column("order_id", "integer"),
                Column("customer_id", "integer"),
                Column("ordered_on", "date"),
                Column("status", "text", "VARCHAR"),
                Column("country", "text", "VARCHAR"),
                Column("line_count", "integer"),
                Column("cost_centre", "text", "VARCHAR"),
            ),
            ("order_id",),
            (ForeignKey(("customer_id",), "customers", ("customer_id",)), ForeignKey(("cost_centre",), "centres", ("cost_centre",))),
        ),
        Table(
            "customers",
            (Column("customer_id", "integer"), Column("customer_name", "text"), Column("country", "text"), Column("staff", "integer")),
            ("customer_id",),
        ),
        Table(
            "parcels",
            (Column("parcel_id", "integer"), Column("sender_id", "integer"), Column("receiver_id", "integer")),
            ("parcel_id",),
            (ForeignKey(("sender_id",), "customers", ("customer_id",)), ForeignKey(("receiver_id",), "customers", ("customer_id",))),
        ),
        Table(
            "centres",
            (Column("cost_centre", "text"), Column("centre_title", "text"), Column("parent_centre", "text")),
            ("cost_centre",),
            (ForeignKey(("parent_centre",), "centres", ("cost_centre",)),),
        ),
    )
)
CELLS = {
    "cancelled": [("orders", "status")],
    "open": [("orders", "status")],
    "Dutch": [("orders", "country"), ("customers", "country")],
    "Utrecht": [("orders", "country"), ("customers", "country")],
    "Delft": [("orders", "country"), ("customers", "country")],
}


def doubts(question: str, sql: str) -> int:
    matches = [
        ValueMatch(*place, "NL" if word == "Dutch" else word, question.find(word), question.find(word) + len(word), 1.0)
        for word, places in CELLS.items()
        for place in places
        if word in question
    ]
    tokens = to_ir(sql, SCHEMA, "duckdb")
    linked = link(question, SCHEMA, matches, {}, Pieces(WEIGHTS / "tokenizer.json"))
    layout = Layout.of(linked)
    actions = to_actions(to_symbols(tokens, question, SCHEMA, matches), layout.words, layout.tables)
    return misheard(linked, SCHEMA, tokens, spans_of(actions, layout), parse(tokens))


SENT = "SELECT count(*) FROM parcels JOIN customers AS s ON parcels.sender_id = s.customer_id"
JOINED = "FROM orders JOIN customers ON orders.customer_id = customers.customer_id"


@pytest.mark.parametrize(
    ("question", "wrong", "right"),
    [
        (
            "How many orders per country, leaving out cancelled ones?",
            "SELECT country, count(*) FROM orders WHERE status = 'cancelled' GROUP BY country",
            "SELECT country, count(*) FROM orders WHERE status <> 'cancelled' GROUP BY country",
        ),
        (
            "Orders that are not cancelled, how many?",
            "SELECT count(*) FROM orders WHERE status = 'cancelled'",
            "SELECT count(*) FROM orders WHERE NOT status = 'cancelled'",
        ),
        (
            "Which customers have at least 20 orders?",
            f"SELECT customer_name {JOINED} WHERE staff >= 20",
            f"SELECT customer_name {JOINED} GROUP BY customer_name HAVING count(*) >= 20",
        ),
        (
            "How many orders did Dutch customers place?",
            f"SELECT count(*) {JOINED} WHERE orders.country = 'NL'",
            f"SELECT count(*) {JOINED} WHERE customers.country = 'NL'",
        ),
        (
            "Which customers from Utrecht have open orders?",
            f"SELECT customer_name {JOINED} WHERE orders.country = 'Utrecht' AND status = 'open'",
            f"SELECT customer_name {JOINED} WHERE customers.country = 'Utrecht' AND status = 'open'",
        ),
        (
            "Customers with 5 or more orders",
            f"SELECT customer_name {JOINED} WHERE staff >= 5",
            f"SELECT customer_name {JOINED} GROUP BY customer_name HAVING count(*) >= 5",
        ),
        (
            "What are the highest and the lowest line count?",
            "SELECT max(line_count) FROM orders",
            "SELECT max(line_count), min(line_count) FROM orders",
        ),
        (
            "In which year was the first order placed?",
            "SELECT min(ordered_on) FROM orders",
            "SELECT year(ordered_on) FROM orders ORDER BY ordered_on LIMIT 1",
        ),
        (
            "Orders per status, most frequent first",
            "SELECT status, count(*) FROM orders GROUP BY status",
            "SELECT status, count(*) FROM orders GROUP BY status ORDER BY count(*) DESC",
        ),
        (
            "Which cost centres have open orders?",
            "SELECT centre_title FROM centres JOIN orders ON orders.cost_centre = centres.cost_centre WHERE status = 'open'",
            "SELECT orders.cost_centre FROM orders WHERE status = 'open'",
        ),
        (
            "How many orders are there by country?",
            f"SELECT customers.country, count(order_id) {JOINED} GROUP BY customers.country",
            "SELECT country, count(order_id) FROM orders GROUP BY country",
        ),
        (
            "How many parcels went from Utrecht to Delft?",
            f"{SENT} JOIN orders ON orders.customer_id = s.customer_id WHERE s.country = 'Utrecht' AND orders.country = 'Delft'",
            f"{SENT} JOIN customers AS r ON parcels.receiver_id = r.customer_id WHERE s.country = 'Utrecht' AND r.country = 'Delft'",
        ),
        (
            "What is the second highest line count?",
            "SELECT max(line_count) FROM orders",
            "SELECT line_count FROM orders ORDER BY line_count DESC LIMIT 1 OFFSET 1",
        ),
        (
            "customers with the same customer name",
            "SELECT customer_name FROM customers",
            "SELECT customer_name FROM customers GROUP BY customer_name HAVING count(*) > 1",
        ),
        (
            "orders with more lines than the average of their country",
            "SELECT order_id FROM orders WHERE line_count > (SELECT avg(line_count) FROM orders)",
            "SELECT order_id FROM orders WHERE line_count > (SELECT avg(o.line_count) FROM orders o WHERE o.country = orders.country)",
        ),
        (
            "customers with Utrecht in the customer name",
            "SELECT staff FROM customers WHERE customer_name = 'Utrecht'",
            "SELECT staff FROM customers WHERE customer_name LIKE '%Utrecht%'",
        ),
        (
            "Which customers are out of staff?",
            "SELECT customer_name FROM customers WHERE staff > 0",
            "SELECT customer_name FROM customers WHERE staff = 0",
        ),
        (
            "centres with no parent",
            "SELECT centre_title FROM centres WHERE cost_centre NOT IN (SELECT parent_centre FROM centres)",
            "SELECT centre_title FROM centres WHERE parent_centre IS NULL",
        ),
        (
            "Show all there is about the customer from Utrecht",
            f"SELECT orders.* {JOINED} WHERE customers.country = 'Utrecht'",
            "SELECT * FROM customers WHERE country = 'Utrecht'",
        ),
    ],
)
def test_what_the_words_do_not_say(question: str, wrong: str, right: str) -> None:
    assert (doubts(question, wrong), doubts(question, right)) == (1, 0)


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("Utrecht", "SELECT count(*) FROM orders WHERE country = 'Utrecht'"),
        ("the 5 orders from highest to lowest line count", "SELECT order_id FROM orders ORDER BY line_count DESC LIMIT 5"),
        ("the 5 newest orders, oldest first", "SELECT order_id FROM orders ORDER BY ordered_on DESC LIMIT 5"),
        ("Isn't it cancelled orders that come from Utrecht?", "SELECT count(*) FROM orders WHERE status = 'cancelled'"),
        ("orders without lines in Utrecht", "SELECT count(*) FROM orders WHERE country = 'Utrecht' AND line_count > 3"),
        ("Since 2015 orders with more lines?", "SELECT count(*) FROM orders WHERE line_count > 2015"),
        ("Who came to the request first", "SELECT customer_name FROM customers"),
        ("Whose customer staff is largest?", "SELECT customer_name FROM customers ORDER BY staff DESC LIMIT 1"),
        ("orders not in the second half of 2019", "SELECT count(*) FROM orders WHERE quarter(ordered_on) <= 2 AND year(ordered_on) = 2019"),
        ("Not only cancelled orders: how many cancelled ones?", "SELECT count(*) FROM orders WHERE status = 'cancelled'"),
        ("Not those of 2019, but cancelled orders", "SELECT count(*) FROM orders WHERE status = 'cancelled'"),
        ("2019 orders by country", "SELECT country, count(*) FROM orders WHERE year(ordered_on) = 2019 GROUP BY country"),
        ("orders from the longest to the shortest line count", "SELECT order_id FROM orders ORDER BY line_count DESC"),
        ("By how much do the highest and the lowest line count differ?", "SELECT max(line_count) - min(line_count) FROM orders"),
        ("Which year had open orders, and which cost centres?", "SELECT year(ordered_on), cost_centre FROM orders WHERE status = 'open'"),
        ("When was the first order of each status placed?", "SELECT status, min(ordered_on) FROM orders GROUP BY status"),
        ("Orders of customers by the customers' country", f"SELECT customers.country, count(*) {JOINED} GROUP BY customers.country"),
        ("How many parcels went to Delft?", f"{SENT} JOIN orders ON orders.customer_id = s.customer_id WHERE orders.country = 'Delft'"),
        ("All about the orders of customers in Utrecht", f"SELECT orders.* {JOINED} WHERE customers.country = 'Utrecht'"),
        (
            "orders with more lines than the average of all",
            "SELECT order_id FROM orders WHERE line_count > (SELECT avg(line_count) FROM orders)",
        ),
        ("orders of the same country as their customer", f"SELECT count(*) {JOINED} WHERE orders.country = customers.country"),
        ("the second order of the highest line count", "SELECT max(line_count) FROM orders"),
        ("Dutch orders of Dutch customers", f"SELECT count(*) {JOINED} WHERE orders.country = 'NL' AND customers.country = 'NL'"),
    ],
)
def test_what_fits_the_words(question: str, sql: str) -> None:
    assert doubts(question, sql) == 0


def test_a_word_is_heard_once() -> None:
    tables = (
        Table("patients", (Column("patient_id", "integer"), Column("status", "text"), Column("town", "text")), ("patient_id",)),
        Table(
            "visits",
            (Column("visit_id", "integer"), Column("patient_id", "integer"), Column("active", "boolean")),
            ("visit_id",),
            (ForeignKey(("patient_id",), "patients", ("patient_id",)),),
        ),
    )
    schema, question = Schema.of(tables), "towns of active patients"
    matches = [ValueMatch("patients", "status", "active", 9, 15, 1.0)]
    linked = link(question, schema, matches, {}, Pieces(WEIGHTS / "tokenizer.json"))
    layout = Layout.of(linked)

    def heard(condition: str) -> int:
        sql = f"SELECT p.town FROM patients AS p JOIN visits AS v ON v.patient_id = p.patient_id WHERE {condition}"
        tokens = to_ir(sql, schema, "duckdb")
        actions = to_actions(to_symbols(tokens, question, schema, matches), layout.words, layout.tables)
        return misheard(linked, schema, tokens, spans_of(actions, layout), parse(tokens))

    assert heard("p.status = 'active' AND v.active = TRUE") == heard("p.status = 'active'") + 1
    assert heard("v.active = TRUE") == heard("v.visit_id IS NOT NULL") + 1


ENERGY = Schema.of(
    (
        Table(
            "outages",
            (Column("outage_id", "integer"), Column("district", "text"), Column("minutes", "integer"), Column("energy", "text")),
            ("outage_id",),
        ),
        Table("customers", (Column("customer_id", "integer"), Column("district", "text")), ("customer_id",)),
        Table(
            "contracts",
            (Column("contract_id", "integer"), Column("customer_id", "integer"), Column("tariff_id", "integer"), Column("usage", "real")),
            ("contract_id",),
            (ForeignKey(("customer_id",), "customers", ("customer_id",)), ForeignKey(("tariff_id",), "tariffs", ("tariff_id",))),
        ),
        Table("tariffs", (Column("tariff_id", "integer"), Column("energy", "text")), ("tariff_id",)),
    )
)
BESIDE = "FROM customers AS c JOIN outages AS o ON c.district = o.district"


@pytest.mark.parametrize(
    ("question", "sql", "doubts"),
    [
        (
            "average usage of contracts per energy",
            f"SELECT o.energy, avg(k.usage) {BESIDE} JOIN contracts AS k ON k.customer_id = c.customer_id GROUP BY o.energy",
            1,
        ),
        (
            "average usage of contracts per energy",
            "SELECT t.energy, avg(k.usage) FROM contracts AS k JOIN tariffs AS t ON k.tariff_id = t.tariff_id GROUP BY t.energy",
            0,
        ),
        ("how many customers live in districts with outages by energy", f"SELECT o.energy, count(*) {BESIDE} GROUP BY o.energy", 0),
        ("how many customers had more than 30 minutes", f"SELECT count(*) {BESIDE} WHERE o.minutes > 30", 0),
    ],
)
def test_a_column_is_read_where_keys_lead(question: str, sql: str, doubts: int) -> None:
    linked = link(question, ENERGY, [], {}, Pieces(WEIGHTS / "tokenizer.json"))
    tokens, layout = to_ir(sql, ENERGY, "duckdb"), Layout.of(linked)
    actions = to_actions(to_symbols(tokens, question, ENERGY, []), layout.words, layout.tables)
    assert misheard(linked, ENERGY, tokens, spans_of(actions, layout), parse(tokens)) == doubts
