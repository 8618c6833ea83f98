"""Codes that everybody reads as words: which columns hold them, and what is said for them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from streamlink_sql.assemble import open_engine
from streamlink_sql.catalog import Catalog
from streamlink_sql.catalog.codes import ambiguous_flags, said_of_codes, said_of_countries, said_of_flags
from streamlink_sql.settings import Settings
from streamlink_sql.types import Column, ForeignKey, Table

COUNTRY = ("orders", "country")


def test_a_country_is_said_by_name_and_adjective() -> None:
    words = said_of_codes({COUNTRY: ("DE", "FR", "US")}, ())[COUNTRY]
    assert words["Germany"] == words["german"] == "DE"
    assert words["american"] == "US"
    assert said_of_codes({("orders", "CTRY_CD"): ("DEU", "fra", "JPN", "USA", "EPO")}, ())["orders", "CTRY_CD"]["France"] == "fra"


@pytest.mark.parametrize(
    ("name", "values", "word", "code"),
    [
        ("state", ("CA", "DE", "IN"), "Delaware", "DE"),
        ("country", ("CA", "DE", "IN"), "Germany", "DE"),
        ("st", ("TX",), "Texas", "TX"),
        ("sex", ("F", "M"), "women", "F"),
    ],
)
def test_the_name_of_the_column_tells(name: str, values: tuple[str, ...], word: str, code: str) -> None:
    assert said_of_codes({("t", name): values}, ())["t", name][word] == code


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("role", ("HR", "MG", "PR", "PT")),
        ("unit", ("IN", "MM", "CM", "KM", "ML", "MG")),
        ("grade", ("F", "M")),
        ("country", ("Germany", "France")),
        ("code", ("AL", "AR", "CA", "CO", "DE", "GA")),
        ("country", ()),
    ],
)
def test_other_columns_are_left_alone(name: str, values: tuple[str, ...]) -> None:
    assert said_of_codes({("t", name): values}, ()) == {}


def test_names_that_a_key_leads_to_go_before() -> None:
    values = {("city", "CountryCode"): ("DEU", "FRA"), ("country", "Name"): ("France", "Germany")}
    code = Column("CountryCode", "text", "VARCHAR")
    city = Table("city", (code,), foreign_keys=(ForeignKey(("CountryCode",), "country", ("Code",)),))
    assert said_of_codes(values, [city]) == {}
    assert said_of_codes(values, [Table("city", (code,))])["city", "CountryCode"]["Germany"] == "DEU"
    assert said_of_codes(values | {("city", "country"): ("France", "Germany")}, [Table("city", (code,))]) == {}


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("framework_yn", ("N", "Y"), {"framework": "Y"}),
        ("IsOfficial", ("T", "F"), {"official": "T"}),
        ("life_support_yn", ("yes", "no"), {"life support": "yes"}),
        ("key_account", ("Y", "N"), {"key account": "Y"}),
        ("is_yn", ("Y", "N"), {}),
        ("name_yn", ("Y", "N"), {}),
        ("no_smoking", ("Y", "N"), {}),
        ("paid_yn", ("Y", "y", "N", "n"), {}),
        ("paid_yn", ("Y ", "N "), {"paid": "Y "}),
        ("grade", ("Y", "N", "A"), {}),
        ("sex", ("F", "M"), {}),
    ],
)
def test_a_flag_is_said_by_its_name(name: str, values: tuple[str, ...], said: dict[str, str]) -> None:
    assert said_of_flags({("t", name): values}).get(("t", name), {}) == said


def test_a_flag_that_shares_its_word_is_ambiguous() -> None:
    columns = tuple(Column(name, "text") for name in ("paid_yn", "paid_on", "gift_yn", "is_old"))
    flags = [("orders", name) for name in ("paid_yn", "gift_yn", "is_old")]
    assert ambiguous_flags(flags, [Table("orders", columns), Table("gifts", (Column("gift", "text"),))]) == {("orders", "paid_yn")}


def test_words_of_flags_within_a_cell_mean_the_cell(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM (VALUES ('Y', 'Premium Light'), ('N', 'Basic')) t(premium_yn, plan)")
    with closing(open_engine(Settings(data=str(tmp_path / "shop.duckdb")))) as engine:
        catalog = Catalog(engine)
        assert [match.column for match in catalog.relevant("How many have Premium Light?").matches] == ["plan"]
        assert [match.value for match in catalog.relevant("How many premium ones?").matches] == ["Y", "Premium Light"]


def test_countries_are_called_by_their_other_names() -> None:
    said = said_of_countries({("makers", "CountryName"): ("usa", "germany", "uk", "japan", "korea")})["makers", "CountryName"]
    assert said["United States"] == said["America"] == "usa"
    assert said["Great Britain"] == said["Britain"] == "uk"
    assert said["South Korea"] == "korea"
    assert {"german", "american"}.isdisjoint(said), "the cells themselves are found by these"
    assert said_of_countries({("country", "Name"): ("United States", "China")})["country", "Name"]["America"] == "United States"
    assert said_of_countries({("t", "country"): ("America", "USA")}).get(("t", "country"), {}).keys().isdisjoint({"USA", "America"})
    assert said_of_countries({("teams", "name"): ("usa", "germany"), ("t", "country"): ("north", "south", "usa")}) == {}


def test_the_catalogue_knows_them_and_a_glossary_goes_before(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE orders AS SELECT * FROM (VALUES (1, 'DE'), (2, 'FR'), (3, 'CH')) t(id, country)")
    with closing(open_engine(Settings(data=str(tmp_path / "shop.duckdb")))) as engine:
        found = Catalog(engine).relevant("How many German or Swiss orders are there?").matches
        assert [(match.value, match.source) for match in found] == [("DE", "glossary"), ("CH", "glossary")]
        (tmp_path / "own.toml").write_text('[tables.orders.columns.country]\nvalues = { "overseas" = "CH" }\n')
        own = Catalog(engine, glossary=tmp_path / "own.toml").relevant("overseas German orders").matches
        assert [match.value for match in own] == ["CH", "DE"]


def test_words_that_are_codes_too_mean_nothing_in_small_letters(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute("CREATE TABLE orders AS SELECT * FROM (VALUES (1, 'IT'), (2, 'US'), (3, 'IN')) t(id, country)")
    with closing(open_engine(Settings(data=str(tmp_path / "shop.duckdb")))) as engine:
        catalog = Catalog(engine)
        assert [match.value for match in catalog.relevant("Is it told to us in orders?").matches] == []
        assert {match.value for match in catalog.relevant("orders from IT or the US").matches} == {"IT", "US"}
