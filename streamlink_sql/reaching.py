"""Why a server cannot be reached over HTTP, and what to do: names, ports, TLS on one side only, certificates. Opens no connection."""

from __future__ import annotations

import re
import ssl

import httpx

_NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG")
_UNTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED\W+certificate verify failed: (.*?)(?: \(_ssl|$)")
_NO_NAME = re.compile(r"Name or service not known|nodename nor servname|name resolution|getaddrinfo|No address associated", re.IGNORECASE)
_NOBODY = re.compile(r"refused|All connection attempts failed", re.IGNORECASE)
_WANTS_TLS = "plain HTTP request was sent to HTTPS port"


def trusted(url: str) -> ssl.SSLContext | bool:
    """What httpx judges certificates by: those that the system trusts, SSL_CERT_FILE among them."""
    return ssl.create_default_context() if url.startswith("https:") else True


def why(error: Exception, url: str) -> str:
    """What a connection that failed means, as sentences with a remedy."""
    said = " ".join(str(error).split())
    if _NO_TLS.search(said):
        return "What listens there speaks plain HTTP: write http:// in place of https://, or give it a certificate."
    if untrusted := _UNTRUSTED.search(said):
        return (
            f"Its certificate is not trusted here ({untrusted[1]}): use the name that it was made for, and name the file of the authority "
            "that signed it in the environment as SSL_CERT_FILE."
        )
    if _NO_NAME.search(said):
        return "There is no machine of that name: correct the address."
    if _NOBODY.search(said):
        return "Nothing listens there: start it, or correct the address."
    if isinstance(error, httpx.TimeoutException):
        return "It does not answer in time: correct the address, or see that no firewall is in between."
    if url.startswith("http:") and isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError)):
        return f"It hung up ({said or type(error).__name__}): see its log; if it speaks TLS, write https:// in place of http://."
    return f"{said or type(error).__name__}: see its log."


def wants_tls(response: httpx.Response) -> bool:
    """Whether a server answers over TLS only, and says so to a plain request that has been read."""
    if response.request.url.scheme != "http":
        return False
    return response.headers.get("location", "").startswith("https://") or (response.status_code == 400 and _WANTS_TLS in response.text)
