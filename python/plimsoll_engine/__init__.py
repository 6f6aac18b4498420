"""Plimsoll for engines in Python: load counters out, decisions in. See README.md; Worker is where to start."""
from plimsoll_engine.abi import PlimsollError
from plimsoll_engine.worker import Outcome, Worker

__version__ = "0.1.0.dev0"
__all__ = ["Outcome", "PlimsollError", "Worker"]
