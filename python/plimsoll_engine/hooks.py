"""Functions of an engine that ours stand around, and that are put back at any time."""
import functools
import inspect

_MISSING = object()


class Hooks:
    """What has been put around an engine's functions. Withdrawn, all are as they were; also where others hook on top of ours."""

    def __init__(self):
        self._undo = []
        self._active = True

    def around(self, owner, name, wrapper):
        """Has owner.name call wrapper(original, *arguments, **named). owner: a class or a module; class methods get the class first."""
        raw = inspect.getattr_static(owner, name)
        kind = type(raw) if isinstance(raw, (classmethod, staticmethod)) else None
        original = raw.__func__ if kind else raw

        @functools.wraps(original)
        def call(*arguments, **named):
            return wrapper(original, *arguments, **named) if self._active else original(*arguments, **named)

        hook = kind(call) if kind else call
        own = vars(owner).get(name, _MISSING)
        setattr(owner, name, hook)

        def undo():
            if vars(owner).get(name) is not hook:
                return  # somebody is on top of us: what he calls is `call`, which does nothing of ours any more
            if own is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, own)

        self._undo.append(undo)

    def put(self, mapping, key, value):
        """Has mapping[key] be value."""
        own = mapping.get(key, _MISSING)
        mapping[key] = value

        def undo():
            if mapping.get(key) is value:
                if own is _MISSING:
                    del mapping[key]
                else:
                    mapping[key] = own

        self._undo.append(undo)

    def withdraw(self):
        """Puts everything back, last first. May be called again."""
        self._active = False
        while self._undo:
            self._undo.pop()()
