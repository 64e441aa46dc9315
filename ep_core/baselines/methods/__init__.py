"""One attribution method a file: a new file with a `METHOD` is a new method, called as its file."""
