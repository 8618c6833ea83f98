"""Names of tables and columns as the words that people say. Pure text: reads no data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from streamlink_sql.catalog.values import Place, normalise, stem
from streamlink_sql.types import Table

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_TABLE_MARKS = frozenset({"tbl", "tb", "dim", "fact", "fct", "stg", "lkp", "lookup", "ref", "vw", "mst", "table", "data"})

ABBREVIATIONS = {
    "acct": "account", "actl": "actual", "addr": "address", "amt": "amount", "appl": "application", "approx": "approximate",
    "appt": "appointment", "arr": "arrival", "attr": "attribute", "auth": "author", "avail": "available", "avg": "average",
    "bal": "balance", "bday": "birthday", "bgt": "budget", "bldg": "building", "calc": "calculated", "cat": "category", "cd": "code",
    "clr": "color", "cncl": "cancelled", "cnt": "count", "co": "company", "comp": "company", "corp": "corporation", "crs": "course",
    "ctry": "country", "cty": "city", "curr": "currency", "cust": "customer", "dept": "department", "desc": "description",
    "descr": "description", "descrip": "description", "dest": "destination", "discnt": "discount", "dist": "district",
    "div": "division", "dob": "birth date", "doc": "document", "dt": "date", "emp": "employee", "enrl": "enrollment",
    "env": "environment", "est": "estimate", "evt": "event", "exp": "expected", "ext": "external", "fk": "key", "flr": "floor",
    "fname": "first name", "freq": "frequency", "gndr": "gender", "gov": "government", "grp": "group", "hosp": "hospital",
    "hr": "hour", "hrs": "hours", "ht": "height", "img": "image", "info": "information", "instr": "instructor", "inv": "invoice",
    "lang": "language", "lat": "latitude", "len": "length", "lic": "license", "lname": "last name", "lng": "longitude",
    "loc": "location", "lon": "longitude", "lvl": "level", "maint": "maintenance", "max": "maximum", "mfg": "manufacturing",
    "mfr": "manufacturer", "mgmt": "management", "mgr": "manager", "min": "minimum", "mins": "minutes", "mkt": "market",
    "msg": "message", "mth": "month", "mths": "months", "mtl": "material", "nbr": "number", "no": "number", "nr": "number",
    "num": "number", "obj": "object", "ord": "order", "org": "organization", "orig": "original", "pct": "percent", "perc": "percent",
    "perf": "performance", "pkg": "package", "pmt": "payment", "pop": "population", "pos": "position", "prev": "previous",
    "prod": "product", "prof": "professor", "proj": "project", "pub": "publication", "purch": "purchase", "pymt": "payment",
    "qty": "quantity", "rcpt": "receipt", "rcvd": "received", "rec": "record", "recd": "received", "reg": "region",
    "rep": "representative", "req": "request", "rm": "room", "rsn": "reason", "sched": "schedule", "secs": "seconds",
    "sem": "semester", "seq": "sequence", "spec": "specification", "src": "source", "st": "state", "stat": "status",
    "std": "standard", "stmt": "statement", "stn": "station", "stud": "student", "sub": "subscription", "supp": "supplier",
    "svc": "service", "sz": "size", "tel": "telephone", "temp": "temperature", "tgt": "target", "tm": "time", "tot": "total",
    "trans": "transaction", "ts": "time", "txn": "transaction", "univ": "university", "upd": "updated", "usr": "user",
    "val": "value", "veh": "vehicle", "ver": "version", "vol": "volume", "wk": "week", "wks": "weeks", "wt": "weight", "yr": "year",
    "yrs": "years",
}  # fmt: skip


_OF_MANY_MEANINGS = frozenset("co comp dep dob ent exp hr ht inv len max min pos reg rep sem spec st stat std sub temp ver".split())
"""Abbreviations that are read in one way for searching, and not said in full, as people say them so or mean something else."""
_LAST_ONLY = frozenset(("no", "cat", "cd"))
"""Those that mean what they stand for behind another word only: `wagon_no`, and not `no_smoking`."""


@lru_cache(maxsize=65536)
def words_of(name: str) -> tuple[str, ...]:
    """The stemmed words of a name: 'custOrder_IDs' has 'cust', 'order', 'id'."""
    return tuple(map(stem, _parts(name)))


def _parts(name: str) -> list[str]:
    return [word for piece in re.split(r"[\W_]+", name) for part in _CAMEL.split(piece) for word in normalise(part).split()]


def table_words(name: str) -> tuple[str, ...]:
    """The words of a table's name without marks such as 'tbl' or 'dim', and without a schema in front."""
    words = words_of(name.rpartition(".")[2] or name)
    return tuple(word for word in words if word not in _TABLE_MARKS) or words


@lru_cache(maxsize=65536)
def spoken_words(name: str) -> tuple[str, ...]:
    """The stemmed words of a name with common abbreviations written out: 'qty_sold' has 'quantity', 'sold'."""
    return tuple(stem(word) for short in words_of(name) for word in ABBREVIATIONS.get(short, short).split())


def spoken_name(name: str) -> str:
    """The name as its words with common abbreviations written out that mean one thing only: 'qtySold' is 'quantity sold', 'co2' itself."""
    words = _parts(name)
    last = words[-1] if len(words) > 1 else ""
    kept = _OF_MANY_MEANINGS | _LAST_ONLY - {last}
    return " ".join(word if word in kept else ABBREVIATIONS.get(word, word) for word in words)


def with_spoken_names(told: Mapping[Place, tuple[str, ...]], tables: Iterable[Table]) -> dict[Place, tuple[str, ...]]:
    """A glossary's synonyms, and behind them the names that are abbreviated, written out; by (table, column) and (table, "")."""
    found = dict(told)
    for table in tables:
        for place in ((table.name, ""), *((table.name, column.name) for column in table.columns)):
            name = place[1] or table.name.rpartition(".")[2]
            spoken = spoken_name(name)
            if tuple(map(stem, spoken.split())) != words_of(name):
                found[place] = (*found.get(place, ()), spoken)
    return found
