"""Frames on the socket between an engine and its child: a JSON header and a payload of bytes. Knows nothing of databases."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

_SIZES = struct.Struct(">IQ")
_HEADER_LIMIT = 64 * 2**20


class WireError(Exception):
    """The other side is gone, or sent what nobody should send."""


def send(sock: socket.socket, header: Mapping[str, Any], payload: Any = b"") -> None:
    """Sends one frame. `payload` is anything with a buffer of bytes."""
    head = json.dumps(header).encode()
    body = memoryview(payload)
    sock.sendall(_SIZES.pack(len(head), body.nbytes) + head)
    if body.nbytes:
        sock.sendall(body)


def receive(sock: socket.socket, *, deadline: float | None = None, payload_limit: int = 0) -> tuple[dict[str, Any], bytearray]:
    """One frame. Raises TimeoutError past `deadline` (time.monotonic), WireError on the end of the stream or a frame past its limit."""
    head_size, body_size = _SIZES.unpack(_read(sock, _SIZES.size, deadline))
    if head_size > _HEADER_LIMIT or body_size > payload_limit:
        raise WireError(f"a frame of {head_size} + {body_size} bytes is past its limit")
    header = json.loads(bytes(_read(sock, head_size, deadline)))
    return header, _read(sock, body_size, deadline)


def _read(sock: socket.socket, size: int, deadline: float | None) -> bytearray:
    data = bytearray(size)
    view, got = memoryview(data), 0
    while got < size:
        if deadline is not None:
            sock.settimeout(_left(deadline))
        count = sock.recv_into(view[got:])
        if count == 0:
            raise WireError("the other side has closed the connection")
        got += count
    return data


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
