"""Bundle: a job's files in one zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import datetime

_PACKED_ALREADY = (".png", ".webp")


def make_bundle(files: Mapping[str, bytes], *, made_at: datetime | None) -> bytes:
    """Return a zip file of `files`; the same files and time give the same bytes, so that its entity tag holds."""
    date = made_at.timetuple()[:6] if made_at is not None else (1980, 1, 1, 0, 0, 0)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED_ALREADY) else zipfile.ZIP_DEFLATED
            bundle.writestr(entry, data)
    return buffer.getvalue()
