"""The names and parameters of an engine that a plug-in relies on, checked before anything is hooked.

They are private to the engine and change without notice. A plug-in that finds another engine than it knows does nothing at all:
half of its hooks would be worse than none.
"""
import importlib
import inspect
from typing import NamedTuple, Optional, Sequence


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
        return [difference for need in self.needs for difference in [need.difference(_imported(need))] if difference]


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
