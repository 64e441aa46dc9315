"""What the OpenAPI document says, as Python: made by `make client`."""
