"""Names of tables and columns as the words that people say. Pure text: reads no data."""

from __future__ import annotations

import re
from functools import lru_cache

from streamlink_sql.catalog.values import normalise, stem

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_TABLE_MARKS = frozenset({"tbl", "tb", "dim", "fact", "fct", "stg", "lkp", "lookup", "ref", "vw", "mst", "table", "data"})

ABBREVIATIONS = {
    "acct": "account", "addr": "address", "amt": "amount", "appl": "application", "approx": "approximate", "attr": "attribute",
    "auth": "author", "avg": "average", "bal": "balance", "bday": "birthday", "bldg": "building", "cat": "category", "cd": "code",
    "cnt": "count", "co": "company", "comp": "company", "corp": "corporation", "ctry": "country", "cty": "city", "curr": "currency",
    "cust": "customer", "dept": "department", "desc": "description", "dest": "destination", "dist": "district", "div": "division",
    "dob": "birth date", "doc": "document", "dt": "date", "emp": "employee", "env": "environment", "est": "estimate", "evt": "event",
    "fk": "key", "fname": "first name", "freq": "frequency", "gov": "government", "grp": "group", "hosp": "hospital", "hr": "hour",
    "hrs": "hours", "img": "image", "info": "information", "inv": "invoice", "lang": "language", "lat": "latitude",
    "lname": "last name", "loc": "location", "lon": "longitude", "lng": "longitude", "lvl": "level", "max": "maximum",
    "mfr": "manufacturer", "mgr": "manager", "min": "minimum", "msg": "message", "nbr": "number", "no": "number", "nr": "number",
    "num": "number", "obj": "object", "ord": "order", "org": "organization", "orig": "original", "pct": "percent",
    "perf": "performance", "pos": "position", "pop": "population", "prev": "previous", "prod": "product", "proj": "project",
    "prof": "professor", "pub": "publication", "purch": "purchase", "qty": "quantity", "rcpt": "receipt", "rec": "record",
    "reg": "region", "rep": "representative", "req": "request", "seq": "sequence", "spec": "specification", "src": "source",
    "st": "state", "stat": "status", "std": "standard", "stmt": "statement", "sub": "subscription", "supp": "supplier",
    "temp": "temperature", "tel": "telephone", "tot": "total", "trans": "transaction", "txn": "transaction", "univ": "university",
    "usr": "user", "val": "value", "vol": "volume", "wt": "weight", "yr": "year", "yrs": "years",
}  # fmt: skip


@lru_cache(maxsize=65536)
def words_of(name: str) -> tuple[str, ...]:
    """The stemmed words of a name: 'custOrder_IDs' has 'cust', 'order', 'id'."""
    parts = (part for piece in re.split(r"[\W_]+", name) for part in _CAMEL.split(piece))
    return tuple(stem(word) for part in parts for word in normalise(part).split())


def table_words(name: str) -> tuple[str, ...]:
    """The words of a table's name without marks such as 'tbl' or 'dim', and without a schema in front."""
    words = words_of(name.rpartition(".")[2] or name)
    return tuple(word for word in words if word not in _TABLE_MARKS) or words


@lru_cache(maxsize=65536)
def spoken_words(name: str) -> tuple[str, ...]:
    """The stemmed words of a name with common abbreviations written out: 'qty_sold' has 'quantity', 'sold'."""
    return tuple(stem(word) for short in words_of(name) for word in ABBREVIATIONS.get(short, short).split())
