"""Coming into an engine: settings, the check of its surface, hooks, and the rule of all or nothing."""
import os
import sys
import types
import unittest

from base import Base
from plimsoll_engine import plugin
from plimsoll_engine.hooks import Hooks
from plimsoll_engine.settings import SettingsError, from_environment
from plimsoll_engine.surface import Need, Surface


class Balancer:
    """Stands for an engine's class."""

    def step(self, dummy, profile=False):
        return "stepped", dummy, profile

    @classmethod
    def made(cls, mapping):
        return cls, mapping

    @staticmethod
    def plain(x):
        return x


class Inherits(Balancer):
    pass


def engine(test, **contents):
    module = types.ModuleType("engine_of_the_test")
    for name, value in contents.items():
        setattr(module, name, value)
    sys.modules[module.__name__] = module
    test.addCleanup(sys.modules.pop, module.__name__)
    return module


class TheSettings(unittest.TestCase):
    def test_who_does_not_name_a_deployment_has_not_asked_for_us(self):
        self.assertIsNone(from_environment({"PLIMSOLL_MODE": "nonsense"}))

    def test_all_faults_are_named_at_once(self):
        with self.assertRaises(SettingsError) as caught:
            from_environment({"PLIMSOLL_DEPLOYMENT": "a b", "PLIMSOLL_MODE": "fly", "PLIMSOLL_BOUNDARY": "16",
                              "PLIMSOLL_WINDOW": "100", "PLIMSOLL_GATHER": "tcp"})
        for word in ("PLIMSOLL_DEPLOYMENT='a b'", "PLIMSOLL_MODE='fly'", "PLIMSOLL_WINDOW=100", "PLIMSOLL_ADDRESS=host:port"):
            self.assertIn(word, str(caught.exception))

    def test_observing_is_what_is_done_when_nothing_else_is_said(self):
        settings = from_environment({"PLIMSOLL_DEPLOYMENT": "prod/decode"})
        self.assertEqual((False, False, "/dev/shm/plimsoll/prod.decode"),
                         (settings.steer, settings.strict, settings.directory()))


class TheSurface(unittest.TestCase):
    NEEDS = [Need("engine_of_the_test", "Balancer.step", ("self", "dummy")),
             Need("engine_of_the_test", "Balancer.made", ("cls", "mapping")),
             Need("engine_of_the_test", "POLICIES"),
             Need("engine_of_the_test", "later", ("x",), optional=True)]

    def differences(self, **contents):
        engine(self, **contents)
        return Surface("test", self.NEEDS).differences()

    def test_a_known_engine_has_no_differences_and_more_parameters_that_can_be_left_out_are_none(self):
        self.assertEqual([], self.differences(Balancer=Balancer, POLICIES={}))

    def test_each_changed_name_and_parameter_is_told(self):
        class Balancer:
            def step(self, is_dummy):
                return is_dummy

            @classmethod
            def made(cls, mapping, must):
                return mapping, must

        self.assertEqual(["engine_of_the_test.Balancer.step(self, is_dummy) is known as (self, dummy)",
                          "engine_of_the_test.Balancer.made(cls, mapping, must) is known as (cls, mapping)",
                          "engine_of_the_test.POLICIES is not there"], self.differences(Balancer=Balancer))

    def test_what_may_be_missing_is_checked_where_it_is_there(self):
        self.assertEqual(["engine_of_the_test.later(y) is known as (x)"],
                         self.differences(Balancer=Balancer, POLICIES={}, later=lambda y: y))

    def test_an_engine_that_is_not_installed_differs_in_all_that_is_needed(self):
        self.assertEqual(3, len(Surface("test", self.NEEDS).differences()))


