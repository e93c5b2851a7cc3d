"""
Publishing's methods: titles in publishers' lists, addressed by names of four segments.

Owns `publishers/-` as everyone's list, and withdrawal, which hides a title from lists only.
"""

from __future__ import annotations

import re

from edge.demo.change import changed, guard, stamp
from edge.demo.failure import invalid, precondition
from edge.demo.messages import Msg
from edge.demo.paging import page
from edge.demo.store import Shop

KEPT = frozenset({"name", "withdrawn", "etag"})
_NAME = re.compile(r"publishers/[^/]+/books/[^/]+")


class Publishing:
    """The RPCs on titles, each a plain function of the shop and a request."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._messages = shop.messages

    def list_titles(self, request: Msg) -> Msg:
        """One page, by name."""
        prefix = "" if request.parent == "publishers/-" else f"{request.parent}/books/"
        titles = [title for title in self._shop.titles if title.name.startswith(prefix) and not title.withdrawn]
        shown, token = page(titles, request, lambda title: str(title.name))
        return self._messages.ListTitlesResponse(titles=shown, next_page_token=token)

    def get_title(self, request: Msg) -> Msg:
        """One title."""
        return self._shop.titles.get(request.name)

    def update_title(self, request: Msg) -> Msg:
        """A title with new values, or a new one if that is allowed."""
        name = request.title.name
        if not _NAME.fullmatch(name):
            raise invalid(("title.name", f'"{name}" is not of the form publishers/*/books/*'))
        if request.allow_missing and name not in self._shop.titles:
            title = changed(self._messages.Title(name=name), request.title, ["*"], KEPT)
            return self._shop.titles.add(name, stamp(title))
        present = self._shop.titles.get(name)
        guard(present, request.title.etag, name)
        return self._shop.titles.replace(name, stamp(changed(present, request.title, request.update_mask.paths, KEPT)))

    def withdraw_title(self, request: Msg) -> Msg:
        """The title, withdrawn."""
        title = self._shop.titles.get(request.name)
        guard(title, request.etag, request.name)
        if title.withdrawn:
            raise precondition("ALREADY_WITHDRAWN", request.name, f"{request.name} is withdrawn already")
        title.withdrawn = True
        return stamp(title)
