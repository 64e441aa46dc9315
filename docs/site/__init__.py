"""The documentation site, which `make docs` builds into `build/site` of the pages in `docs/` and of docstrings."""