class TheHooks(unittest.TestCase):
    def setUp(self):
        self.hooks = Hooks()
        self.addCleanup(self.hooks.withdraw)
        self.seen = []

    def around(self, original, *arguments, **named):
        self.seen.append(arguments)
        return "ours", original(*arguments, **named)

    def test_methods_class_methods_and_static_methods_are_wrapped_and_put_back(self):
        before = dict(vars(Balancer))
        for name in ("step", "made", "plain"):
            self.hooks.around(Balancer, name, self.around)
        one = Balancer()
        self.assertEqual(("ours", ("stepped", 1, True)), one.step(1, profile=True))
        self.assertEqual(("ours", (Inherits, 2)), Inherits.made(2))
        self.assertEqual(("ours", 3), one.plain(3))
        self.assertEqual([(one, 1), (Inherits, 2), (3,)], self.seen)
        self.hooks.withdraw()
        self.hooks.withdraw()
        self.assertEqual(before, dict(vars(Balancer)))

    def test_an_inherited_method_is_wrapped_in_the_one_class_only(self):
        self.hooks.around(Inherits, "step", self.around)
        self.assertEqual("stepped", Balancer().step(1)[0])
        self.assertEqual("ours", Inherits().step(1)[0])
        self.hooks.withdraw()
        self.assertNotIn("step", vars(Inherits))

    def test_who_has_hooked_on_top_of_us_keeps_his_hook_when_we_go(self):
        self.hooks.around(Balancer, "plain", self.around)
        ours = Balancer.plain
        self.addCleanup(setattr, Balancer, "plain", staticmethod(lambda x: x))
        Balancer.plain = staticmethod(lambda x: ("on top", ours(x)))
        self.hooks.withdraw()
        self.assertEqual(("on top", 1), Balancer.plain(1))

    def test_entries_of_a_registry_are_put_back(self):
        registry = {"default": 1}
        self.hooks.put(registry, "default", 2)
        self.hooks.put(registry, "new", 3)
        self.assertEqual({"default": 2, "new": 3}, registry)
        self.hooks.withdraw()
        self.assertEqual({"default": 1}, registry)


class Activation(Base):
    def setUp(self):
        super().setUp()
        engine(self, Balancer=Balancer)
        self.surface = Surface("engine of the test", [Need("engine_of_the_test", "Balancer.step", ("self", "dummy"))])
        self.addCleanup(plugin._installed.clear)
        self.installed = []

    def environ(self, **named):
        return {"PLIMSOLL_DEPLOYMENT": "test", "PLIMSOLL_RINGS": self.directory,
                "PLIMSOLL_LIBRARY": os.environ["PLIMSOLL_LIBRARY"], **named}

    def activate(self, environ, surface=None):
        return plugin.activate(surface or self.surface, lambda settings, hooks: self.installed.append(hooks), environ)

    def refused(self, text, environ, surface=None):
        with self.assertLogs("plimsoll", "ERROR") as logs:
            self.assertIsNone(self.activate(environ, surface))
        self.assertEqual(1, len(logs.output), logs.output)
        self.assertRegex(logs.output[0], text)
        with self.assertRaisesRegex(plugin.PluginError, text):
            self.activate({**environ, "PLIMSOLL_STRICT": "1"}, surface)
        self.assertEqual([], self.installed)

    def test_it_is_installed_once_however_often_it_is_loaded(self):
        hooks = self.activate(self.environ())
        self.assertIs(hooks, self.activate(self.environ()))
        self.assertEqual([hooks], self.installed)

    def test_without_a_deployment_nothing_happens_and_nothing_is_said(self):
        with self.assertNoLogs("plimsoll") if hasattr(self, "assertNoLogs") else self.subTest():
            self.assertIsNone(self.activate({}))

    def test_without_a_library_a_directory_or_with_a_bad_setting_nothing_is_hooked(self):
        self.refused("no libplimsoll.so at /nowhere", self.environ(PLIMSOLL_LIBRARY="/nowhere"))
        self.refused("PLIMSOLL_RINGS=/nowhere is no directory", self.environ(PLIMSOLL_RINGS="/nowhere"))
        self.refused("PLIMSOLL_MODE='fly'", self.environ(PLIMSOLL_MODE="fly"))

    def test_an_engine_that_has_changed_is_left_alone_and_the_change_is_named(self):
        self.refused(r"another than is known: .*Balancer.step\(self, dummy, profile\) is known as \(self, is_dummy\)",
                     self.environ(), Surface("engine of the test", [
                         Need("engine_of_the_test", "Balancer.step", ("self", "is_dummy"))]))

    def test_hooks_that_cannot_all_be_put_in_are_all_taken_out(self):
        def install(_, hooks):
            hooks.around(Balancer, "step", lambda original, *arguments: "ours")
            raise KeyError("half way")

        with self.assertLogs("plimsoll", "ERROR"):
            self.assertIsNone(plugin.activate(self.surface, install, self.environ()))
        self.assertEqual("stepped", Balancer().step(1)[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
