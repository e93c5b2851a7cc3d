"""
Files and covers: google.api.HttpBody both ways.

Owns the bounds of what is kept, and that a path has no empty, `.` or `..` part.
"""

from __future__ import annotations

import hashlib

from edge.demo.failure import already_exists, invalid
from edge.demo.messages import Msg
from edge.demo.store import Shop

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_COVER_BYTES = 1024 * 1024


class Files:
    """The RPCs on files and on books' covers, each a plain function of the shop and a request."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._messages = shop.messages

    def list_files(self, request: Msg) -> Msg:
        """What is known of the files whose path begins with the prefix."""
        files = [file for file in self._shop.files if file.path.startswith(request.prefix)]
        return self._messages.ListFilesResponse(files=[self._info(file.path, file.content) for file in files])

    def download_file(self, request: Msg) -> Msg:
        """The file as it was uploaded."""
        return self._shop.files.get(request.path).content

    def upload_file(self, request: Msg) -> Msg:
        """What is known of the file, now kept."""
        self._check(request)
        if request.path in self._shop.files:
            if request.create_only:
                raise already_exists("File", self._shop.files.name(request.path))
            self._shop.files.remove(request.path)
        self._shop.files.add(request.path, request)
        return self._info(request.path, request.content)

    def get_cover(self, request: Msg) -> Msg:
        """The picture on a book."""
        return self._shop.covers.get(self._shop.book(request.shelf, request.book).id)

    def set_cover(self, request: Msg) -> Msg:
        """The book, with its new picture kept."""
        book = self._shop.book(request.shelf, request.book)
        if not request.cover.content_type.startswith("image/"):
            raise invalid(("cover.content_type", f'"{request.cover.content_type}" is not an image'))
        if len(request.cover.data) > MAX_COVER_BYTES:
            raise invalid(("cover.data", f"has {len(request.cover.data)} bytes, more than {MAX_COVER_BYTES}"))
        if book.id in self._shop.covers:
            self._shop.covers.remove(book.id)
        self._shop.covers.add(book.id, request.cover)
        return book

    def _info(self, path: str, content: Msg) -> Msg:
        return self._messages.FileInfo(
            path=path,
            content_type=content.content_type,
            size_bytes=len(content.data),
            sha256=hashlib.sha256(content.data).digest(),
        )

    def _check(self, request: Msg) -> None:
        if any(part in ("", ".", "..") for part in request.path.split("/")):
            raise invalid(("path", f'"{request.path}" has an empty, "." or ".." part'))
        if len(request.content.data) > MAX_FILE_BYTES:
            raise invalid(("content.data", f"has {len(request.content.data)} bytes, more than {MAX_FILE_BYTES}"))
