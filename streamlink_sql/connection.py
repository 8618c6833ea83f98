"""StreamLink from Python: `connect(path).ask("...")`. Holds a control unit; loads pandas and Polars only where they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike, fspath
from types import TracebackType
from typing import TYPE_CHECKING, Any

from streamlink_sql.errors import BadRequest
from streamlink_sql.export import rows_of, with_own_names
from streamlink_sql.types import Answer, Question, Watcher

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from streamlink_sql.control import ControlUnit
    from streamlink_sql.types import Table


def connect(data: str | PathLike[str], *, model: str | None = None, **settings: Any) -> Connection:
    """Opens data to be asked: a folder, a file or a database. `settings` are any settings by their names, such as `row_limit=10`."""
    from streamlink_sql.assemble import control_unit

    return Connection(control_unit(data=fspath(data), model=model, **settings))


class Connection:
    """One source and one model. Close it, or use it in `with`."""

    def __init__(self, control: ControlUnit) -> None:
        """Takes over the control unit."""
        self.control = control

    def ask(
        self,
        question: str,
        *,
        row_limit: int | None = None,
        time_limit_s: float | None = None,
        confirm: bool = False,
        watch: Watcher | None = None,
    ) -> Result:
        """The answer to a question in plain words; raises an error of `streamlink_sql.errors`."""
        return Result(self.control.answer(Question(question, row_limit=row_limit, time_limit_s=time_limit_s, confirm=confirm), watch))

    def sql(self, sql: str, *, row_limit: int | None = None, time_limit_s: float | None = None, confirm: bool = False) -> Result:
        """The rows of your own SQL, under the same checks and limits."""
        asked = Question(sql, row_limit=row_limit, time_limit_s=time_limit_s, confirm=confirm)
        return Result(self.control.run_sql(sql, asked))

    def tables(self) -> tuple[Table, ...]:
        """What can be asked."""
        return self.control.catalog.tables()

    def close(self) -> None:
        """Ends model, engine and store."""
        self.control.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Result:
    """An answer, and its rows in the form you want."""

    answer: Answer

    @property
    def sql(self) -> str:
        """The SQL that ran."""
        return self.answer.sql

    @property
    def explanation(self) -> str:
        """What that SQL reads, filters and groups, in plain words."""
        return self.answer.explanation

    @property
    def confidence(self) -> float:
        """How sure the model is, from 0 to 1."""
        return self.answer.confidence

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before you rely on it."""
        return self.answer.warnings

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        return rows_of(self.answer).table

    def pandas(self) -> pd.DataFrame:
        """The rows as a pandas data frame."""
        table = self.arrow()
        try:
            import pandas as pd  # noqa: F401 - without it Arrow fails halfway, in words of its own
        except ImportError as error:
            raise _needed("pandas", error) from error
        return table.to_pandas()

    def polars(self) -> pl.DataFrame:
        """The rows as a Polars data frame."""
        table = self.arrow()
        try:
            import polars as pl
        except ImportError as error:
            raise _needed("polars", error) from error
        found = pl.from_arrow(with_own_names(table))
        assert isinstance(found, pl.DataFrame)
        return found

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows as tuples of Python values."""
        return list(rows_of(self.answer).as_python())

    def __str__(self) -> str:
        lines = [self.sql, "", *("\t".join("" if value is None else str(value) for value in row) for row in self.rows())]
        return "\n".join(lines)


def _needed(package: str, error: ImportError) -> BadRequest:
    """What to do where an optional package is not there, or is there and cannot be loaded."""
    why = "is not installed" if isinstance(error, ModuleNotFoundError) else f"cannot be loaded ({error})"
    return BadRequest(f'This needs {package}, which {why}. Run: pip install "streamlink-sql[{package}]"', rule="package")
