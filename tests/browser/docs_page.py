"""
The documentation page in Chromium, and its picture: `python -m tests.browser.docs_page FILE.png`.

Owns one visit: the page of a bookstore's admin listener, an operation opened, filled in and sent through the gateway, its answer shown.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.chromium import Page, chromium
from tests.gateway import bookstore_config
from tests.matrix.rest_site import compiled, serving
from tests.upstreams.bookstore import BookstoreProcess

# The admin listener's origin; an operator writes it out, e.g. http://127.0.0.1:9901.
ALLOWED = {"origins": [r"re:http://127\.0\.0\.1:\d+"]}
OPERATION = "Bookstore_GetBook"


@contextmanager
def documentation(folder: Path, cors: dict[str, Any] | None) -> Iterator[Page]:
    """The page, with one operation open."""
    with BookstoreProcess() as upstream:
        config = bookstore_config(folder, upstream.port, api={**compiled(folder), "cors": cors})
        with (
            serving(folder, config) as site,
            chromium(folder, f"{site.gateway.admin_url}/docs#{OPERATION}") as browser,
            browser.page() as page,
        ):
            page.until(f"document.querySelector('#{OPERATION}[open] .try')")
            type_into(page, "gateway", site.gateway.url)  # the ports here are not those of the configuration
            yield page


def type_into(page: Page, element: str, text: str) -> None:
    """As a reader would: the value changes, and the page hears of it."""
    page.value(
        f"(field => {{ field.value = {json.dumps(text)}; field.dispatchEvent(new Event('input', {{bubbles: true}})) }})"
        f"(document.getElementById({json.dumps(element)}))"
    )


def send(page: Page, **parameters: str) -> str:
    """Fill in, press Send, wait; what the page shows of the answer."""
    for name, text in parameters.items():
        type_into(page, f"{OPERATION}.{name}", text)
    page.value(f"document.querySelector('#{OPERATION} .buttons button').click()")
    return str(page.until(f"document.querySelector('#{OPERATION} .answer :is(.good, .bad)') && {shown()}"))


def shown() -> str:
    """The expression of what is under the form."""
    return f"document.querySelector('#{OPERATION} .answer').innerText"


def main() -> None:
    """Take the picture."""
    with tempfile.TemporaryDirectory() as name, documentation(Path(name), ALLOWED) as page:
        page.resize(960, 1000)
        send(page, shelf="1", book="2", view="BOOK_VIEW_FULL")
        page.value(f"scrollBy(0, document.getElementById('{OPERATION}').getBoundingClientRect().top - 66)")
        Path(sys.argv[1]).write_bytes(page.picture())


if __name__ == "__main__":
    main()
