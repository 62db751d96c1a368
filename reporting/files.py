"""Files that are either there as a whole or not at all.

A report may be read, or its run killed, while it is being written; so each file is written beside its place
under a temporary name and moved there in one step.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path


def write_bytes(path: Path, content: bytes) -> Path:
    """Put ``content`` at ``path``, making its folder where needed, and return ``path``.

    Whoever opens ``path`` meanwhile sees the old content or the new one, never a part.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes files that nobody else may read
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def write_text(path: Path, content: str) -> Path:
    """Put ``content`` at ``path`` as UTF-8 with ``\\n`` line ends, as :func:`write_bytes` does."""
    return write_bytes(path, content.encode("utf-8"))


def remove_others(
    folder: Path, written: Collection[Path], stems: Collection[str], kinds: Collection[str]
) -> None:
    """Remove what an earlier run has left in ``folder`` beside what was ``written``.

    These are files of one of ``kinds`` named as one of ``stems``, with or without more after a ``-``; what
    somebody else has put there stays.
    """
    for path in folder.glob("*"):
        ours = any(path.stem == stem or path.stem.startswith(f"{stem}-") for stem in stems)
        if ours and path.suffix.removeprefix(".") in kinds and path not in written:
            path.unlink()


def listed(paths: Iterable[Path]) -> list[str]:
    """Return files in words, a line a folder, such as ``report: results.csv, pareto.{png,svg}``."""
    folders: dict[Path, dict[str, list[str]]] = {}
    for path in paths:
        folders.setdefault(path.parent, {}).setdefault(path.stem, []).append(path.suffix)
    return [
        f"{folder}: " + ", ".join(stem + _either(endings) for stem, endings in names.items())
        for folder, names in folders.items()
    ]


def _either(endings: list[str]) -> str:
    """Return ``.csv`` or ``.{csv,md}``."""
    if len(endings) == 1:
        return endings[0]
    return f".{{{','.join(ending.removeprefix('.') for ending in endings)}}}"


def _umask() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
