"""Where tables are kept: HDFS, a bucket, or a folder of this machine, by their addresses. Knows files and folders, no table."""

from __future__ import annotations

import contextlib
import errno
import getpass
import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from streamlink_sql.errors import BadRequest, Forbidden, StorageUnavailable, StreamLinkError

if TYPE_CHECKING:
    from hdfs_native import Client

HDFS_PORT = 9000
CONNECT_LIMIT_S, ANSWER_LIMIT_S = 5.0, 60.0
_FORMS = "It takes hdfs://HOST:PORT/PATH, s3://BUCKET/PATH, file:///PATH or a folder"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_REMOTE = ("Quota", "could only be written to", "could only be replicated", "No space left")
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_REFUSED_USER = re.compile(r"\buser=([^\s,]+)")
_NO_TICKET = re.compile(r"GSSAPIError.*?\d, \"(.*?)\"|NoSASLMechanism|SASLError|libgssapi", re.DOTALL)
_REMOTE = re.compile(r'RPCError\("[\w.$]*?(\w+)", "(.*)"\)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """A folder: `base` is what stands before its path (`hdfs://node:9000`), `options` what stands behind (`?region=...`)."""

    kind: Literal["local", "hdfs", "s3"]
    base: str
    path: str
    options: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[1]

    def below(self, name: str) -> Address:
        """A folder in this one."""
        return replace(self, path=f"{self.path}/{name}")

    def beside(self, name: str) -> Address:
        """A folder next to this one."""
        return replace(self, path=f"{self.path.rsplit('/', 1)[0]}/{name}")

    def __str__(self) -> str:
        return self.base + self.path


def read_address(text: str) -> Address:
    """The folder that a text names; raises BadRequest."""
    scheme, mark, _ = text.partition("://")
    if not mark:
        return Address("local", "file://", _clean(str(Path(text).expanduser().absolute()), text))
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise BadRequest(f"{text} is no address: {error}. {_FORMS}.") from error
    path = _clean(unquote(parts.path), text)
    if scheme == "file" and not parts.netloc:
        return Address("local", "file://", path)
    if scheme == "hdfs" and parts.hostname and not parts.query:
        return Address("hdfs", f"hdfs://{parts.netloc}", path)
    if scheme in ("s3", "s3a") and parts.netloc:
        return Address("s3", f"s3://{parts.netloc}", path, f"?{parts.query}" if parts.query else "")
    raise BadRequest(f"Tables cannot be written to {text}. {_FORMS}.")


def _clean(path: str, text: str) -> str:
    parts = [part for part in path.split("/") if part]
    if not parts or any(part in (".", "..") for part in parts):
        raise BadRequest(f"{text} names no folder for a table. {_FORMS}.")
    return "/" + "/".join(parts)


class Storage(Protocol):
    """Files and folders by their paths. Whatever goes wrong is raised as one of our errors."""

    def read(self, path: str) -> bytes | None:
        """What a small file holds; None where there is none."""

    def write(self, path: str, content: bytes) -> None:
        """Writes a small file and the folders above it; what was there is replaced."""

    def claim(self, path: str, content: bytes) -> bool:
        """Writes a small file that must not exist; False where it does."""

    def create(self, path: str) -> contextlib.AbstractContextManager[Any]:
        """A new file to write bytes into; what was there is replaced."""

    def has_any(self, path: str) -> bool:
        """Whether there is a file, or a folder with something in it."""

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a folder."""

    def move(self, path: str, to: str) -> None:
        """Renames a folder to a name that is free."""

    def remove(self, path: str) -> None:
        """Removes a file, or a folder and all that is in it; nothing where there is none."""


def open_storage(address: Address) -> Storage:
    """The storage that an address lies in; raises StorageUnavailable where nothing answers there."""
    kinds: dict[str, Callable[[Address], Storage]] = {"local": LocalStorage, "hdfs": HdfsStorage, "s3": BucketStorage}
    return kinds[address.kind](address)


class LocalStorage:
    """Folders of this machine, among them those that are mounted."""

    def __init__(self, address: Address) -> None:
        self._told = partial(_told, address.base)

    def read(self, path: str) -> bytes | None:
        with self._told(), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return Path(path).read_bytes()
        return None

    def write(self, path: str, content: bytes) -> None:
        with self.create(path) as file:
            file.write(content)

    def claim(self, path: str, content: bytes) -> bool:
        with self._told():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            try:
                with Path(path).open("xb") as file:
                    file.write(content)
            except FileExistsError:
                return False
        return True

    @contextlib.contextmanager
    def create(self, path: str) -> Iterator[IO[bytes]]:
        with self._told():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with Path(path).open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())

    def has_any(self, path: str) -> bool:
        with self._told():
            place = Path(path)
            return any(place.iterdir()) if place.is_dir() else place.exists()

    def names(self, path: str) -> tuple[str, ...]:
        with self._told():
            return tuple(sorted(entry.name for entry in Path(path).iterdir())) if Path(path).is_dir() else ()

    def move(self, path: str, to: str) -> None:
        with self._told():
            if Path(to).is_dir():
                Path(to).rmdir()
            Path(path).rename(to)

    def remove(self, path: str) -> None:
        with self._told(), contextlib.suppress(FileNotFoundError):
            place = Path(path)
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()


class HdfsStorage:
    """HDFS, by its own protocol."""

    def __init__(self, address: Address) -> None:
        self._told = partial(_told, address.base)
        try:
            import hdfs_native
        except ImportError as error:
            raise StorageUnavailable("The client of HDFS is not installed: pip install 'streamlink-sql[hdfs]'.") from error
        self._client: Client
        base = _reachable(address.base)
        with self._told():
            self._client = hdfs_native.Client(base)
            _answered(lambda: self._client.get_file_info("/"), address.base)
        self._new: Callable[[bool], Any] = lambda overwrite: hdfs_native.WriteOptions(overwrite=overwrite, create_parent=True)

    def read(self, path: str) -> bytes | None:
        with self._told(), contextlib.suppress(FileNotFoundError):
            return bytes(self._client.read(path).read())
        return None

    def write(self, path: str, content: bytes) -> None:
        with self.create(path) as file:
            file.write(content)

    def claim(self, path: str, content: bytes) -> bool:
        with self._told():
            try:
                with self._client.create(path, self._new(False)) as file:
                    file.write(content)
            except FileExistsError:
                return False
        return True

    @contextlib.contextmanager
    def create(self, path: str) -> Iterator[Any]:
        with self._told():
            file = self._client.create(path, self._new(True))
            yield file
            file.close()  # where writing failed the file stays open for the NameNode, and is replaced or removed later

    def has_any(self, path: str) -> bool:
        return self._is_file(path) or bool(self.names(path))

    def names(self, path: str) -> tuple[str, ...]:
        with self._told(), contextlib.suppress(FileNotFoundError):
            return tuple(sorted(status.path.rsplit("/", 1)[1] for status in self._client.list_status(path)))
        return ()

    def move(self, path: str, to: str) -> None:
        with self._told():
            if self._is_empty_folder(to):
                self._client.delete(to)
            self._client.mkdirs(to.rsplit("/", 1)[0] or "/", create_parent=True)
            self._client.rename(path, to)

    def remove(self, path: str) -> None:
        with self._told():
            self._client.delete(path, recursive=True)

    def _is_file(self, path: str) -> bool:
        with self._told(), contextlib.suppress(FileNotFoundError):
            return not self._client.get_file_info(path).isdir
        return False

    def _is_empty_folder(self, path: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return self._client.get_file_info(path).isdir and not self.names(path)
        return False


class BucketStorage:
    """Storage that speaks S3. It has no folders: to move one is to copy every object, the table's own record last."""

    def __init__(self, address: Address) -> None:
        from pyarrow import fs

        self._told = partial(_told, address.base)
        with self._told():
            self._files, root = fs.FileSystem.from_uri(f"{address.base}{address.options}")
        self._root = root.rstrip("/")
        self._select = fs.FileSelector
        self._missing = fs.FileType.NotFound

    def read(self, path: str) -> bytes | None:
        with self._told():
            try:
                with self._files.open_input_stream(self._root + path) as file:
                    return bytes(file.read())
            except FileNotFoundError:
                return None

    def write(self, path: str, content: bytes) -> None:
        with self.create(path) as file:
            file.write(content)

    def claim(self, path: str, content: bytes) -> bool:
        if self.has_any(path):
            return False
        self.write(path, content)
        return True

    @contextlib.contextmanager
    def create(self, path: str) -> Iterator[Any]:
        with self._told(), self._files.open_output_stream(self._root + path) as file:
            yield file

    def has_any(self, path: str) -> bool:
        with self._told():
            is_there: bool = self._files.get_file_info(self._root + path).is_file
            return is_there or bool(self._objects(path))

    def names(self, path: str) -> tuple[str, ...]:
        with self._told():
            return tuple(sorted({key[len(path) + 1 :].split("/", 1)[0] for key in self._objects(path)}))

    def move(self, path: str, to: str) -> None:
        with self._told():
            for key in sorted(self._objects(path), key=lambda key: (key.rsplit("/", 1)[1].startswith("_"), key)):
                self._files.copy_file(self._root + key, self._root + to + key[len(path) :])
        self.remove(path)

    def remove(self, path: str) -> None:
        with self._told():
            for key in self._objects(path) or [path]:
                with contextlib.suppress(FileNotFoundError):
                    self._files.delete_file(self._root + key)

    def _objects(self, path: str) -> list[str]:
        found = self._files.get_file_info(self._select(self._root + path, allow_not_found=True, recursive=True))
        return [info.path[len(self._root) :] for info in found if info.is_file]


def _reachable(base: str) -> str:
    """The address of the NameNode, with its port. Its client would try for minutes before it says that nothing is there."""
    parts = urlsplit(base)
    if parts.port is None and os.environ.get("HADOOP_CONF_DIR"):
        return base  # a name of HDFS's own configuration, for more than one NameNode
    host, port = str(parts.hostname), parts.port or HDFS_PORT
    try:
        socket.create_connection((host, port), CONNECT_LIMIT_S).close()
    except socket.gaierror as error:
        raise StorageUnavailable(f"There is no machine named {host}. Check the address {base}.") from error
    except OSError as error:
        raise StorageUnavailable(
            f"No NameNode answers at {host}:{port}: {error.strerror or 'no answer'}. Start HDFS there, or name another address."
        ) from error
    return base if parts.port else f"{base}:{port}"


def _answered(ask: Callable[[], object], base: str) -> None:
    """Asks once; raises what comes of it, or StorageUnavailable where nothing does: the client would wait for ever."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            ask()
        except Exception as error:  # noqa: BLE001 - raised below, where the storage's errors are translated
            raised.append(error)

    asking = threading.Thread(target=work, name="streamlink-hdfs", daemon=True)
    asking.start()
    asking.join(ANSWER_LIMIT_S)
    if asking.is_alive():
        raise StorageUnavailable(
            f"What listens at {base} says nothing within {ANSWER_LIMIT_S:g} s. If that HDFS wants Kerberos, name its configuration by "
            "HADOOP_CONF_DIR and get a ticket (kinit); else see that a NameNode is there, and its log."
        )
    if raised:
        raise raised[0]


@contextlib.contextmanager
def _told(base: str) -> Iterator[None]:
    """What a storage raises becomes one of our errors; a file that is missing or there already is for the caller."""
    try:
        yield
    except (StreamLinkError, FileNotFoundError, FileExistsError):
        raise
    except (OSError, RuntimeError, pa.ArrowException) as error:
        raise translated(error, base) from error


def translated(error: BaseException, base: str) -> StreamLinkError:
    """One of a storage's errors as one of ours, with what to do about it."""
    remote = _REMOTE.search(str(error))
    kind, text = remote.groups() if remote else (type(error).__name__, str(error))
    text = re.split(r"\\n|\n", text, maxsplit=1)[0].replace('\\"', '"').strip()[:300]
    code = error.errno if isinstance(error, OSError) else None
    if no_ticket := _NO_TICKET.search(str(error)):
        return StorageUnavailable(
            f"{base} wants Kerberos, and this did not work: {no_ticket[1] or text}. Get a ticket (kinit; klist shows it), and see that "
            "krb5.conf and HADOOP_CONF_DIR are those of that cluster and that libgssapi_krb5 is installed."
        )
    if kind == "SafeModeException":
        return StorageUnavailable(
            f"The NameNode of {base} is in safe mode, and takes nothing until its DataNodes have reported. "
            "Wait for it; where somebody has switched it on: hdfs dfsadmin -safemode leave."
        )
    if code in _DENIED or kind == "AccessControlException" or "ACCESS_DENIED" in text:
        user = _REFUSED_USER.search(text)
        return Forbidden(
            f"{base} does not let {user[1] if user else _user()} write there: {text}. Ask for the right, or name another folder."
        )
    if code in _FULL or any(mark in kind + text for mark in _FULL_REMOTE):
        return StorageUnavailable(
            f"{base} is full, or has no DataNode that takes data: {text}. Free space, then repeat the command: it goes on where it stopped."
        )
    return StorageUnavailable(f"{base} does not do what it should: {text}. Repeat the command when it does: it goes on where it stopped.")


def _user() -> str:
    return os.environ.get("HADOOP_USER_NAME") or getpass.getuser()
