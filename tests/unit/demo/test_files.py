"""Files and covers."""

from __future__ import annotations

import hashlib

import pytest

from edge.core.grpc_status import Code
from edge.demo.failure import Failure
from edge.demo.files import MAX_COVER_BYTES, MAX_FILE_BYTES, Files
from edge.demo.messages import Messages
from edge.demo.store import Shop


@pytest.fixture
def files(shop: Shop) -> Files:
    return Files(shop)


def test_a_file_comes_back_as_it_went(new: Messages, files: Files) -> None:
    content = {"content_type": "application/x-odd", "data": b"\x00\xff"}
    info = files.upload_file(new.UploadFileRequest(path="a/b.bin", content=content))
    assert info.sha256 == hashlib.sha256(b"\x00\xff").digest()
    assert (info.size_bytes, info.content_type) == (2, "application/x-odd")
    got = files.download_file(new.DownloadFileRequest(path="a/b.bin"))
    assert (got.content_type, got.data) == ("application/x-odd", b"\x00\xff")


def test_files_are_listed_by_prefix(new: Messages, files: Files) -> None:
    listed = files.list_files(new.ListFilesRequest(prefix="catalogues/"))
    assert [file.path for file in listed.files] == ["catalogues/2026/spring.csv"]
    assert len(files.list_files(new.ListFilesRequest()).files) == 2


def test_a_file_is_replaced_unless_it_must_be_new(new: Messages, files: Files) -> None:
    files.upload_file(new.UploadFileRequest(path="readme.txt", content={"data": b"2"}))
    assert files.download_file(new.DownloadFileRequest(path="readme.txt")).data == b"2"
    with pytest.raises(Failure) as raised:
        files.upload_file(new.UploadFileRequest(path="readme.txt", create_only=True))
    assert raised.value.code == Code.ALREADY_EXISTS


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/", "../a", "a/./b"])
def test_a_path_with_odd_parts_is_refused(new: Messages, files: Files, path: str) -> None:
    with pytest.raises(Failure, match="path"):
        files.upload_file(new.UploadFileRequest(path=path))


def test_content_is_bounded(new: Messages, files: Files) -> None:
    with pytest.raises(Failure, match=r"content\.data"):
        files.upload_file(new.UploadFileRequest(path="a", content={"data": bytes(MAX_FILE_BYTES + 1)}))
    cover = {"content_type": "image/png", "data": bytes(MAX_COVER_BYTES + 1)}
    with pytest.raises(Failure, match=r"cover\.data"):
        files.set_cover(new.SetCoverRequest(shelf=1, book=2, cover=cover))


def test_a_cover_is_a_picture_and_may_be_replaced(new: Messages, files: Files) -> None:
    assert files.get_cover(new.GetCoverRequest(shelf=1, book=2)).data.startswith(b"\x89PNG")
    files.set_cover(new.SetCoverRequest(shelf=1, book=2, cover={"content_type": "image/gif", "data": b"GIF"}))
    assert files.get_cover(new.GetCoverRequest(shelf=1, book=2)).data == b"GIF"
    with pytest.raises(Failure, match="not an image"):
        files.set_cover(new.SetCoverRequest(shelf=1, book=2, cover={"content_type": "text/html"}))
    with pytest.raises(Failure, match="books/1/cover"):
        files.get_cover(new.GetCoverRequest(shelf=1, book=1))
