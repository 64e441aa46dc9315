"""Extremal perturbations (Fong, Patrick, Vedaldi, ICCV 2019): which parts of an image a classifier needs to see.

>>> import ep_core
>>> model = ep_core.load_model("mobilenet_v2")
>>> result = ep_core.explain(model, image, ep_core.ExtremalSpec(areas=(0.1, 0.2)))

The names are loaded when first used, so that `import ep_core.schemas` stays free of torch; `__init__.pyi` lists them.
"""

import lazy_loader as lazy

from .version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
