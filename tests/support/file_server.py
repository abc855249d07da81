"""A plain HTTP server for one file, with Range support and every bad habit that a fetch must survive."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator


class FileServer(http.server.ThreadingHTTPServer):
    """Serves :attr:`content` at ``/file``; its attributes say how badly."""

    daemon_threads = True
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = b""
        self.etag: str | None = '"one"'
        self.modified: str | None = None
        self.ranges = True
        """False: every answer is the whole file."""
        self.cut_after: list[int] = []
        """Bytes of the body after which each of the next answers breaks off."""
        self.length_lie = 0
        """Added to the Content-Length."""
        self.send_length = True
        """False: the end of the connection is the end of the file."""
        self.wrong_part = False
        """The Content-Range names another part."""
        self.statuses: list[int] = []
        """Statuses that the next answers have instead."""
        self.redirect: str | None = None
        """Where ``/moved`` sends on to."""
        self.seen: list[dict[str, str]] = []
        """The headers of each request, with the path as ``:path``."""

    @property
    def root(self) -> str:
        """The server's address, without a path."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """The file's address."""
        return f"{self.root}/file"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass

    def do_GET(self) -> None:
        server = self.server
        headers = {key.lower(): value for key, value in self.headers.items()}
        server.seen.append({**headers, ":path": self.path})
        self.close_connection = True
        if server.statuses:
            self._plain(server.statuses.pop(0))
        elif self.path == "/moved" and server.redirect is not None:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path.startswith("/file"):
            self._file(headers)
        else:
            self._plain(404)

    def _plain(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, headers: dict[str, str]) -> None:
        server, start = self.server, 0
        validator = server.etag or server.modified
        asked = headers.get("range", "")
        fits = "if-range" not in headers or headers["if-range"] == validator
        if server.ranges and asked.startswith("bytes=") and fits:
            start = int(asked[6:].partition("-")[0])
            if start >= len(server.content):
                self._plain(416)
                return
        body = server.content[start:]
        partial = bool(server.ranges and asked and fits)
        self.send_response(206 if partial else 200)
        if partial:
            first = start + (1 if server.wrong_part else 0)
            self.send_header(
                "Content-Range", f"bytes {first}-{len(server.content) - 1}/{len(server.content)}"
            )
        if server.etag:
            self.send_header("ETag", server.etag)
        if server.modified:
            self.send_header("Last-Modified", server.modified)
        if server.send_length:
            self.send_header("Content-Length", str(len(body) + server.length_lie))
        self.send_header("Connection", "close")
        self.end_headers()
        if server.cut_after:
            body = body[: server.cut_after.pop(0)]
        # A client that has seen enough hangs up.
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)


@contextlib.contextmanager
def file_server(content: bytes = b"") -> Iterator[FileServer]:
    """A running server on a free port of this machine."""
    with FileServer() as server:
        server.content = content
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
