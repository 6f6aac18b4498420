"""Names and parameters as they stand in an engine's source, read with `ast`: nothing of it is imported or run.

What is found is told as text: `(self, is_dummy=..., *, log_stats=...)` of a function, "class" or "value" of what has no parameters.
A class has the parameters of its __init__, where there is one. Such texts are what is recorded of releases (python/signatures).
"""
import ast
import os

MOST_STEPS = 16  # from a name through imports and base classes to where it is defined; a circle ends there too


class SourceError(Exception):
    """A file that is there and cannot be read as Python of this version."""


class Tree:
    """The packages in some directories. Files are read when a name in them is asked for, once."""

    def __init__(self, *directories):
        self.directories = directories
        self._modules = {}

    def module(self, name):
        """What stands in a module; None: there is no such file."""
        if name not in self._modules:
            files = [file for base in self._places(name) for file in (os.path.join(base, "__init__.py"), base + ".py")
                     if os.path.isfile(file)]
            self._modules[name] = _parse(files[0]) if files else None
        return self._modules[name]

    def find(self, module, name):
        """The text of `name`, such as EplbState.step, in `module`; None: it is not there."""
        found = self._follow(module, name.split("."), MOST_STEPS)
        if found is None:
            return None
        home, node = found
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return "value" if "property" in map(_word, node.decorator_list) else _text(node.args)
        if not isinstance(node, ast.ClassDef):
            return "value"
        made = self._member(home, node, ["__init__"], MOST_STEPS)
        return _text(made[1].args, bound=True) if made and isinstance(made[1], ast.FunctionDef) else "class"

    def _places(self, module):
        return [os.path.join(directory, *module.split(".")) for directory in self.directories]

    def _follow(self, module, path, steps):
        """(module, node) of a path of names; imports and base classes are followed as far as they are in this tree."""
        body = self.module(module)
        if body is None or steps == 0:
            return None
        node = _named(body, path[0])
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return self._imported(module, node, path, steps)
        if node is None:
            return self._elsewhere(module, body, path, steps)
        if not path[1:]:
            return module, node
        return self._member(module, node, path[1:], steps) if isinstance(node, ast.ClassDef) else None

    def _elsewhere(self, module, body, path, steps):
        """What a module has without naming it: all of another one (import *), or a module below it."""
        for node in reversed(body):
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and not path[0].startswith("_"):
                found = self._follow(self._home(module, node), path, steps - 1)
                if found is not None:
                    return found
        below = "%s.%s" % (module, path[0])
        return self._follow(below, path[1:], steps - 1) if path[1:] and self.module(below) is not None else None

    def _member(self, module, owner, path, steps):
        node = _named(owner.body, path[0])
        if node is not None:
            if not path[1:]:
                return module, node
            return self._member(module, node, path[1:], steps) if isinstance(node, ast.ClassDef) else None
        for base in owner.bases:
            try:
                name = ast.unparse(base).split(".")
            except ValueError:
                continue
            found = self._follow(module, name, steps - 1)
            if found is not None and isinstance(found[1], ast.ClassDef) and steps > 0:
                inherited = self._member(found[0], found[1], path, steps - 1)
                if inherited is not None:
                    return inherited
        return None

    def _imported(self, module, node, path, steps):
        alias = next(one for one in node.names if (one.asname or one.name.split(".")[0]) == path[0])
        if isinstance(node, ast.Import):
            home = alias.name if alias.asname else path[0]
            return self._follow(home, path[1:], steps - 1) if path[1:] else None
        home = self._home(module, node)
        found = self._follow(home, [alias.name] + path[1:], steps - 1)
        if found is None and path[1:]:
            found = self._follow("%s.%s" % (home, alias.name), path[1:], steps - 1)
        return found

    def _home(self, module, node):
        """The module that an import names, relative ones too."""
        if node.level == 0:
            return node.module
        parts = module.split(".")
        is_package = any(map(os.path.isdir, self._places(module)))
        parts = parts[:len(parts) - node.level + (1 if is_package else 0)]
        return ".".join(parts + ([node.module] if node.module else []))


def parameters(signature):
    """(name, whether a call may leave it out) of each parameter in a text, in the order that they are declared in."""
    if not signature.startswith("("):
        return ()
    arguments = ast.parse("def f%s: ..." % signature).body[0].args
    plain = arguments.posonlyargs + arguments.args
    required = len(plain) - len(arguments.defaults)
    found = [(argument.arg, at >= required) for at, argument in enumerate(plain)]
    found += [(arguments.vararg.arg, True)] if arguments.vararg else []
    found += [(argument.arg, default is not None)
              for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults)]
    return tuple(found + ([(arguments.kwarg.arg, True)] if arguments.kwarg else []))


def _text(arguments, bound=False):
    """Names, what may be left out, and how they may be given; no type, no default's value. bound: without the first."""
    def plain(some):
        return [ast.arg(arg=one.arg) for one in some]

    positional = plain(arguments.posonlyargs + arguments.args)
    only = len(arguments.posonlyargs)
    only, positional = (max(only - 1, 0), positional[1:]) if bound else (only, positional)
    left_out = ast.Constant(value=...)
    return "(%s)" % ast.unparse(ast.arguments(
        posonlyargs=positional[:only], args=positional[only:], kwonlyargs=plain(arguments.kwonlyargs),
        vararg=arguments.vararg and ast.arg(arg=arguments.vararg.arg),
        kwarg=arguments.kwarg and ast.arg(arg=arguments.kwarg.arg),
        defaults=[left_out] * min(len(arguments.defaults), len(positional)),
        kw_defaults=[default and left_out for default in arguments.kw_defaults]))


def _parse(file):
    with open(file, "rb") as source:
        try:
            return ast.parse(source.read(), file).body
        except (SyntaxError, ValueError) as error:
            raise SourceError("%s cannot be read as Python of this version: %s" % (file, error)) from error


def _named(body, name):
    """What binds a name last in a body, and in the branches of its `if`, `try` and `with`: each may be the one that runs."""
    found = None
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            binds = node.name == name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            binds = any((one.asname or one.name.split(".")[0]) == name for one in node.names)
        elif isinstance(node, ast.Assign):
            binds = any(_word(target) == name for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign):
            # Without a value it is a note on a type: no attribute of the class is there, and no import-time check finds one.
            binds = node.value is not None and isinstance(node.target, ast.Name) and node.target.id == name
        else:
            inner = None
            for branch in ("body", "handlers", "orelse", "finalbody"):
                for one in getattr(node, branch, []) if isinstance(node, (ast.If, ast.Try, ast.With)) else []:
                    inner = _named(one.body if isinstance(one, ast.ExceptHandler) else [one], name) or inner
            found, binds = inner or found, False
        if binds:
            found = node
    return found


def _word(node):
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
