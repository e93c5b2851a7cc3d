"""
What the meshes themselves would refuse, or take and ignore, said before anything is written.

The meshes' schemas are no part of edge; these are the rules that stand in code and in CEL, for the kinds edge generates, with the meshes'
own words. The tests hold them to the real rules.
"""
