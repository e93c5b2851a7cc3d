"""
Changing a resource by field mask, and the etags that guard it.

Owns: an empty mask means the fields that are set, `*` all of them; fields that only the service sets are left alone; a path
the resource does not have is refused. Source: https://google.aip.dev/134, https://google.aip.dev/154.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from edge.demo.failure import invalid, stale
from edge.demo.messages import Msg


def stamp(resource: Msg) -> Msg:
    """The resource with the etag of its present content."""
    resource.ClearField("etag")
    resource.etag = hashlib.blake2b(resource.SerializeToString(deterministic=True), digest_size=6).hexdigest()
    return resource


def guard(resource: Msg, etag: str, name: str) -> None:
    """Refuse a change meant for another version; an empty etag is meant for any."""
    if etag and etag != resource.etag:
        raise stale(name)


def changed(resource: Msg, change: Msg, paths: Sequence[str], keep: Collection[str]) -> Msg:
    """A copy of `resource` with the masked fields of `change`; top-level fields in `keep` stay as they are."""
    result = type(resource)()
    result.CopyFrom(resource)
    for path in _resolve(resource, change, paths):
        names = path.split(".")
        if names[0] not in keep:
            _take(result, change, names)
    return result


def _resolve(resource: Msg, change: Msg, paths: Sequence[str]) -> list[str]:
    if list(paths) == ["*"]:
        return [field.name for field in resource.DESCRIPTOR.fields]
    if not paths:
        return [field.name for field, _ in change.ListFields()]
    wrong = [path for path in paths if not _exists(resource.DESCRIPTOR, path)]
    if wrong:
        raise invalid(*(("update_mask", f'"{path}" is not a field of {resource.DESCRIPTOR.name}') for path in wrong))
    return list(paths)


def _exists(descriptor: Msg, path: str) -> bool:
    """Whether the path names a field, through singular messages only."""
    head, _, rest = path.partition(".")
    field = descriptor.fields_by_name.get(head)
    if field is None:
        return False
    if not rest:
        return True
    return field.message_type is not None and not field.is_repeated and _exists(field.message_type, rest)


def _take(target: Msg, source: Msg, names: Sequence[str]) -> None:
    head, *rest = names
    if rest:
        _take(getattr(target, head), getattr(source, head), rest)
        return
    target.ClearField(head)
    for field, value in source.ListFields():
        if field.name == head:
            _set(target, field, value)


def _set(target: Msg, field: Msg, value: Msg) -> None:
    if field.is_repeated:  # maps too: both kinds of container merge
        getattr(target, field.name).MergeFrom(value)
    elif field.message_type is not None:
        getattr(target, field.name).CopyFrom(value)
    else:
        setattr(target, field.name, value)
