"""New files of one number are told where the directory is a sequence; dates, fragments, parts and gaps are not."""

import pytest

from sidecar.model.numbered import is_taken_twice, numbers_added, read_name

DJANGO = [f"{number:04}_step_{number}.py" for number in range(1, 7)]


def twice(directory: str, one: str, two: str, before: list[str]) -> bool:
    common = numbers_added([f"{directory}/{one}"]) & numbers_added([f"{directory}/{two}"])
    return any(is_taken_twice(number, [f"{directory}/{one}"], [f"{directory}/{two}"], before) for number in common)


@pytest.mark.parametrize(
    ("directory", "one", "two", "before"),
    [
        ("app/migrations", "0007_a.py", "0007_b.py", DJANGO),
        ("app/migrations", "0001_a.py", "0001_b.py", ["__init__.py"]),
        ("sql", "V7__a.sql", "V7__b.sql", [f"V{number}__x.sql" for number in range(1, 7)]),
        ("sql", "V1.2__a.sql", "V1.2__b.sql", ["V1__x.sql", "V1.0__x.sql", "V1.1__y.sql"]),
        ("docs/adr", "0004-use-a.md", "0004-take-b.md", ["0001-x.md", "0002-y.md", "0003-z.md"]),
        ("db", "40_a.sql", "40_b.sql", ["10_x.sql", "20_y.sql", "30_z.sql"]),
        ("db", "0200_a.sql", "0200_b.sql", ["0050_x.sql", "0100_y.sql", "0150_z.sql", "README"]),
        ("db/migrate", "20240101120000_a.rb", "20240101120000_b.rb", ["20230101120000_x.rb"]),
        ("db/migrations", "2014_10_12_000000_a.php", "2014_10_12_000000_b.php", ["2013_10_12_000000_x.php"]),
        ("migrations", "20240101_a.sql", "20240101_b.sql", ["20230101_x.sql", "20230102_y.sql", "20230103_z.sql"]),
        ("migrations/2024", "0007_a.sql", "0007_b.sql", DJANGO),
        ("2024_plan", "0007_a.md", "0007_b.md", DJANGO),
        ("up", "7_a.up.sql", "7_b.up.sql", [f"{n}_x{n}.{way}.sql" for n in range(1, 7) for way in ("up", "down")]),
    ],
)
def test_one_number_twice_in_a_sequence_is_told(directory: str, one: str, two: str, before: list[str]) -> None:
    assert twice(directory, one, two, before)


@pytest.mark.parametrize(
    ("directory", "one", "two", "before"),
    [
        ("app/migrations", "0007_a.py", "0008_b.py", DJANGO),
        ("app/migrations", "0007_a.py", "0007_a.sql", DJANGO),
        ("up", "7_a.up.sql", "7_a.down.sql", DJANGO),
        ("app/migrations", "0003_a.py", "0003_b.py", DJANGO),
        ("app/migrations", "0900_a.py", "0900_b.py", DJANGO),
        ("db/migrate", "20240101120000_a.rb", "20240101120001_b.rb", ["20230101120000_x.rb"]),
        ("_posts", "2024-01-01-a.md", "2024-01-01-b.md", ["2023-01-01-x.md", "2023-02-01-y.md", "2023-03-01-z.md"]),
        ("posts", "20240101_a.md", "20240101_b.md", ["20230101_x.md", "20230102_y.md", "20230103_z.md"]),
        ("minutes/2024", "07-team.md", "07-board.md", [f"{month:02}-team.md" for month in range(1, 7)]),
        ("2023", "0704-a.md", "0704-b.md", ["0701-x.md", "0702-y.md", "0703-z.md"]),
        ("blog/2024/03", "12-a.md", "12-b.md", ["01-x.md", "09-y.md", "11-z.md"]),
        ("talks/2024-03", "12-a.md", "12-b.md", ["01-x.md", "09-y.md", "11-z.md"]),
        ("changes", "812-a.feature", "812-b.bugfix", ["700-x.misc", "701-y.misc", "702-z.misc"]),
        ("changes", "812.feature", "812.bugfix", ["810.misc", "811.misc", "813.misc"]),
        ("img", "07_a.png", "07_b.png", ["01_a.png", "01_b.png", "02_a.png", "02_b.png"]),
        ("img", "07_a.png", "07_b.png", []),
        ("tests", "2d_a.py", "2d_b.py", ["3d_a.py"]),
        ("", "v7_a", "v7_b", []),
    ],
)
def test_what_is_no_sequence_or_no_two_files_is_not(directory: str, one: str, two: str, before: list[str]) -> None:
    assert not twice(directory, one, two, before)


@pytest.mark.parametrize("path", ["a.py", "V7_x.sql", "7.sql", "a/b/", "", "7", "7_", "a7_x", "٣_x"])
def test_other_names_have_no_number(path: str) -> None:
    assert read_name(path) is None
