"""KServe's own client, against the running stack: `make kserve`."""
