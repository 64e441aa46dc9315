"""Networks to explain: by name, or the user's own. Importing this package imports no torch; its names do, when used."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
