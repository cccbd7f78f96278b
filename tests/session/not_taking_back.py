"""Histories that only look as if a worktree took back what trunk did: nothing is told of them."""

from sidecar.session.undoes_trunk import MOST_OWN
from tests.harness import git, write
from tests.session.taking_back import ADDED, CART, CHECKED, FIXED, TAX, Shop, innocent, many


@innocent
def nothing_is_changed(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()


@innocent
def ordinary_work(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": FIXED.replace("return 9", "return 99")})


@innocent
def the_branch_is_only_old(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": FIXED})


@innocent
def a_conflict_with_trunk(shop: Shop) -> None:
    shop.begin()
    shop.own({"cart.py": CART.replace("return 3", "return 33")})
    shop.trunk({"cart.py": FIXED})


@innocent
def git_revert(shop: Shop) -> None:
    undone = shop.trunk({"cart.py": FIXED})
    shop.begin()
    git(shop.task, "revert", "--no-edit", undone)


@innocent
def the_message_says_that_it_rolls_back(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART}, "Roll back the rounding, it breaks invoices")


@innocent
def the_message_says_that_it_is_so_again(shop: Shop) -> None:
    shop.trunk({"cart.py": CART.replace("return 4", "return 44")}, "Change it")
    shop.begin()
    shop.own({"cart.py": CART}, "Allow four again (unpin)")


@innocent
def the_body_of_the_message_says_it(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART}, "Make invoices right\n\nThis undoes the rounding of prices.")


@innocent
def the_message_says_that_something_is_removed(shop: Shop) -> None:
    shop.trunk({"cart.py": ADDED}, "Add the total")
    shop.begin()
    shop.own({"cart.py": CART}, "Remove the total, nobody calls it")


@innocent
def formatting_goes_back(shop: Shop) -> None:
    shop.trunk({"cart.py": CART.replace("    return", "\treturn")}, "Indent with tabs")
    shop.begin()
    shop.own({"cart.py": CART})


@innocent
def what_a_formatter_wrapped_goes_back(shop: Shop) -> None:
    wrapped, whole = "found = (\n    total(items, prices)\n)\n", "found = total(\n    items, prices,\n)\n"
    shop.trunk({"form.py": f"first = 1\nlast = 2\n{wrapped}"}, "Add a form")
    shop.trunk({"form.py": f"first = 1\nlast = 2\n{whole}"}, "Format anew")
    shop.begin()
    shop.own({"form.py": f"first = 11\nlast = 2\n{wrapped}"})


@innocent
def blank_lines_go_back(shop: Shop) -> None:
    shop.trunk({"cart.py": CART.replace("\n\n\n", "\n\n")}, "One blank line")
    shop.begin()
    shop.own({"cart.py": CART})


@innocent
def one_line_that_trunk_added_is_removed(shop: Shop) -> None:
    shop.trunk({"cart.py": "import os\n" + CART}, "Import os")
    shop.begin()
    shop.own({"cart.py": CART})


@innocent
def what_was_added_moves_to_another_file(shop: Shop) -> None:
    shop.trunk({"cart.py": ADDED}, "Add the total")
    shop.begin()
    shop.own(
        {
            "cart.py": CART,
            "total.py": "def total(items):\n    found = sum(items)\n    log(found)\n    return found\n",
        }
    )


@innocent
def what_was_added_moves_within_the_file(shop: Shop) -> None:
    shop.trunk({"cart.py": ADDED}, "Add the total")
    shop.begin()
    body = "def total(items):\n    found = sum(items)\n    log(found)\n    return found\n\n\n"
    shop.own({"cart.py": CART + body})


@innocent
def what_was_added_is_written_anew(shop: Shop) -> None:
    shop.trunk({"cart.py": ADDED}, "Add the total")
    shop.begin()
    shop.own(
        {
            "cart.py": ADDED.replace(
                "    found = sum(items)\n    log(found)\n    return found\n", "    return add(items)\n"
            )
        }
    )


@innocent
def more_than_what_was_added_goes(shop: Shop) -> None:
    shop.trunk({"cart.py": ADDED}, "Add the total")
    shop.begin()
    shop.own({"cart.py": CART.replace("def step_6():\n    return 6\n\n\n", "").replace("return 7", "return 77")})


@innocent
def trunk_took_it_back_itself(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART})
    shop.trunk({"cart.py": CART}, "Take the rounding back")


