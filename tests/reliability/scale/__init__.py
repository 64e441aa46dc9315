"""`make scale`: the service at rates that no machine of two cores has engines for, on a real Redis."""
