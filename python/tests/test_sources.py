"""The surface of an engine in its sources: the same answers as of the engine that is imported, and nothing of it is run."""
import contextlib
import importlib
import io
import os
import sys
import types
import unittest

from base import Base
from plimsoll_engine import surface
from plimsoll_engine.sources import SourceError, Tree, parameters
from plimsoll_engine.surface import Need, Surface

STATE = """
import os
from typing import NamedTuple

from .base import Balancer as Base
from engine_in_sources import policies

raise_when_run = os.environ.get("NOT_SET")
POLICIES: dict = {}


def commit(state, new_map, /, layer=0, *rest, check: bool = True, strict, **more) -> None:
    pass


class State(Base):
    noted: int
    given: int = 3

    def __init__(self, config, device="cpu"):
        self.config = config

    def step(self, is_dummy: bool = False, is_profile: bool = False) -> None:
        pass

    @classmethod
    def from_mapping(cls, mapping):
        return cls

    @staticmethod
    def plain(x):
        return x

    @property
    def rank(self):
        return 0


if os.environ.get("NOT_SET"):
    def chosen(x): pass
else:
    def chosen(y): pass

try:
    from engine_that_is_not_there import accelerated
except ImportError:
    def accelerated(z): pass
"""
BASE = """
class Balancer:
    def rearrange(self, rank_mapping=None):
        pass
"""
FILES = {"engine_in_sources/__init__.py": "from .eplb.state import *\n", "engine_in_sources/eplb/__init__.py": "",
         "engine_in_sources/eplb/state.py": STATE, "engine_in_sources/eplb/base.py": BASE,
         "engine_in_sources/policies.py": "class Policy:\n    def balance(self, weight):\n        pass\n"}
MODULE = "engine_in_sources.eplb.state"
NEEDS = [Need(MODULE, "commit", ("state", "new_map", "layer", "rest", "check", "strict")),
         Need(MODULE, "POLICIES"), Need(MODULE, "State", ("config",)), Need(MODULE, "State.given"),
         Need(MODULE, "State.step", ("self", "is_dummy")), Need(MODULE, "State.rearrange", ("self", "rank_mapping")),
         Need(MODULE, "State.from_mapping", ("cls", "mapping")), Need(MODULE, "State.plain", ("x",)),
         Need(MODULE, "State.rank"), Need(MODULE, "chosen", ("y",)), Need(MODULE, "accelerated", ("z",)),
         Need(MODULE, "policies.Policy.balance", ("self", "weight")),
         Need("engine_in_sources", "State.rearrange", ("self",)), Need(MODULE, "later", ("x",), optional=True)]


class TheSources(Base):
    def tree(self, change=("", "")):
        for name, source in FILES.items():
            path = self.path(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(source.replace(*change))
        return self.directory

    def imported(self):
        """The answer of the check at import, of the same tree."""
        sys.path.insert(0, self.directory)
        self.addCleanup(sys.path.remove, self.directory)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in list(sys.modules)
                                 if name.split(".")[0] == "engine_in_sources"])
        importlib.invalidate_caches()
        return Surface("test", NEEDS).differences()

    def test_what_is_known_is_found_in_functions_classes_bases_branches_and_imports(self):
        tree = self.tree()
        self.assertEqual([], Surface("test", NEEDS).differences_in(tree))
        self.assertNotIn("engine_in_sources", sys.modules)
        self.assertEqual([], self.imported())

    def test_one_changed_name_or_parameter_is_refused_by_name_as_at_import(self):
        changes = [
            (("is_dummy", "dummy"), "State.step(self, dummy, is_profile) is known as (self, is_dummy)"),
            (("def rearrange", "def _rearrange"), "State.rearrange is not there"),
            (("cls, mapping", "cls, mapping, group"), "State.from_mapping(cls, mapping, group) is known as (cls, mapping)"),
            (("check: bool = True, strict", "strict, check: bool = True"),
             "commit(state, new_map, layer, rest, strict, check, more) is known as"),
            (("given: int = 3", "given: int"), "State.given is not there"),
            (("POLICIES", "_POLICIES"), "POLICIES is not there"),
            (("config, device", "device, config"), "State(device, config) is known as (config)"),
        ]
        for change, text in changes:
            with self.subTest(change=change):
                found = Surface("test", NEEDS).differences_in(self.tree(change))
                self.assertTrue(any(one.startswith(MODULE + "." + text) for one in found), found)
                self.assertEqual(self.imported(), found)
                self.doCleanups()
                self.setUp()

    def test_more_parameters_that_can_be_left_out_are_no_difference(self):
        tree = self.tree(("is_profile: bool = False", "is_profile: bool = False, *, log=None, **more"))
        self.assertEqual([], Surface("test", NEEDS).differences_in(tree))

    def test_a_signature_is_told_without_types_and_values_and_read_back(self):
        text = Tree(self.tree()).find(MODULE, "commit")
        self.assertEqual("(state, new_map, /, layer=..., *rest, check=..., strict, **more)", text)
        self.assertEqual((("state", False), ("new_map", False), ("layer", True), ("rest", True), ("check", True),
                          ("strict", False), ("more", True)), parameters(text))

    def test_a_tree_without_the_engine_differs_in_all_that_is_needed(self):
        found = Surface("test", NEEDS).differences_in(self.directory)
        self.assertEqual(["%s.%s is not there" % (need.module, need.name) for need in NEEDS if not need.optional], found)

    def test_a_circle_of_imports_ends(self):
        tree = self.tree()
        for name, other in (("a", "b"), ("b", "a")):
            with open(self.path("engine_in_sources/%s.py" % name), "w", encoding="utf-8") as file:
                file.write("from .%s import thing\nclass C(D): pass\nclass D(C): pass\n" % other)
        self.assertIsNone(Tree(tree).find("engine_in_sources.a", "thing"))
        self.assertIsNone(Tree(tree).find("engine_in_sources.a", "C.thing"))

    def test_who_asks_before_an_engine_is_started_is_told(self):
        plug_in = types.ModuleType("plimsoll_engine.of_the_test")
        plug_in.SURFACE = Surface("test", NEEDS)
        sys.modules[plug_in.__name__] = plug_in
        self.addCleanup(sys.modules.pop, plug_in.__name__)
        sys.path.insert(0, self.tree())
        self.addCleanup(sys.path.remove, self.directory)
        importlib.invalidate_caches()
        for arguments, code, words in ((["of_the_test"], 0, "known"), (["of_the_test", self.directory], 0, "known"),
                                       (["of_the_test", "/nowhere"], 1, "refused: " + MODULE), ([], 2, "usage")):
            with self.subTest(arguments=arguments), contextlib.redirect_stdout(io.StringIO()) as told:
                self.assertEqual(code, surface.main(arguments))
                self.assertTrue(told.getvalue().startswith(words), told.getvalue())
        self.assertNotIn("engine_in_sources", sys.modules)

    def test_a_file_that_cannot_be_read_is_named(self):
        tree = self.tree(("class State", "klass State"))
        with self.assertRaisesRegex(SourceError, "state.py cannot be read as Python of this version"):
            Surface("test", NEEDS).differences_in(tree)


if __name__ == "__main__":
    unittest.main(verbosity=2)
