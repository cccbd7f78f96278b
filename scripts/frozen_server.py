"""Where the packaged server starts: `sidecar`, with an environment that its children can use."""

import os
import sys

# PyInstaller's launcher points the dynamic linker at the bundle's own libraries; git must not load those.
_LINKER = "LD_LIBRARY_PATH"
_original = os.environ.pop(f"{_LINKER}_ORIG", None)
if _original is None:
    os.environ.pop(_LINKER, None)
else:
    os.environ[_LINKER] = _original

from sidecar.__main__ import main  # noqa: E402

sys.exit(main())
