"""What the tests of the package have in common; PLIMSOLL_LIBRARY names libplimsoll.so."""
import math
import os
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from plimsoll_engine import abi  # noqa: E402
from plimsoll_engine import worker as plm  # noqa: E402
import reading  # noqa: E402

PATIENCE = 20_000


def found(name):
    try:
        return __import__(name)
    except ImportError:
        print("NOTICE: no %s for %s: its tests are skipped" % (name, sys.executable))
        return None


torch, numpy = found("torch"), found("numpy")
print("the package is tested with plain memory" + "".join(
    ", %s %s" % (module.__name__, module.__version__) for module in (torch, numpy) if module))


def zeros(module, shape, element=8):
    if module is None:
        shape = shape if isinstance(shape, tuple) else (shape,)
        return memoryview(bytearray(element * math.prod(shape))).cast("q" if element == 8 else "i", shape)
    return module.zeros(shape, dtype=module.int64 if element == 8 else module.int32)


def entry_points_directory(directory):
    """A directory for PYTHONPATH in which engines find our plug-ins, as if the wheel had been installed."""
    sys.path.insert(0, os.path.join(HERE, ".."))
    import build_wheel
    info = os.path.join(directory, "plimsoll_engine-0.0.0.dist-info")
    os.makedirs(info)
    for name, text in (("METADATA", "Metadata-Version: 2.1\nName: plimsoll-engine\nVersion: 0.0.0\n"),
                       ("entry_points.txt", build_wheel.entry_points())):
        with open(os.path.join(info, name), "w", encoding="utf-8") as file:
            file.write(text)
    return directory


class Base(unittest.TestCase):
    workers = 0

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="plimsoll-test-")
        self.addCleanup(shutil.rmtree, self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def worker(self, **options):
        self.workers += 1
        settings = dict(deployment="test/package", incarnation=1, rank=0, ranks=1, layers=2, slots_per_rank=3,
                        ring=self.path("ring-of-worker-%d" % self.workers), boundary_steps=1, on_error="raise")
        settings.update(options)
        worker = plm.Worker(**settings)
        self.addCleanup(worker.close)
        return worker

    def captured(self, worker):
        """Runs to the next step that is a boundary and gives what was captured there."""
        if not worker._ring:
            worker.start()
        while worker.step_end() is None:
            pass
        reading.wait(worker, worker._step)
        return reading.snapshot(worker)

    def refused(self, text, call, *arguments, status=abi.PLM_E_ARG, **named):
        with self.assertRaisesRegex(plm.PlimsollError, text) as caught:
            call(*arguments, **named)
        self.assertEqual(status, caught.exception.status, caught.exception)
        return caught.exception
