"""What is recorded of releases: the page is made of it, and the check refuses a release in which one thing is changed, by name."""
import os
import shutil
import unittest

from base import Base
import support_table as table
from plimsoll_engine.sources import parameters

RECORDED = {package: table.Recorded(package) for package in table.PACKAGES}


def releases():
    """(plug-in, its surface, version, find) of all that is listed."""
    for _, plug_in, package, _ in table.LISTED:
        for version in RECORDED[package].days:
            yield plug_in, table.surface(plug_in), version, table.finder(version, package, RECORDED)


def newest():
    return {plug_in: (known, version, find) for plug_in, known, version, find in releases()}


def write_tree(directory, texts):
    """Sources that declare (module, name) as their texts say, and nothing else."""
    modules = {}
    for (module, name), text in texts.items():
        if text is not None:
            inner = modules.setdefault(module, {})
            *owners, last = name.split(".")
            for owner in owners:
                inner = inner.setdefault(owner, {})
            inner[last] = text
    for module, names in modules.items():
        path = os.path.join(directory, *module.split("."))
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "__init__.py"), "w", encoding="utf-8") as file:
            file.write("".join(declared(names)))


def declared(names, indent=""):
    for name, text in names.items():
        if isinstance(text, dict):
            yield "%sclass %s:\n" % (indent, name)
            yield from declared(text, indent + "    ")
        elif text.startswith("("):
            yield "%sdef %s%s: ...\n" % (indent, name, text)
        else:
            yield "%s%s = None\n" % (indent, name)


class TheRecordings(Base):
    def tree(self, texts):
        shutil.rmtree(self.path("tree"), ignore_errors=True)
        os.makedirs(self.path("tree"))
        write_tree(self.path("tree"), texts)
        return self.path("tree")

    def test_the_page_is_what_the_script_makes(self):
        behind, now = table.page()
        self.assertEqual(now, behind, "bring docs/engines.md up to date with: python3 python/support_table.py")

    def test_every_release_stands_in_one_row(self):
        for title, _, package, _ in table.LISTED:
            listed = [version for row, versions, _, _ in table.rows() if row == title for version in versions]
            self.assertEqual(list(RECORDED[package].days), listed[::-1])

    def test_the_newest_release_of_each_engine_is_known(self):
        for plug_in, (known, version, find) in newest().items():
            with self.subTest(plug_in=plug_in, version=version):
                self.assertEqual([], known.differences_by(find))

    def test_a_tree_that_declares_what_is_recorded_gets_the_same_answer(self):
        answers = 0
        for plug_in, known, version, find in releases():
            texts = {(need.module, need.name): find(need.module, need.name) for need in known.all_needs()}
            with self.subTest(plug_in=plug_in, version=version):
                self.assertEqual(known.differences_by(find), known.differences_in(self.tree(texts)))
                answers += 1
        self.assertGreater(answers, 80)

    def test_a_newest_release_without_one_name_is_refused_by_that_name(self):
        for plug_in, (known, version, find) in newest().items():
            texts = {(need.module, need.name): find(need.module, need.name) for need in known.all_needs()}
            for need in known.all_needs():
                if need.optional:
                    continue
                with self.subTest(plug_in=plug_in, version=version, name=need.name):
                    path = "%s.%s" % (need.module, need.name)
                    changed = {**texts, (need.module, need.name): None}
                    self.assertIn(path + " is not there", known.differences_in(self.tree(changed)))

    def test_a_newest_release_with_one_parameter_changed_is_refused_by_name(self):
        for plug_in, (known, version, find) in newest().items():
            texts = {(need.module, need.name): find(need.module, need.name) for need in known.all_needs()}
            for need in known.all_needs():
                text = texts[need.module, need.name]
                for name in need.parameters or ():
                    if name not in dict(parameters(text)):
                        continue  # what an older release had
                    with self.subTest(plug_in=plug_in, version=version, name=need.name, parameter=name):
                        renamed = "(%s)" % ", ".join(word.replace(name, name + "_2", 1) if word.split("=")[0] == name else word
                                                     for word in text[1:-1].split(", "))
                        changed = {**texts, (need.module, need.name): renamed}
                        differences = known.differences_in(self.tree(changed))
                        self.assertTrue(any("%s.%s(" % (need.module, need.name) in one and name + "_2" in one
                                            for one in differences), differences)


if __name__ == "__main__":
    unittest.main(verbosity=2)
