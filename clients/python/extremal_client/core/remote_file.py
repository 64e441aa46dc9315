"""A file of a result, fetched when it is first asked for."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from .messages import Site
from .retries import call
from .steps import Flow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RemoteFile:
    """A file of a result.

    Args:
        site: the service.
        link: its address, as answers have it.
    """

    def __init__(self, site: Site, link: str) -> None:
        self._site = site
        self.link = link
        self._content: bytes | None = None

    @property
    def url(self) -> str:
        """The file's whole address; raises `UnexpectedAnswer` where that is another host's."""
        return self._site.follow(self.link).url

    @property
    def in_frame(self) -> RemoteFile:
        """The same mask in the network's own frame."""
        return RemoteFile(self._site, f"{self.link}?frame=model")

    def read(self) -> Flow[bytes]:
        """Return the file's bytes; they are fetched once."""
        if self._content is None:
            answer = yield from call(self._site, self._site.follow(self.link))
            self._content = answer.content
        return self._content

    def image(self) -> Flow[Image.Image]:
        """Return a picture as one of Pillow's."""
        picture = Image.open(io.BytesIO((yield from self.read())))
        picture.load()
        return picture

    def array(self) -> Flow[NDArray[np.float32]]:
        """Return a picture as numpy's float32 in [0, 1]: a mask H x W, what has colours H x W x 3.

        Raises:
            ImportError: there is no numpy: ``pip install 'extremal-client[numpy]'``.
        """
        import numpy as np

        return np.asarray((yield from self.image()), np.float32) / np.float32(255)

    def text(self) -> Flow[str]:
        """Return a page or a plot as its text."""
        return (yield from self.read()).decode()

    def json(self) -> Flow[Any]:
        """Return a JSON file as its values."""
        return json.loads((yield from self.read()))

    def save(self, path: str | os.PathLike[str]) -> Flow[Path]:
        """Write the file to a path, whose folder is made, and return the path."""
        content = yield from self.read()
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def extract(self, folder: str | os.PathLike[str]) -> Flow[Path]:
        """Write what is in a bundle to a folder, which is made, and return the folder."""
        content = yield from self.read()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            bundle.extractall(folder)  # names that lead out of the folder are cut by zipfile
        return folder
