"""Where the packaged server starts: `sidecar`, with an environment that its children can use."""

import os
import sys
from types import ModuleType

# PyInstaller's launcher points the dynamic linker at the bundle's own libraries; git must not load those.
_LINKER = "LD_LIBRARY_PATH"
_original = os.environ.pop(f"{_LINKER}_ORIG", None)
if _original is None:
    os.environ.pop(_LINKER, None)
else:
    os.environ[_LINKER] = _original


class _LeftOutError(Exception):
    """Stands for a class of `cryptography`, which MCP's SDK names as it loads, and which nothing here makes one of."""

    def __init__(self, *_: object) -> None:
        super().__init__("The package has no cryptography.")


for _module, _class in (
    ("cryptography.exceptions", "InvalidTag"),
    ("cryptography.hazmat.primitives.ciphers.aead", "AESGCM"),
    ("cryptography.hazmat.primitives.hashes", "SHA256"),
    ("cryptography.hazmat.primitives.kdf.hkdf", "HKDF"),
):
    sys.modules[_module] = ModuleType(_module)
    setattr(sys.modules[_module], _class, _LeftOutError)

from sidecar.__main__ import main  # noqa: E402

sys.exit(main())