@innocent
def trunk_replaced_it_since(shop: Shop) -> None:
    shop.trunk({"tax.py": TAX.replace("rate_c = 2", "rate_c = 2.5")}, "Raise a rate")
    shop.begin()
    shop.own({"tax.py": TAX})
    shop.trunk({"tax.py": TAX.replace("rate_c = 2\n", "rate_c = three\n")}, "Name the rate")


@innocent
def trunk_deleted_the_file_since(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART})
    shop.trunk({"cart.py": None}, "Delete the cart")


@innocent
def a_lock_file_goes_back(shop: Shop) -> None:
    old = "".join(f'"p{number}": "1.0.{number}",\n' for number in range(9))
    shop.trunk({"package-lock.json": old}, "Lock")
    shop.trunk({"package-lock.json": old.replace("1.0.4", "1.0.5")}, "Lock anew")
    shop.begin()
    shop.own({"package-lock.json": old})


@innocent
def a_snapshot_goes_back(shop: Shop) -> None:
    shop.trunk({"view.snap": "<a>\n<b>\n<c>\n"}, "Snapshot")
    shop.trunk({"view.snap": "<a>\n<x>\n<c>\n"}, "Snapshot anew")
    shop.begin()
    shop.own({"view.snap": "<a>\n<b>\n<c>\n"})


@innocent
def a_binary_file_goes_back(shop: Shop) -> None:
    shop.trunk({"logo.png": "\0one"}, "Logo")
    shop.trunk({"logo.png": "\0two"}, "New logo")
    shop.begin()
    shop.own({"logo.png": "\0one"})


@innocent
def only_the_mode_goes_back(shop: Shop) -> None:
    (shop.main / "cart.py").chmod(0o755)
    shop.trunk({}, "Make it run")
    shop.begin()
    (shop.task / "cart.py").chmod(0o644)
    shop.own({})


@innocent
def a_file_that_trunk_added_is_deleted_alone(shop: Shop) -> None:
    shop.trunk({"new.py": "one = 1\n"}, "Add a file")
    shop.begin()
    shop.own({"new.py": None})


@innocent
def a_file_of_its_own_is_as_an_older_one_of_its_own(shop: Shop) -> None:
    shop.begin()
    shop.own({"own.py": "one = 1\n"})
    shop.own({"own.py": "two = 2\n"})
    write(shop.task, {"own.py": "one = 1\n"})


@innocent
def own_work_on_trunks_file_is_taken_back_by_itself(shop: Shop) -> None:
    shop.begin()
    shop.own({"cart.py": FIXED})
    shop.own({"cart.py": CART})


