"""
OpenAPI 3.1 of what is really served: one document per API, made of its compiled routes, descriptors and JSON options.

Owns the promise that document and runtime agree: whatever the codec decides (names, enums, 64-bit integers, defaults) is read from the
same options, every error from the one table of faults. Pure: values in, a JSON-able dict or bytes out, equal input gives equal bytes.
Source: https://spec.openapis.org/oas/v3.1.1.html, JSON Schema 2020-12.
"""

from edge.openapi.document import document, documents, serialized
from edge.openapi.source import ApiSource

__all__ = ["ApiSource", "document", "documents", "serialized"]
