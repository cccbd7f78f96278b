"""The mounts of a process, read from text as the kernel writes it."""

from sidecar.model.mountinfo import Mount, parse_mounts

TEXT = (
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "41 40 8:2 / /mnt/a\\040b\\011c\\134d\\012e rw shared:3 master:1 - xfs /dev/sdb1 rw\n"
    "42 22 0:42 / /mnt/odd\udcff\rname rw - fuse.sshfs me@host:/ - rw\n"
    "half a line\n"
    "1 - ext4\n"
)


def test_every_mount_is_read_by_its_own_name() -> None:
    assert parse_mounts(TEXT) == (
        Mount("/", "ext4"),
        Mount("/mnt/a b\tc\\d\ne", "xfs"),
        Mount("/mnt/odd\udcff\rname", "fuse.sshfs"),
    )


def test_nothing_is_no_mount() -> None:
    assert parse_mounts("") == ()
