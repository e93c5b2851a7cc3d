"""
API descriptions: where they come from (.proto files, descriptor sets, reflection) and what is read from them.

Everything below the loaders works on one value, `model.Description`: a self-contained descriptor set, its RPCs and their
HTTP bindings. Problems in a user's protos are values with a file, a line and a fix.
"""
