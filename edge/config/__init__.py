"""
The operator's YAML, parsed once into frozen models. Below this package there are only plain values.

`load.load_config(path, env)` is the way in: it returns a Config or every problem at once, each with its line and a fix.
"""
