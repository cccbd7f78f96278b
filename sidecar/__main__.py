"""The command `sidecar`: puts the doors together."""

import sys
from collections.abc import Sequence

from sidecar.cli.app import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    return run(arguments, _serve)


def _serve() -> int | None:
    from sidecar.lsp.serve import serve  # takes 400 ms; only `sidecar serve` needs it

    return serve()


if __name__ == "__main__":
    sys.exit(main())
