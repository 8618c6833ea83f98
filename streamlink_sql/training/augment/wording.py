"""What names of columns and tables tell of how people speak of them. Data only."""

from __future__ import annotations

PEOPLE = frozenset(
    "actor agent applicant architect artist author captain citizen client coach contact customer dancer delegate director doctor driver"
    " editor employee engineer friend guest host inspector instructor inventor judge lawyer manager member musician nurse officer owner"
    " participant passenger patient people person physician pilot player president professional professor resident reviewer scientist"
    " secretary seller singer speaker staff student supervisor swimmer teacher tenant tourist trainer user visitor volunteer voter winner"
    " worker writer".split()
)
"""Nouns for persons."""

IRREGULAR = {"people": "person", "men": "man", "women": "woman", "children": "child", "series": "series", "staff": "staff", "data": "data"}
"""Plurals that no rule makes a singular of."""

HAPPENED = {
    "application": "applied for", "appointment": "appointed", "approval": "approved", "arrival": "arrived", "birth": "born",
    "cancellation": "cancelled", "completion": "completed", "construction": "built", "creation": "created", "death": "died",
    "decision": "decided", "delivery": "delivered", "departure": "departed", "dispatch": "dispatched", "enrolment": "enrolled",
    "enrollment": "enrolled", "entry": "entered", "expiry": "expired", "filing": "filed", "founding": "founded", "foundation": "founded",
    "grant": "granted", "hire": "hired", "hiring": "hired", "inspection": "inspected", "installation": "installed", "invoice": "invoiced",
    "issue": "issued", "launch": "launched", "opening": "opened", "order": "ordered", "payment": "paid", "publication": "published",
    "purchase": "purchased", "receipt": "received", "registration": "registered", "release": "released", "return": "returned",
    "sale": "sold", "shipment": "shipped", "shipping": "shipped", "signing": "signed", "start": "started", "submission": "submitted",
    "update": "updated",
}  # fmt: skip
"""The noun in the name of a date, and what had happened then: publication_date, published."""

PARTICIPLES = frozenset("born built bought begun sold sent made held paid won written taken taught founded led hired".split())
"""Words for what happened that do not end in -ed."""

EXTREMES = {
    "age": "oldest/youngest", "altitude": "highest/lowest", "area": "largest/smallest", "attendance": "best attended/least attended",
    "capacity": "largest/smallest", "cost": "most expensive/cheapest", "depth": "deepest/shallowest", "distance": "longest/shortest",
    "duration": "longest/shortest", "elevation": "highest/lowest", "height": "tallest/shortest", "length": "longest/shortest",
    "population": "most populous/least populous", "price": "most expensive/cheapest", "rating": "highest rated/lowest rated",
    "revenue": "highest earning/lowest earning", "salary": "best paid/worst paid", "score": "best/worst", "size": "largest/smallest",
    "speed": "fastest/slowest", "weight": "heaviest/lightest",
}  # fmt: skip
"""A measure, and the words for the rows with the largest and the smallest."""

ADDITIVE = frozenset(
    "amount amounts attendance balance bonus budget capacity citations cites claims clicks cost costs count debt downloads employees"
    " enrolment expense expenses fee fees goals hours income loss losses minutes orders page pages payment payments points population"
    " profit purchases quantity qty receipts references revenue sale sales seats spend spent staff stock tax total turnover units value"
    " views visits volume votes wins workforce".split()
)
"""Words for what may be added up."""

UNITS = {"usd": "$", "dollars": "$", "dollar": "$", "eur": "€", "euro": "€", "euros": "€", "gbp": "£", "percent": "%", "percentage": "%",
         "pct": "%", "kg": "kg", "km": "km/kilometres", "mm": "mm", "cm": "cm", "ms": "ms", "hours": "hours", "minutes": "minutes",
         "days": "days", "years": "years", "pages": "pages", "seconds": "seconds"}  # fmt: skip
"""A word in the name of a measure, and how its unit is said."""

PLACES = {"city": "in/from", "country": "in/from", "state": "in/from", "region": "in", "county": "in", "town": "in", "district": "in",
          "continent": "in",
          "province": "in", "borough": "in", "nationality": "from", "hometown": "from", "birthplace": "from"}  # fmt: skip
"""A word in the name of a category, and the prepositions before its values."""

CONTACTS = {"email": "email", "mail": "email", "phone": "phone", "telephone": "phone", "mobile": "phone", "fax": "phone", "zip": "zip",
            "postcode": "zip", "postal": "zip", "url": "url", "website": "url", "link": "url", "homepage": "url", "address": "code",
            "street": "code", "password": "code", "hash": "code", "uuid": "code", "iban": "code", "isbn": "code"}  # fmt: skip
"""A word in the name of a text, and the kind of contact or code that it holds."""

NAMES = ("name", "title", "label", "fullname", "caption", "heading", "subject", "designation")
"""The last word of the column that names a row, the most telling first."""

OF_TABLES = frozenset("tbl table data list info information detail details record records dim fact stg".split())
"""Words in the names of tables that say nothing of their rows."""

KINDS = frozenset("type kind category class status role sort form".split())
"""Words in the names of columns whose values say what rows are."""

FLAGS = (("T", "F"), ("Y", "N"), ("yes", "no"), ("Yes", "No"), ("YES", "NO"), ("true", "false"), ("True", "False"), ("1", "0"))
"""Texts that are kept for yes and no."""

OF_FLAGS = frozenset("is has have with yn flag indicator flg ind".split())
"""First and last words in the names of flags."""
