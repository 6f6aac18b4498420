"""The wheel that the build makes: what is in it, and that it works where nothing else of us is."""
import configparser
import glob
import hashlib
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.path.join(HERE, "..")


class TheWheel(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="plimsoll-wheel-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.run_python(os.path.join(PYTHON, "build_wheel.py"), self.directory)
        self.wheel, = glob.glob(os.path.join(self.directory, "plimsoll_engine-*.whl"))

    def run_python(self, *arguments, **named):
        ended = subprocess.run([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                               **named)
        self.assertEqual(0, ended.returncode, ended.stdout.decode())
        return ended.stdout.decode()

    def test_it_is_installed_into_an_empty_directory_without_network_and_passes_its_check(self):
        if subprocess.run([sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("NOTICE: %s has no pip, so the wheel is not installed" % sys.executable)
        there = os.path.join(self.directory, "installed")
        self.run_python("-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-index", "--no-compile", "--target", there,
                        self.wheel)
        environment = {name: value for name, value in os.environ.items() if name != "PLIMSOLL_LIBRARY"}
        told = self.run_python("-m", "plimsoll_engine.check", cwd=self.directory, env={**environment, "PYTHONPATH": there})
        self.assertRegex(told, "OK: 3 snapshots with exact counters through %s/plimsoll_engine/libplimsoll.so" % there)

    def test_engines_find_their_plugins_in_it(self):
        with zipfile.ZipFile(self.wheel) as wheel:
            name, = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
            found = configparser.ConfigParser()
            found.read_string(wheel.read(name).decode())
        self.assertEqual({"vllm.general_plugins": {"plimsoll": "plimsoll_engine.vllm:register",
                                                   "plimsoll_ascend": "plimsoll_engine.ascend:register"},
                          "sglang.srt.plugins": {"plimsoll": "plimsoll_engine.sglang:register"}},
                         {group: dict(found[group]) for group in found.sections()})

    def test_it_lists_what_it_holds_and_is_the_same_when_it_is_made_again(self):
        with zipfile.ZipFile(self.wheel) as wheel:
            record, = (name for name in wheel.namelist() if name.endswith("/RECORD"))
            listed = [line.split(",")[0] for line in wheel.read(record).decode().splitlines()]
            self.assertEqual(sorted(wheel.namelist()), sorted(listed))
            for module in glob.glob(os.path.join(PYTHON, "plimsoll_engine", "*.py")):
                self.assertIn("plimsoll_engine/" + os.path.basename(module), listed)
        with open(self.wheel, "rb") as first:
            made = hashlib.sha256(first.read()).hexdigest()
        self.run_python(os.path.join(PYTHON, "build_wheel.py"), self.directory)
        with open(self.wheel, "rb") as second:
            self.assertEqual(made, hashlib.sha256(second.read()).hexdigest())


if __name__ == "__main__":
    unittest.main(verbosity=2)
