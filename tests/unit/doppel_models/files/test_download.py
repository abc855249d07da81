import errno
import hashlib
import os
import time
from pathlib import Path

import filelock
import httpx
import pytest
from doppel_models.errors import DownloadError
from doppel_models.files import answers, disk
from doppel_models.files import download as module
from doppel_models.files.download import Download

from tests.support.file_server import FileServer, file_server

# The first bytes of a model, so that it is not taken for something else.
CONTENT = b"\x08\x07\x12\x07" + bytes(range(256)) * 2400
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with file_server(CONTENT) as running:
        yield running


@pytest.fixture
def parts(tmp_path) -> Path:
    return tmp_path / "parts"


def fetch(url: str, parts: Path, sha256: str | None = None, **options) -> bytes:
    return Download(url, parts, pause=0.001, **options).fetch(lambda came, total: None, sha256).read_bytes()


def ranges(server: FileServer) -> list[str | None]:
    return [request.get("range") for request in server.seen]


def test_a_file_comes_whole_and_its_progress_is_told(server, parts):
    told: list[tuple[int, int | None]] = []
    download = Download(server.url, parts)
    path = download.fetch(lambda came, total: told.append((came, total)), DIGEST)
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [came for came, _ in told] == sorted(came for came, _ in told)
    assert server.seen[0]["accept-encoding"] == "identity"
    download.discard()
    assert list(parts.iterdir()) == []


def test_a_connection_that_breaks_off_is_gone_on_with(server, parts):
    server.cut_after = [100_000, 200_000]
    assert fetch(server.url, parts, DIGEST) == CONTENT
    assert ranges(server) == [None, "bytes=100000-", "bytes=300000-"]
    assert server.seen[1]["if-range"] == '"one"'


def test_an_interrupted_program_goes_on_later(server, parts):
    def stop(came: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Download(server.url, parts).fetch(stop)
    assert fetch(server.url, parts, DIGEST) == CONTENT
    assert ranges(server)[1] is not None


def test_what_was_fetched_is_not_fetched_again_until_it_is_discarded(server, parts):
    fetch(server.url, parts)
    assert fetch(server.url, parts, DIGEST) == CONTENT
    assert ranges(server)[1] == f"bytes={len(CONTENT)}-"
    assert len(server.seen) == 2


def test_parts_of_two_versions_are_never_put_together(server, parts):
    server.cut_after = [100_000] + [0] * 10
    with pytest.raises(DownloadError, match="what has come is kept"):
        fetch(server.url, parts)
    server.cut_after, server.etag = [], '"two"'
    server.content = CONTENT[::-1]
    assert fetch(server.url, parts) == CONTENT[::-1]


def test_a_server_that_does_not_compare_versions_is_caught(server, parts):
    """It sends a part of the new file although the old one was asked for."""
    server.cut_after = [100_000] + [0] * 10
    with pytest.raises(DownloadError):
        fetch(server.url, parts)
    server.cut_after, server.content = [], CONTENT[::-1] + b"more"
    assert fetch(server.url, parts) == CONTENT[::-1] + b"more"


@pytest.mark.parametrize(("etag", "modified"), [(None, None), ('W/"weak"', None)])
def test_without_a_version_a_broken_fetch_starts_anew(server, parts, etag, modified):
    server.etag, server.modified, server.cut_after = etag, modified, [100_000]
    assert fetch(server.url, parts, DIGEST) == CONTENT
    assert ranges(server) == [None, None]


def test_the_date_is_a_version_too(server, parts):
    server.etag, server.modified, server.cut_after = None, "Sat, 31 Jan 2026 12:00:00 GMT", [100_000]
    assert fetch(server.url, parts, DIGEST) == CONTENT
    assert server.seen[1]["if-range"] == server.modified


def test_a_server_that_ignores_ranges_sends_all_again(server, parts):
    server.ranges, server.cut_after = False, [100_000]
    assert fetch(server.url, parts, DIGEST) == CONTENT
    assert ranges(server) == [None, "bytes=100000-"]


def test_a_length_that_is_too_long_is_an_interruption(server, parts):
    server.length_lie = 1000
    with pytest.raises(DownloadError, match="what has come is kept"):
        fetch(server.url, parts)


def test_a_length_that_is_too_short_is_found_by_the_hash(server, parts):
    server.length_lie = -1000
    with pytest.raises(DownloadError, match="has the sha256"):
        fetch(server.url, parts, DIGEST)
    server.length_lie = 0
    assert fetch(server.url, parts, DIGEST) == CONTENT


def test_a_file_of_unknown_length_comes_whole(server, parts):
    server.send_length = False
    assert fetch(server.url, parts, DIGEST) == CONTENT


def test_another_hash_than_expected_deletes_the_file(server, parts):
    with pytest.raises(DownloadError, match="another file or was changed"):
        fetch(server.url, parts, "0" * 64)
    assert not list(parts.glob("*.part"))


def test_the_wrong_part_is_refused(server, parts):
    server.cut_after, server.wrong_part = [100_000], True
    with pytest.raises(DownloadError, match="another part"):
        fetch(server.url, parts)


def test_too_large_a_file_is_refused_by_its_length(server, parts):
    with pytest.raises(DownloadError, match="too large"):
        fetch(server.url, parts, max_bytes=1000)
    assert not list(parts.glob("*.part"))


def test_too_large_a_file_is_refused_while_it_comes(server, parts):
    server.send_length = False
    with pytest.raises(DownloadError, match="too large"):
        fetch(server.url, parts, max_bytes=300_000)
    assert not list(parts.glob("*.part"))


def test_a_server_that_is_busy_is_asked_again(server, parts):
    server.statuses = [503, 429]
    assert fetch(server.url, parts, DIGEST) == CONTENT


@pytest.mark.parametrize(
    ("status", "words"), [(404, "check the address"), (403, "with your browser"), (401, "needs a login")]
)
def test_an_answer_that_will_not_change_is_told_at_once(server, parts, status, words):
    server.statuses = [status]
    with pytest.raises(DownloadError, match=words):
        fetch(server.url, parts)
    assert len(server.seen) == 1


def test_nobody_listening_is_told(server, parts):
    url = server.url
    server.server_close()
    with pytest.raises(DownloadError, match="cannot be fetched"):
        fetch(url, parts)


def test_redirects_are_followed(server, parts):
    server.redirect = "/file?token=1"
    assert fetch(f"{server.root}/moved", parts, DIGEST) == CONTENT


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/x", "//", "http://"])
def test_a_redirect_to_anything_but_http_is_refused(server, parts, target):
    server.redirect = target
    with pytest.raises(DownloadError):
        fetch(f"{server.root}/moved", parts)
    assert not list(parts.glob("*.part"))


def test_redirects_do_not_go_on_for_ever(server, parts):
    server.redirect = "/moved"
    with pytest.raises(DownloadError, match="more than"):
        fetch(f"{server.root}/moved", parts)
    assert len(server.seen) < 20


def test_a_redirect_from_https_to_http_is_refused(parts):
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": "http://example.org/file"})

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as client,
        pytest.raises(DownloadError, match="https to http"),
        answers.following(client, "https://example.org/file", {}),
    ):
        pass


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/x", "http://", "https:///x", "http://["]
)
def test_addresses_that_are_not_http_are_refused(parts, url):
    with pytest.raises(DownloadError, match="no http or https address"):
        Download(url, parts)


