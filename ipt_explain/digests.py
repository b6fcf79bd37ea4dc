"""sha256 from Python's own C module: `hashlib` loads OpenSSL first, which takes longer than reading a small dump."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # from Python 3.12 on
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:  # this Python was built without it
            from hashlib import sha256

__all__ = ["sha256"]