@innocent
def an_untracked_file_has_the_content_of_an_old_one(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    write(shop.task, {"copy.py": CART})


@innocent
def the_commit_is_too_long_ago(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    for number in range(3):
        date = f"{1_767_225_600 + (40 + number) * 86_400} +0000"
        env = {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date}
        git(shop.main, "commit", "--quiet", "--allow-empty", "--message=Later", env=env)
    shop.begin()
    shop.own({"cart.py": CART})


@innocent
def the_same_lines_are_changed_to_something_else(shop: Shop) -> None:
    shop.trunk({"tax.py": TAX.replace("rate_c = 2", "rate_c = 2.5")}, "Raise a rate")
    shop.begin()
    shop.own({"tax.py": TAX.replace("rate_c = 2", "rate_c = 2.75")})


@innocent
def a_merge_of_trunk_is_resolved_by_hand(shop: Shop) -> None:
    shop.begin()
    shop.own({"cart.py": CART.replace("return 3\n", "return 33\n")})
    shop.trunk({"cart.py": FIXED})
    git(shop.task, "merge", "--quiet", "main", check=False)
    write(shop.task, {"cart.py": FIXED.replace("round(3, 2)", "round(33, 2)")})
    git(shop.task, "add", "cart.py")
    git(shop.task, "commit", "--quiet", "--message=Merge branch 'main' into task")


@innocent
def a_clean_merge_of_trunk(shop: Shop) -> None:
    shop.begin()
    shop.own({"cart.py": CART.replace("return 11", "return 1111")})
    shop.trunk({"cart.py": FIXED})
    shop.update()


@innocent
def trunk_has_no_commit_but_the_first(shop: Shop) -> None:
    shop.begin()
    shop.own({"cart.py": FIXED})


@innocent
def a_line_of_development_with_many_commits(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    many(shop, MOST_OWN)
    shop.own({"cart.py": CART})


@innocent
def only_imports_go_back(shop: Shop) -> None:
    shop.trunk({"cart.py": "import os\nfrom functools import (\n    partial,\n    wraps,\n)\n\n\n" + CART}, "Begin")
    shop.trunk({"cart.py": "import os\nfrom functools import partial\n\n\n" + CART}, "Import less")
    shop.begin()
    shop.own({"cart.py": "import os\nfrom functools import (\n    partial,\n    wraps,\n)\n\n\n" + CART})


@innocent
def only_imports_of_typescript_go_back(shop: Shop) -> None:
    one = 'import { tax } from "./tax";\n'
    several = 'import {\n  cart,\n  tax,\n} from "./tax";\n'
    shop.trunk({"shop.ts": one + "export const all = 1;\n"}, "Begin")
    shop.trunk({"shop.ts": several + "export const all = 1;\n"}, "Import the cart")
    shop.begin()
    shop.own({"shop.ts": one + "export const all = 1;\n"})


@innocent
def what_silences_a_checker_is_not_needed_any_more(shop: Shop) -> None:
    shop.trunk({"cart.py": CHECKED}, "Fix what the checker finds")
    shop.begin()
    shop.own({"cart.py": CART})


@innocent
def a_line_comes_that_trunk_removed_at_another_place(shop: Shop) -> None:
    steps = "".join(f"  - name: step {number}\n    coverage: no\n" for number in range(6))
    shop.trunk({"ci.yml": "matrix:\n" + steps}, "Begin")
    after = "matrix:\n" + steps.replace("step 4\n    coverage: no\n", "step 4\n")
    shop.trunk({"ci.yml": after}, "Measure step 4")
    shop.begin()
    shop.own({"ci.yml": after.replace("matrix:\n", "matrix:\n    coverage: no\n")})


@innocent
def two_equal_lines_that_trunk_added_go(shop: Shop) -> None:
    shop.trunk({"tax.py": TAX.replace("rate_c", "robots\nrate_c").replace("rate_k", "robots\nrate_k")}, "Add robots")
    shop.begin()
    shop.own({"tax.py": TAX})


@innocent
def the_message_names_what_goes_back(shop: Shop) -> None:
    shop.trunk({"tax.py": TAX.replace("rate_c = 2", "rate_c = 2.5")}, "Raise a rate")
    shop.begin()
    shop.own({"tax.py": TAX}, "Compute rate_c as the others")


@innocent
def the_message_names_the_version_that_goes_back(shop: Shop) -> None:
    old = "pygit2\nclick>=8.1.3\npsutil\n"
    shop.trunk({"needs.txt": old}, "Begin")
    shop.trunk({"needs.txt": old.replace("8.1.3", "8.2.0")}, "Take the newest")
    shop.begin()
    shop.own({"needs.txt": old}, "Stay with 8.1.3 for now")


@innocent
def a_line_moves_back_while_another_one_goes(shop: Shop) -> None:
    needed = "version: 44\ntools:\n  chai: 3\n  knex: 1\nneeds:\n  root: 2\n  chalk: 2\n"
    shop.trunk({"shop.yml": needed}, "Begin")
    shop.trunk(
        {"shop.yml": needed.replace("  root: 2\n", "").replace("tools:\n", "tools:\n  root: 2\n")}, "Only a tool"
    )
    shop.begin()
    shop.own({"shop.yml": needed.replace("44", "45")})


@innocent
def the_message_names_a_part_of_what_goes_back(shop: Shop) -> None:
    old = "def test_all():\n    assert True\n"
    new = 'def test_mixed_case_url():\n    url = "http://Example.com"\n    assert ask(url) == 200\n'
    shop.trunk({"test_it.py": old}, "Begin")
    shop.trunk({"test_it.py": f"{new}\n\n{old}"}, "Write hosts small")
    shop.begin()
    shop.own({"test_it.py": old}, "Let mixed_case_url need no network")
