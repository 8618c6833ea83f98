"""Every error that a user can meet. Raises nothing, imports nothing of the project.

    StreamLinkError
    |-- BadRequest            bad_request          400   the question or an argument cannot be used
    |-- NotFound              not_found            404   no such table, answer, model, file
    |-- Unauthenticated       unauthenticated      401   no key, or one that is not known
    |-- Forbidden             forbidden            403   known, but not allowed
    |-- MethodNotAllowed      method_not_allowed   405   the address exists, with another method
    |-- TooLarge              too_large            413   more bytes than a request may have
    |-- TooManyAttempts       too_many_attempts    429   too many wrong passwords or keys; try again later
    |-- TooManyQuestions      too_many_questions   429   too many questions of one person under way
    |-- TooManyRequests       too_many_requests    429   too many requests from one address
    |-- CannotAnswer          cannot_answer        422   nothing in these tables fits the question
    |-- InvalidSQL            invalid_sql          422   SQL that does not parse or bind
    |-- PolicyRefused         policy_refused       422   SQL that may not run here
    |-- TooCostly             too_costly           422   SQL that would cost too much; repeat with confirm
    |-- Cancelled             cancelled            499   stopped by whoever asked
    |-- TimedOut              timed_out            504   over its time limit
    |-- Busy                  busy                 503   all places taken; try again later
    |-- ModelUnavailable      model_unavailable    503   the model does not answer
    |-- EngineUnavailable     engine_unavailable   503   the database does not answer, or is damaged
    |-- StoreUnavailable      store_unavailable    503   history and audit cannot be written or read
    |-- StorageUnavailable    storage_unavailable  503   where tables are kept does not answer, is full, or takes nothing now
    |-- ServerUnavailable     server_unavailable   503   no StreamLink server answers at that address
    |-- LoginUnavailable      login_unavailable    503   the provider of the login does not answer as it should
    `-- InternalError         internal             500   a fault of ours, with an id to look up in the log

One error becomes one problem (RFC 9457) at the web edge and one line plus an exit status at the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class StreamLinkError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit_status: ClassVar[int] = 1
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str = "", **helps: Any) -> None:
        """`detail` is the sentence the user reads; `helps` are extra members of the problem: `rule`, `span`, `suggestions`, `id`, ..."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.helps = {name: value for name, value in helps.items() if value is not None}

    def problem(self) -> dict[str, Any]:
        """The error as an RFC 9457 problem."""
        return {"title": self.title, "status": self.status, "code": self.code, "detail": self.detail, **self.helps}


class BadRequest(StreamLinkError):
    """The question or an argument cannot be used."""

    code, status, exit_status, title = "bad_request", 400, 2, "This request cannot be used"


class NotFound(StreamLinkError):
    """There is no such thing here."""

    code, status, exit_status, title = "not_found", 404, 2, "Not found"


class Unauthenticated(StreamLinkError):
    """Who are you? A valid key is needed."""

    code, status, exit_status, title = "unauthenticated", 401, 3, "A valid key is needed"


class Forbidden(StreamLinkError):
    """You may not do this."""

    code, status, exit_status, title = "forbidden", 403, 3, "Not allowed"


class MethodNotAllowed(StreamLinkError):
    """This address answers other methods."""

    code, status, exit_status, title = "method_not_allowed", 405, 2, "Method not allowed"


class TooLarge(StreamLinkError):
    """The request is larger than the server takes."""

    code, status, exit_status, title = "too_large", 413, 2, "Too large"


class TooManyAttempts(StreamLinkError):
    """Too many wrong passwords or keys; try again in `retry_after` seconds."""

    code, status, exit_status, title = "too_many_attempts", 429, 4, "Too many attempts"


class TooManyQuestions(StreamLinkError):
    """Too many questions of yours are under way; wait for one of them, or try again in `retry_after` seconds."""

    code, status, exit_status, title = "too_many_questions", 429, 4, "Too many questions"

    @classmethod
    def beyond(cls, most: int) -> TooManyQuestions:
        """For a person who has as many under way as one may have."""
        return cls(f"{most} of your questions are under way, as many as one person may have. Wait until one is answered.", retry_after=2)


class TooManyRequests(StreamLinkError):
    """Too many requests from one address; try again in `retry_after` seconds."""

    code, status, exit_status, title = "too_many_requests", 429, 4, "Too many requests"


class CannotAnswer(StreamLinkError):
    """Nothing in these tables fits the question."""

    code, status, exit_status, title = "cannot_answer", 422, 3, "These tables cannot answer that"


class InvalidSQL(StreamLinkError):
    """The SQL does not parse, or names something that does not exist."""

    code, status, exit_status, title = "invalid_sql", 422, 3, "Invalid SQL"


class PolicyRefused(StreamLinkError):
    """The SQL does something that is not allowed here."""

    code, status, exit_status, title = "policy_refused", 422, 3, "Refused by policy"


class TooCostly(StreamLinkError):
    """The query would cost more than the limit; repeat it with `confirm` to run it all the same."""

    code, status, exit_status, title = "too_costly", 422, 3, "Too costly"


class Cancelled(StreamLinkError):
    """Stopped by whoever asked."""

    code, status, exit_status, title = "cancelled", 499, 5, "Cancelled"


class TimedOut(StreamLinkError):
    """The query did not finish within its time limit."""

    code, status, exit_status, title = "timed_out", 504, 5, "Timed out"


class Busy(StreamLinkError):
    """Every place is taken; try again in `retry_after` seconds."""

    code, status, exit_status, title = "busy", 503, 4, "Busy"


class ModelUnavailable(StreamLinkError):
    """The model does not answer."""

    code, status, exit_status, title = "model_unavailable", 503, 4, "The model is not available"


class EngineUnavailable(StreamLinkError):
    """The database does not answer, or its files are damaged."""

    code, status, exit_status, title = "engine_unavailable", 503, 4, "The database is not available"


class StoreUnavailable(StreamLinkError):
    """The store of history and audit cannot be written or read; nothing runs without its audit line."""

    code, status, exit_status, title = "store_unavailable", 503, 4, "The store is not available"


class StorageUnavailable(StreamLinkError):
    """The storage that tables are written to does not answer, is full, or takes nothing at the moment."""

    code, status, exit_status, title = "storage_unavailable", 503, 4, "The storage is not available"


class ServerUnavailable(StreamLinkError):
    """No StreamLink server answers at that address, or it stopped in the middle."""

    code, status, exit_status, title = "server_unavailable", 503, 4, "The server is not available"


class LoginUnavailable(StreamLinkError):
    """The provider where people log in does not answer, or not as it should."""

    code, status, exit_status, title = "login_unavailable", 503, 4, "The login is not available"


class InternalError(StreamLinkError):
    """A fault of ours; its `id` stands in the log."""

    code, status, exit_status, title = "internal", 500, 1, "Internal error"


def error_from(problem: Mapping[str, Any]) -> StreamLinkError:
    """A problem as the error that it was; a code that is not known here is an error all the same."""
    helps = {name: value for name, value in problem.items() if name not in ("title", "status", "code", "detail", "type")}
    return kind_of(problem.get("code"))(str(problem.get("detail") or problem.get("title") or ""), **helps)


def kind_of(code: Any) -> type[StreamLinkError]:
    """The error that has a code; StreamLinkError for a code that is not known here."""
    return next((kind for kind in StreamLinkError.__subclasses__() if kind.code == code), StreamLinkError)
