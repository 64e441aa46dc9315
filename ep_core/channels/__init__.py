"""Inside the network (section 5): which channels of a layer a class needs. Importing this package imports no torch."""
