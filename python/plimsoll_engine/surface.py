"""The names and parameters of an engine that a plug-in relies on, checked before anything is hooked.

They are private to the engine and change without notice. A plug-in that finds another engine than it knows does nothing at all:
half of its hooks would be worse than none.
"""
import importlib
import importlib.util
import inspect
import os
import sys
from typing import NamedTuple, Optional, Sequence

from plimsoll_engine import sources


class Parameter(NamedTuple):
    """Of a function: its name, and whether a call may leave it out (a default, *args, **kwargs)."""

    name: str
    optional: bool


class Need(NamedTuple):
    """One name: `module`, and `name` in it, such as EplbState.step; parameters: those that we rely on, in order, None: not a function.

    More parameters are no difference where calls may leave them out. optional: the engine may be without it.
    """

    module: str
    name: str
    parameters: Optional[Sequence[str]] = None
    optional: bool = False

    def difference(self, found):
        """What is other than we know it: found is None where the name is missing, else its parameters, () if not a function."""
        path = "%s.%s" % (self.module, self.name)
        if found is None:
            return None if self.optional else path + " is not there"
        if self.parameters is None:
            return None
        names = [parameter.name for parameter in found]
        known = list(self.parameters)
        if names[:len(known)] != known or not all(parameter.optional for parameter in found[len(known):]):
            return "%s(%s) is known as (%s)" % (path, ", ".join(names), ", ".join(known))
        return None


class Surface(NamedTuple):
    """All that a plug-in needs of one engine."""

    engine: str
    needs: Sequence[Need]

    def differences(self):
        """Between the engine that can be imported here and the one that is known, in words; empty when there are none."""
        return self._differences(_imported)

    def differences_in(self, path):
        """The same of sources: path is the directory that holds the package at the top. Nothing of it is imported."""
        return self.differences_by(sources.Tree(path).find)

    def differences_by(self, find):
        """The same of whatever find(module, name) knows: the text of sources.Tree.find, None where the name is missing."""
        return self._differences(lambda need: _told(find(need.module, need.name)))

    def all_needs(self):
        return self.needs

    def _differences(self, found):
        return [difference for need in self.needs for difference in [need.difference(found(need))] if difference]


class Surfaces(NamedTuple):
    """An engine whose releases differ: it is known when it is as one of them, else told by what differs from the nearest."""

    engine: str
    surfaces: Sequence[Surface]

    def differences(self):
        return min((surface.differences() for surface in self.surfaces), key=len)

    def differences_in(self, path):
        return self.differences_by(sources.Tree(path).find)

    def differences_by(self, find):
        return min((surface.differences_by(find) for surface in self.surfaces), key=len)

    def all_needs(self):
        return tuple(need for surface in self.surfaces for need in surface.needs)


def _told(text):
    return None if text is None else tuple(Parameter(*one) for one in sources.parameters(text))


def _imported(need):
    try:
        value = importlib.import_module(need.module)
    except ImportError:
        return None
    try:
        for part in need.name.split("."):
            value = inspect.getattr_static(value, part)
    except AttributeError:
        return None
    if isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    if need.parameters is None or not callable(value):
        return ()
    left_out = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return tuple(Parameter(name, one.default is not inspect.Parameter.empty or one.kind in left_out)
                 for name, one in inspect.signature(value).parameters.items())


def installed(needs):
    """The directories that hold what is needed of packages here, as this Python finds them; nothing is imported."""
    tops = sorted({need.module.split(".")[0] for need in needs})
    specs = [spec for spec in map(importlib.util.find_spec, tops) if spec and spec.submodule_search_locations]
    return [os.path.dirname(place) for spec in specs for place in spec.submodule_search_locations]


def main(arguments):
    """The answer before an engine is started: one line for each difference, and 1 where it would be refused."""
    if not arguments:
        print("usage: python3 -m plimsoll_engine.surface vllm|sglang|ascend|ascend_v2 [DIRECTORY …]\n"
              "A DIRECTORY holds packages of the engine; left out: the engine that is installed here")
        return 2
    known = importlib.import_module("plimsoll_engine." + arguments[0]).SURFACE
    found = known.differences_by(sources.Tree(*arguments[1:] or installed(known.all_needs())).find)
    print("\n".join("refused: " + difference for difference in found) or "known: it would be hooked")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
