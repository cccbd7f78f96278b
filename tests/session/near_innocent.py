"""Histories in which a worktree takes trunk back that are near to innocent ones: they have to be told still."""

import re

from sidecar.session.undoes_trunk import MOST_OWN
from tests.harness import write
from tests.session.taking_back import CART, CHECKED, FIXED, TAX, Shop, many, takes_back


@takes_back(cart_py="Round prices")
def a_branch_of_many_commits(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    many(shop, MOST_OWN - 1)
    shop.own({"cart.py": CART})


@takes_back(cart_py="Import the total")
def a_line_and_the_import_that_came_for_it_go_back(shop: Shop) -> None:
    shop.trunk({"cart.py": "total = 3\n" + CART}, "Begin")
    shop.trunk({"cart.py": "from tax import total\n" + CART}, "Import the total")
    shop.begin()
    shop.own({"cart.py": "total = 3\n" + CART})


@takes_back(guide_md="Fix the words")
def a_sentence_that_begins_like_an_import_goes_back(shop: Shop) -> None:
    before, after = "use the cart to count\nimport taxes form there\n", "use it for sums\nimport taxes from there\n"
    shop.trunk({"guide.md": before}, "Begin")
    shop.trunk({"guide.md": after}, "Fix the words")
    shop.begin()
    shop.own({"guide.md": before})


@takes_back(cart_py="Fix what the checker finds")
def more_than_what_silences_a_checker_goes_back(shop: Shop) -> None:
    shop.trunk({"cart.py": CHECKED.replace("return 3 ", "return int(3) ")}, "Fix what the checker finds")
    shop.begin()
    shop.own({"cart.py": CART})


@takes_back(cart_py="Fix a word")
def a_word_in_a_comment_goes_back(shop: Shop) -> None:
    shop.trunk({"cart.py": "# gloabl\n" + CART}, "Begin")
    shop.trunk({"cart.py": "# global\n" + CART}, "Fix a word")
    shop.begin()
    shop.own({"cart.py": "# gloabl\n" + CART})


@takes_back(ci_yml="Measure step 4")
def a_line_comes_back_where_trunk_removed_it(shop: Shop) -> None:
    steps = "".join(f"  - name: step {number}\n    coverage: no\n" for number in range(6))
    shop.trunk({"ci.yml": "matrix:\n" + steps}, "Begin")
    measured = steps.replace("step 4\n    coverage: no\n", "step 4\n")
    shop.trunk({"ci.yml": "matrix:\n" + measured}, "Measure step 4")
    shop.trunk({"ci.yml": "on: push\nmatrix:\n" + measured}, "On push")
    shop.begin()
    shop.own({"ci.yml": "on: push\nmatrix:\n" + steps.replace("step 0", "step zero")})


@takes_back(tax_py="Add robots")
def three_equal_lines_that_trunk_added_go(shop: Shop) -> None:
    new = re.sub("^rate_[chk]", r"robots\n\g<0>", TAX, flags=re.MULTILINE)
    shop.trunk({"tax.py": new}, "Add robots")
    shop.begin()
    shop.own({"tax.py": TAX.replace("rate_l = 11", "rate_l = 12")})


@takes_back(cart_py="Round prices")
def the_message_names_what_came_in_after_the_branch_began(shop: Shop) -> None:
    shop.begin()
    shop.own({"tax.py": TAX + "rate_z = 26\n"})
    shop.trunk({"cart.py": FIXED})
    shop.update()
    shop.own({"cart.py": CART.replace("return 11", "return 12")}, "Let check and round be quick")


@takes_back(tax_py="Raise a rate")
def a_message_names_it_but_what_goes_back_is_not_committed(shop: Shop) -> None:
    raised = TAX.replace("rate_c = 2", "rate_c = 2.5")
    shop.trunk({"tax.py": raised}, "Raise a rate")
    shop.begin()
    shop.own({"tax.py": raised + "rate_z = rate_c\n"}, "Add a rate that is rate_c")
    write(shop.task, {"tax.py": TAX + "rate_z = rate_c\n"})


@takes_back(tax_py="Raise a rate")
def a_message_names_it_of_another_file(shop: Shop) -> None:
    shop.trunk({"tax.py": TAX.replace("rate_c = 2", "rate_c = 2.5")}, "Raise a rate")
    shop.begin()
    shop.own({"cart.py": CART.replace("return 9", "return rate_c")}, "Count with rate_c")
    shop.own({"tax.py": TAX})


@takes_back(tax_py="Raise two rates")
def the_message_names_one_of_two_that_go_back(shop: Shop) -> None:
    raised = TAX.replace("rate_c = 2", "rate_c = 2.5").replace("rate_k = 10", "rate_k = 10.5")
    shop.trunk({"tax.py": raised}, "Raise two rates")
    shop.begin()
    shop.own({"tax.py": TAX}, "Compute rate_c as the others")


@takes_back(cart_py="Round prices")
def the_message_has_words_that_are_in_all_code(shop: Shop) -> None:
    shop.trunk({"cart.py": FIXED})
    shop.begin()
    shop.own({"cart.py": CART}, "Update the function so that what it does return is of use in some more tests")
