"""What an HTTP server's answers mean for the fetch of one file (RFC 9110)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx

from doppel_models.errors import DownloadError
from doppel_models.files.record import clean_origin

MAX_REDIRECTS = 8
MAX_VALIDATOR = 512
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
# The file's own bytes are wanted, not a compressed form of them.
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "Doppel"}


class RetryError(Exception):
    """This connection failed in a way that another may not."""


@contextlib.contextmanager
def following(client: httpx.Client, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    """The answer to a request after its redirects; each new address is checked like the first."""
    for _ in range(MAX_REDIRECTS + 1):
        with client.stream("GET", url, headers=headers) as response:
            if not response.has_redirect_location:
                yield response
                return
            target = urljoin(url, response.headers["location"])
        if urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http":
            raise DownloadError(
                "the server sends on from https to http, which can be read and changed; refused"
            )
        url = checked_url(target, "the server sends on to an address that is refused: ")
    raise DownloadError(f"the server sends on more than {MAX_REDIRECTS} times")


def checked_url(url: str, prefix: str = "") -> str:
    """An address, if it is one that is fetched.

    Raises:
        DownloadError: it is not http or https; the message starts with ``prefix``.
    """
    try:
        parts = urlsplit(url)
        httpx.URL(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise DownloadError(f"{prefix}{url[:200]!r} is no http or https address")
    return url


def status_error(response: httpx.Response) -> RetryError | DownloadError:
    """What to raise for an answer that is no file."""
    status = response.status_code
    if status in _RETRIED:
        return RetryError(f"the server answers {status} {response.reason_phrase}")
    advice = "check the address"
    if status in (401, 403):
        advice = "it needs a login or refuses programs: fetch it with your browser, then add the file"
    where = clean_origin(str(response.url))
    return DownloadError(f"{where} answers {status} {response.reason_phrase}; {advice}")


def part_total(response: httpx.Response, start: int) -> int | None:
    """The whole size that a partial answer states.

    Raises:
        DownloadError: it is not the part that was asked for.
    """
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if found is None or int(found[1]) != start:
        raise DownloadError(
            "the server sends another part of the file than was asked for; take another address"
        )
    return None if found[3] == "*" else int(found[3])


def length(response: httpx.Response) -> int | None:
    """The size of the whole file; None where the server does not say it.

    Raises:
        DownloadError: what comes is not the file's own bytes.
    """
    text = response.headers.get("content-length", "")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise DownloadError("the server sends a compressed form of the file; take another address")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def validator(response: httpx.Response) -> str:
    """What names the version of the file beyond doubt: a weak ETag does not."""
    etag = str(response.headers.get("etag", ""))
    if not etag or etag.startswith("W/"):
        etag = str(response.headers.get("last-modified", ""))
    return etag if len(etag) <= MAX_VALIDATOR else ""
