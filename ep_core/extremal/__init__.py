"""A sweep of extremal masks by consensus: walks, refinement, and the blocks of a result.

`walks` finds the starts of a sweep's masks, `refinement` moves them from there, `best` takes a known rival where it
scores higher, `stability`, `alternatives` and `contrast` are blocks of the result.
"""
