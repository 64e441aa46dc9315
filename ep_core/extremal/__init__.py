"""A sweep of extremal masks by consensus: walks, refinement, and the blocks of a result.

`walks` says where the masks of a sweep start, `refinement` moves them from there, `best` takes a known rival where it
scores higher, `stability`, `alternatives` and `contrast` are blocks of the result.
"""
