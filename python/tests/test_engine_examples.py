"""What deploy/engines tells a plug-in and its engine: settings that are accepted, releases that are known."""
import glob
import os
import re
import unittest

import base  # noqa: F401  where the package is
import support_table as table
from plimsoll_engine.settings import from_environment

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "engines")
# As Compose has it, NAME: value, or Kubernetes, {name: NAME, value: value}.
SETTING = re.compile(r"\b(PLIMSOLL_[A-Z_]+)(?:: |, value: )([^\s}]+)")
# Images of engines by plug-in and package, and the variable that asks for another plug-in.
IMAGES = {"vllm/vllm-openai": ("vllm", "vllm"), "lmsysorg/sglang": ("sglang", "sglang"),
          "quay.io/ascend/vllm-ascend": ("ascend", "vllm-ascend")}


class Asked(dict):
    """An environment that remembers what it was asked for."""

    def __init__(self, *given):
        super().__init__(*given)
        self.names = set()

    def get(self, name, usual=None):
        self.names.add(name)
        return super().get(name, usual)


class TheExamples(unittest.TestCase):
    def files(self, folder):
        found = {name: open_text(name) for name in sorted(glob.glob(os.path.join(EXAMPLES, folder, "*.yaml")))}
        return {name: text for name, text in found.items() if "PLIMSOLL_DEPLOYMENT" in text}

    def test_settings_are_accepted_and_each_of_them_is_looked_at(self):
        for folder in ("compose", "kubernetes"):
            files = self.files(folder)
            self.assertEqual(["sglang.yaml", "vllm-ascend.yaml", "vllm.yaml"], [os.path.basename(name) for name in files])
            for name, text in files.items():
                given = {variable: usual(value) for variable, value in SETTING.findall(text)}
                environment = Asked(given)
                with self.subTest(file=name):
                    settings = from_environment(environment)
                    self.assertEqual("/run/plimsoll", settings.rings)
                    self.assertFalse(settings.steer)
                    self.assertEqual(set(), set(given) - environment.names)

    def test_engines_are_of_releases_that_are_known(self):
        recorded = {package: table.Recorded(package) for package in table.PACKAGES}
        loaders = {plug_in: loader for _, plug_in, _, loader in table.LISTED}
        seen = set()
        for folder in ("compose", "kubernetes"):
            for name, text in self.files(folder).items():
                (image, version), = set(re.findall(r"(%s):v([\w.]+)" % "|".join(map(re.escape, IMAGES)), text))
                plug_in, package = IMAGES[image]
                with self.subTest(file=name, version=version):
                    answer = table.answer(table.surface(plug_in), loaders[plug_in],
                                          table.finder(version, package, recorded))
                    self.assertTrue(answer.startswith("observed, steered"), answer)
                    self.assertIn(version, recorded[package].days)
                    seen.add(image)
        self.assertEqual(set(IMAGES), seen)


def open_text(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def usual(value):
    """What Compose takes where nobody says otherwise: ${NAME:-usual}; Kubernetes puts a pod's name in."""
    value = re.sub(r"^\$\{\w+:-(.*)\}?$", r"\1", value).strip('"')
    return value.replace("$(POD)", "engine-0")


if __name__ == "__main__":
    unittest.main(verbosity=2)
