"""Plimsoll for engines in Python: load counters out, decisions about experts in. Worker is where to start."""
from plimsoll_engine.abi import PlimsollError
from plimsoll_engine.worker import Boundary, FlipFailed, LeaveGroup, Outcome, Phase, Worker

__version__ = "0.1.0.dev0"
__all__ = ["Boundary", "FlipFailed", "LeaveGroup", "Outcome", "Phase", "PlimsollError", "Worker"]
