"""Every command of the tutorial, run as it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import own_environment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
REFUSED = re.compile(r"^(.*?) +# exit status 2$", re.MULTILINE)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
@pytest.mark.timeout(300)
def test_every_command_of_the_tutorial_does_what_is_said(tmp_path: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    refused = REFUSED.sub(r"status=0; \1 || status=$?; test $status = 2", commands)
    assert refused.count("status = 2") == 3
    program = f'sidecar() {{ {shlex.quote(sys.executable)} -m sidecar "$@"; }}\n'
    checked = "test ! -d .git/sidecar\ngrep -q '0.9 \\* 1.2' cart.py\ntest -d ../shop.worktrees/taxes\n"
    env = own_environment(XDG_CACHE_HOME=str(tmp_path / "cache"))
    done = subprocess.run(
        ["bash", "-euxc", program + refused + checked],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "conflict   discounts  line 2             taxes  line 2\n" in done.stdout
    assert "In this order 1 file conflicts on the way into main" in done.stdout
