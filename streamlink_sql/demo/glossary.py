"""Writes the glossary of the demo: what tables and columns are also called, and which words stand for which values."""

from __future__ import annotations

import json
from typing import Final

from streamlink_sql.demo import vocabulary

Words = tuple[str, ...]

TABLES: Final[dict[str, tuple[Words, str]]] = {
    "patents": (
        ("inventions", "publications", "patent documents", "filings"),
        "One row for each patent document, in order of publication.",
    ),
    "assignees": (("applicants", "owners", "organizations", "companies", "firms", "patent holders"), "Who owns the patents."),
    "cpc": (
        ("technology classes", "technologies", "technical fields", "cpc classes"),
        "The classes of the Cooperative Patent Classification.",
    ),
}
COLUMNS: Final[dict[str, dict[str, tuple[Words, str]]]] = {
    "patents": {
        "publication_number": (("patent number", "document number"), "Country, number and kind; unique."),
        "country_code": (("country", "patent office", "office", "jurisdiction"), "The office that published it, two letters."),
        "kind_code": (("kind", "document kind", "kind of document"), "A* application, B* or C* granted patent, U* utility model."),
        "application_date": (("filing date", "filed", "applied"), "The day it was applied for."),
        "publication_date": (("published", "date of publication", "released"), "The day it was first published."),
        "grant_date": (("granted", "grant day", "date of grant", "issued"), "The day it was granted; empty while it is not granted."),
        "title": (("name of the invention", "subject"), "The title of the patent."),
        "assignee_id": (("owner", "applicant"), "The assignee, see assignees."),
        "inventor_name": (("inventor", "lead inventor", "first inventor", "invented by"), "The first inventor."),
        "inventor_count": (("number of inventors", "team size"), "How many inventors it names."),
        "cpc_class": (("cpc", "technology class", "class"), "The first CPC subclass, see cpc."),
        "ipc_class": (("ipc", "international class"), "The first subclass of the International Patent Classification."),
        "claim_count": (("claims", "number of claims"), "How many claims it has."),
        "citation_count": (("citations", "cited", "forward citations", "times cited"), "How often later patents cite it."),
        "reference_count": (("references", "backward citations", "prior art references", "cites"), "How many earlier documents it cites."),
        "family_id": (("family", "patent family"), "Documents of one invention share it."),
    },
    "assignees": {
        "assignee_id": (("owner id", "applicant id"), "Unique."),
        "assignee_name": (("assignee", "applicant", "owner", "company", "company name", "organization"), "The name of the assignee."),
        "country_code": (
            ("country", "home country", "country of the assignee", "headquarters country"),
            "Where it is at home, two letters.",
        ),
        "city": (("location", "town", "headquarters city"), "The city of its seat."),
        "assignee_type": (("type", "kind of assignee", "type of organization"), "company, university, research institute, ..."),
        "founded_year": (("founded", "established", "year of foundation", "age"), "The year it was founded; empty for individuals."),
        "employee_count": (
            ("employees", "staff", "workforce", "headcount", "people"),
            "How many people work there; empty for individuals.",
        ),
        "annual_revenue_usd": (("revenue", "turnover", "sales", "annual revenue"), "Revenue of a year in US dollars; only for companies."),
    },
    "cpc": {
        "cpc_class": (("class", "class code", "cpc code", "technology class"), "The CPC subclass, such as H01M; unique."),
        "section": (("section code", "section letter", "cpc section"), "The first letter of the class."),
        "section_title": (("section name", "section", "technical area"), "What the section is about."),
        "class_title": (("class name", "name of the class", "technology", "field"), "What the class is about."),
    },
}
TYPE_NAMES: Final = {
    "companies": "company",
    "firms": "company",
    "corporations": "company",
    "universities": "university",
    "academic": "university",
    "research institutes": "research institute",
    "institutes": "research institute",
    "individuals": "individual",
    "private persons": "individual",
    "government agencies": "government",
    "public agencies": "government",
}


def _values() -> dict[tuple[str, str], dict[str, str]]:
    """(table, column) -> word -> the value it stands for."""
    offices = {name: each.code for each in vocabulary.countries() for name in each.names}
    homes = {name: each.code for each in vocabulary.countries() if each.assignees for name in each.names}
    kinds = {name: code for code, (_, names) in vocabulary.kinds().items() for name in names}
    sections = {name: code for code, (_, names) in vocabulary.sections().items() for name in names}
    section_titles = {name: title for title, names in vocabulary.sections().values() for name in names}
    return {
        ("patents", "country_code"): offices,
        ("patents", "kind_code"): kinds,
        ("assignees", "country_code"): homes,
        ("assignees", "assignee_type"): TYPE_NAMES,
        ("cpc", "section"): sections,
        ("cpc", "section_title"): section_titles,
    }


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _entry(heading: str, synonyms: Words, description: str, values: dict[str, str] | None = None) -> str:
    lines = [f"[{heading}]", f"synonyms = [{', '.join(map(_text, synonyms))}]", f"description = {_text(description)}"]
    if values:
        lines.append("values = { " + ", ".join(f"{_text(word)} = {_text(value)}" for word, value in values.items()) + " }")
    return "\n".join(lines) + "\n"


def glossary_text() -> str:
    """The glossary as TOML."""
    values = _values()
    blocks = ["# What tables and columns are also called, and which words stand for which values.\n"]
    for table, (synonyms, description) in TABLES.items():
        blocks.append(_entry(f"tables.{table}", synonyms, description))
        for column, (names, meaning) in COLUMNS[table].items():
            blocks.append(_entry(f"tables.{table}.columns.{column}", names, meaning, values.get((table, column))))
    return "\n".join(blocks)