def test_a_web_page_is_refused_before_all_of_it_has_come(server, parts):
    server.content = b"<!DOCTYPE html><html>log in first</html>" + b" " * 3_000_000
    told = []
    with pytest.raises(DownloadError, match="web page"):
        Download(server.url, parts).fetch(lambda came, total: told.append(came))
    assert sum(1 for came in told if came >= 3_000_000) == 0
    assert not list(parts.glob("*.part"))


def test_an_empty_file_is_refused(server, parts):
    server.content = b""
    with pytest.raises(DownloadError, match="empty"):
        fetch(server.url, parts)


def test_two_programs_do_not_fetch_the_same_file_at_once(server, parts):
    download = Download(server.url, parts)
    parts.mkdir()
    with filelock.FileLock(download._lock_path), pytest.raises(DownloadError, match="another program"):
        download.fetch(lambda came, total: None)


def test_a_full_disk_is_told_before_anything_comes(server, parts, monkeypatch):
    monkeypatch.setattr(disk, "SPARE_BYTES", 1 << 60)
    with pytest.raises(DownloadError, match="too full"):
        fetch(server.url, parts)


def test_a_disk_that_becomes_full_is_told_and_the_fetch_goes_on_later(server, parts):
    def full(came: int, total: int | None) -> None:
        if came > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DownloadError, match="is full; free some room"):
        Download(server.url, parts).fetch(full)
    assert fetch(server.url, parts, DIGEST) == CONTENT
    assert ranges(server)[1] is not None


def test_a_part_that_is_a_link_is_not_written_through(server, parts, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    parts.mkdir()
    download = Download(server.url, parts)
    download._part.symlink_to(victim)
    download.fetch(lambda came, total: None)
    assert victim.read_bytes() == b"mine"


def test_parts_that_nobody_goes_on_with_are_deleted(server, parts):
    parts.mkdir()
    for age, name in ((0, "new.part"), (module.KEEP_SECONDS + 60, "old.part")):
        (parts / name).write_bytes(b"x")
        then = time.time() - age
        os.utime(parts / name, (then, then))
    fetch(server.url, parts)
    assert not (parts / "old.part").exists()
    assert (parts / "new.part").exists()


def test_the_address_in_messages_holds_no_secret(server, parts):
    server.statuses = [404]
    with pytest.raises(DownloadError) as caught:
        fetch(server.url.replace("http://", "http://jo:secret@") + "?token=secret", parts)
    assert "secret" not in str(caught.value)
