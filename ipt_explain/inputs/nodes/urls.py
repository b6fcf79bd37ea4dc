"""Files by URL, through fsspec: `s3://bucket/nodes/*.txt.gz`, `ssh://host/dumps/`, `gs://…`."""

from __future__ import annotations

import re
from typing import Any, BinaryIO, cast

from ipt_explain.errors import UsageError

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")


def is_url(path: str) -> bool:
    """Whether a path is a URL."""
    return _URL.match(path) is not None


def url_files(url: str) -> list[str]:
    """The files of a URL: a file itself, all files below a folder, or those that match a pattern.

    Raises UsageError if there is none, or no installed library opens such URLs.
    """
    system, path = _file_system(url)
    try:
        if _MAGIC.search(path):
            found = [each for each in system.glob(path) if not system.isdir(each)]
        else:
            found = system.find(path) if system.isdir(path) else [path]
    except Exception as error:
        raise UsageError(f"{url}: {_why(error)}") from None
    if not found:
        raise UsageError(f"{url}: no file matches")
    return sorted(system.unstrip_protocol(each) for each in found)


def open_url(url: str) -> BinaryIO:
    """Open a URL. Raises OSError if that fails, UsageError if no installed library can."""
    system, path = _file_system(url)
    try:
        return cast(BinaryIO, system.open(path, "rb"))
    except OSError:
        raise
    except Exception as error:
        raise OSError(_why(error)) from None


def _file_system(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise UsageError(f"{url}: URLs need fsspec: pip install 'ipt-explain[fleet]'") from None
    try:
        system, path = url_to_fs(url)
    except (ImportError, ValueError, OSError) as error:
        raise UsageError(f"{url}: {_why(error)}") from None
    return system, str(path)


def _why(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
