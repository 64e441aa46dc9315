"""Names of models in addresses: they may have `:` and `/`, but don't end as the addresses of KServe's protocols do."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

ModelName = Annotated[str, Path(description="May contain `:` and `/`.", examples=["mobilenet_v2"])]


class _Name(Convertor[str]):
    regex = r".+(?<!:explain)(?<!:predict)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _NameOfTensors(_Name):
    regex = r".+(?<!/infer)(?<!/ready)"


NAME, NAME_OF_TENSORS = "{name:model}", "{name:model_of_tensors}"
"""Parameters of addresses, of v1 and v2; with `:path` an address would seem to take the methods of others, too."""
register_url_convertor("model", _Name())
register_url_convertor("model_of_tensors", _NameOfTensors())
