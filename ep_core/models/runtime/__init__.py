"""Backend of the networks: device, memory, precision, threads and flags."""
