"""How a plug-in comes into an engine: all of it, or nothing."""
import logging
import os

from plimsoll_engine import abi
from plimsoll_engine.hooks import Hooks
from plimsoll_engine.settings import from_environment, is_strict

logger = logging.getLogger("plimsoll")
_installed = {}  # hooks by engine: loaders call register() more than once in a process


class PluginError(RuntimeError):
    """A plug-in that was asked for and cannot be; raised with PLIMSOLL_STRICT=1 only."""


def activate(surface, install, environ=os.environ):
    """Checks all that can be checked, then has install(settings, hooks) put the hooks in; gives the hooks, None where there are none.

    Not asked for (no PLIMSOLL_DEPLOYMENT): nothing, in silence. A fault: one line in the log and no hook at all, so that the engine
    runs as without us; PLIMSOLL_STRICT=1 raises PluginError, which ends the engine.
    """
    if surface.engine in _installed:
        return _installed[surface.engine]
    hooks = Hooks()
    try:
        settings = from_environment(environ)
        if settings is None:
            return None
        _require_plimsoll(settings)
        differences = surface.differences()
        if differences:
            raise PluginError("this %s is another than is known: %s. Take a release that docs/engines.md lists"
                              % (surface.engine, "; ".join(differences)))
        install(settings, hooks)
    except Exception as error:
        hooks.withdraw()
        text = "no expert load is captured, and %s runs as without Plimsoll: %s" % (surface.engine, error)
        if is_strict(environ):
            raise PluginError(text) from error
        logger.error("%s", text)
        return None
    _installed[surface.engine] = hooks
    logger.info("%s %s: %s", "steers" if settings.steer else "observes", surface.engine, settings.directory())
    return hooks


def _require_plimsoll(settings):
    abi.Library(settings.library)
    if not os.path.isdir(settings.rings):
        raise PluginError("PLIMSOLL_RINGS=%s is no directory: make it, on a tmpfs that the collector of this node sees too"
                          % settings.rings)
    if not os.access(settings.rings, os.W_OK | os.X_OK):
        raise PluginError("PLIMSOLL_RINGS=%s cannot be written to by this user" % settings.rings)
