"""
The downstream side: sockets, HTTP parsing, and the dialects spoken over them.

`listener` accepts and drains, `http1` turns bytes into heads and bodies, `rest` turns those into calls, `respond` shapes answers.
"""
