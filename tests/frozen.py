"""Imported last by a fork server: searches for garbage leave out all that it has loaded.

In a forked process, the first such search would touch every object, and so copy every page of them: a second and more.
"""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()
