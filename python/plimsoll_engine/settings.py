"""What a plug-in is told: environment variables and nothing else, as engines start processes that have no other ear."""
import os
import re
from typing import NamedTuple, Optional

PHASES = ("prefill", "decode", "all")
GATHERS = ("auto", "none", "node", "tcp", "nodes")


class SettingsError(ValueError):
    """Environment variables that cannot be used: all of them, with what to do."""


class Settings(NamedTuple):
    """See the table in README.md. rings is the directory that a node's collector is given; steer is False while only observing."""

    deployment: str
    rings: str = "/dev/shm/plimsoll"
    steer: bool = False
    strict: bool = False
    boundary_steps: int = 16
    window_steps: int = 1024
    phase: str = "all"
    gather: str = "auto"
    address: Optional[str] = None
    secret_file: Optional[str] = None
    flip_timeout_ms: int = 5_000
    library: Optional[str] = None

    def directory(self, suffix=""):
        """Where the files of a deployment are: one below what the collector is given, so that it serves several."""
        return os.path.join(self.rings, (self.deployment + suffix).replace("/", "."))


def is_strict(environ):
    return environ.get("PLIMSOLL_STRICT", "0") == "1"


def from_environment(environ=os.environ):
    """The settings, or None where PLIMSOLL_DEPLOYMENT is not set: then nobody asked for us. SettingsError names all faults."""
    deployment = environ.get("PLIMSOLL_DEPLOYMENT", "")
    if not deployment:
        return None
    faults = []

    def chosen(name, usual, known):
        value = environ.get(name, usual)
        if value not in known:
            faults.append("%s=%r is not one of %s" % (name, value, ", ".join(known)))
        return value

    def number(name, usual):
        text = environ.get(name, str(usual))
        if not text.isdecimal() or int(text) < 1:
            faults.append("%s=%r is not a number of at least 1" % (name, text))
            return usual
        return int(text)

    settings = Settings(
        deployment=deployment,
        rings=environ.get("PLIMSOLL_RINGS", Settings._field_defaults["rings"]),
        steer=chosen("PLIMSOLL_MODE", "observe", ("observe", "steer")) == "steer",
        strict=chosen("PLIMSOLL_STRICT", "0", ("0", "1")) == "1",
        boundary_steps=number("PLIMSOLL_BOUNDARY", 16),
        window_steps=number("PLIMSOLL_WINDOW", 1024),
        phase=chosen("PLIMSOLL_PHASE", "all", PHASES),
        gather=chosen("PLIMSOLL_GATHER", "auto", GATHERS),
        address=environ.get("PLIMSOLL_ADDRESS"),
        secret_file=environ.get("PLIMSOLL_SECRET_FILE"),
        flip_timeout_ms=number("PLIMSOLL_FLIP_TIMEOUT_MS", 5_000),
        library=environ.get("PLIMSOLL_LIBRARY"))
    if settings.window_steps % settings.boundary_steps != 0:
        faults.append("PLIMSOLL_WINDOW=%d is not a multiple of PLIMSOLL_BOUNDARY=%d"
                      % (settings.window_steps, settings.boundary_steps))
    if settings.steer and settings.gather == "none":
        faults.append("PLIMSOLL_GATHER=none leaves PLIMSOLL_MODE=steer without votes: leave it out, or observe")
    if settings.gather in ("tcp", "nodes") and not (settings.address and settings.secret_file):
        faults.append("PLIMSOLL_GATHER=%s needs PLIMSOLL_ADDRESS=host:port, where rank 0 listens, and PLIMSOLL_SECRET_FILE"
                      % settings.gather)
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._/-]{0,199}", deployment):
        faults.append("PLIMSOLL_DEPLOYMENT=%r is not 1 to 200 letters, digits, '.', '_', '/', '-', starting with a letter or digit"
                      % deployment)
    if faults:
        raise SettingsError("; ".join(faults))
    return settings
