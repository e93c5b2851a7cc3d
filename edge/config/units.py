"""
Human units in the configuration: `250ms`, `64KiB`, `100/s`, `host:port`, `${ENV}` and `file:` secrets.

Owns their grammar and their error texts. Each type is a plain float, int or small value below the configuration layer.
"""
