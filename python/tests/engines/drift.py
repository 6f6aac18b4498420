"""How often the load of an engine under test has drifted: the length of a file that whoever runs the test writes."""
import os


def drifts(path):
    try:
        return os.path.getsize(path) if path else 0
    except FileNotFoundError:
        return 0
