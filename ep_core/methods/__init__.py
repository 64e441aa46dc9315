"""Attribution methods, a file each: a new file with a `METHOD` is a new method, named as its file."""
