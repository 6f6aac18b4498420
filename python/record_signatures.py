"""Records what released engines declare under the names that the plug-ins rely on, in signatures/*.json.

    python3 record_signatures.py [--trees DIRECTORY] [vllm] [sglang] [vllm-ascend]

Reads the sources of every release from LOWEST on, from PyPI, with `ast`: nothing of an engine is installed, imported or run, and
nothing but names is kept. Pre-releases count where a package has little else (vllm-ascend). DIRECTORY/PACKAGE-VERSION is a tree
that is there already, or where one is put; without --trees they are temporary. Engines' sources need a new Python.
Afterwards write the table of docs/engines.md: support_table.py.
"""
import argparse
import importlib
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
import zipfile

from plimsoll_engine.sources import Tree

HERE = os.path.dirname(os.path.abspath(__file__))
SIGNATURES = os.path.join(HERE, "signatures")
PACKAGES = {"vllm": "vllm", "sglang": "sglang", "vllm-ascend": "vllm_ascend"}  # on PyPI: the module at the top
PLUG_INS = ("vllm", "sglang", "ascend", "ascend_v2")
PRE_RELEASES = ("vllm-ascend",)
LOWEST = {"vllm": "0.16.0", "sglang": "0.5.10", "vllm-ascend": "0.16.0rc1"}  # what was current in March 2026
# What has to be there for a plug-in to be loaded at all.
LOADERS = {"vllm": ("vllm.plugins", "load_general_plugins"), "sglang": ("sglang.srt.plugins", "load_plugins")}
INDEX = "https://pypi.org/pypi/%s/json"
FILES = "https://pypi.org/simple/x/"  # what addresses of files that are relative are relative to


def surface(plug_in):
    """What one plug-in needs of its engine."""
    return importlib.import_module("plimsoll_engine." + plug_in).SURFACE


def needed(package):
    """(module, name) of all that plug-ins need of one package, of whichever engine the plug-in is."""
    top = PACKAGES[package]
    return sorted({(need.module, need.name) for plug_in in PLUG_INS for need in surface(plug_in).all_needs()
                   if need.module.split(".")[0] == top} | {LOADERS[one] for one in LOADERS if one == package})


def releases(package):
    """(version, day, files) of the releases of PyPI from LOWEST on, in the order of versions."""
    with urllib.request.urlopen(INDEX % package) as answer:
        listed = json.load(answer)["releases"]
    wanted = r"\d+(\.\d+)*(rc\d+)?(\.post\d+)?" if package in PRE_RELEASES else r"\d+(\.\d+)*(\.post\d+)?"
    found = [(version, min(file["upload_time"] for file in files)[:10], files)
             for version, files in listed.items() if files and re.fullmatch(wanted, version)]
    return sorted((one for one in found if order(one[0]) >= order(LOWEST[package])), key=lambda one: order(one[0]))


def order(version):
    """A version as a key to sort by: 0.5.10.post1 comes after 0.5.10, 0.16.0rc1 before 0.16.0."""
    numbers, candidate, post = re.fullmatch(r"([\d.]*\d)(?:rc(\d+))?(?:\.post(\d+))?", version).groups()
    return [int(part) for part in numbers.split(".")], int(candidate or 1 << 30), int(post or 0)


def fetch(files, package, tree):
    """Puts the .py files of a release's smallest file into a directory: an sdist has them, and so has every wheel."""
    file = min(files, key=lambda one: (one["packagetype"] != "sdist", one["size"]))
    part = tree + ".part"
    shutil.rmtree(part, ignore_errors=True)
    with tempfile.NamedTemporaryFile() as archive:
        with urllib.request.urlopen(urllib.parse.urljoin(FILES, file["url"])) as answer:
            shutil.copyfileobj(answer, archive)
        archive.flush()
        for name, content in _sources(archive.name, file["filename"], PACKAGES[package]):
            target = os.path.join(part, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as source:
                source.write(content)
    os.rename(part, tree)


def _sources(archive, name, top):
    """(path below the tree, content) of the Python files of the package; of an sdist its directory's name is left out."""
    inside = re.compile(r"(?:[^/]+/)?(?:python/)?(%s/(?:\w+/)*\w+\.py)" % top)
    if name.endswith(".tar.gz"):
        with tarfile.open(archive) as files:
            for member in files:
                found = inside.fullmatch(member.name)
                if found and member.isfile():
                    yield found.group(1), files.extractfile(member).read()
    else:
        with zipfile.ZipFile(archive) as files:
            for member in files.namelist():
                found = inside.fullmatch(member)
                if found:
                    yield found.group(1), files.read(member)


def directory(package, version, files, trees):
    """The directory that holds the package of a release: fetched if it is not there yet."""
    path = os.path.join(trees, "%s-%s" % (package, version))
    if not os.path.isdir(path):
        print("fetching %s %s" % (package, version), file=sys.stderr)
        fetch(files, package, path)
    below = os.path.join(path, "python")
    return below if os.path.isdir(os.path.join(below, PACKAGES[package])) else path


def record(package, trees):
    """What is written of a package: days of releases, and for each name the texts that it was declared with, and where."""
    names = {"%s:%s" % need: {} for need in needed(package)}
    days = {}
    # Its classes are below classes of the vLLM that it is made for, and have their methods from there.
    vllm = {tuple(order(version)[0]): (version, files)
            for version, _, files in (releases("vllm") if package == "vllm-ascend" else ())}
    for version, day, files in releases(package):
        days[version] = day
        directories = [directory(package, version, files, trees)]
        if tuple(order(version)[0]) in vllm:
            directories.append(directory("vllm", *vllm[tuple(order(version)[0])], trees))
        tree = Tree(*directories)
        for need, texts in names.items():
            text = tree.find(*need.split(":"))
            if text is not None:
                texts.setdefault(text, []).append(version)
    return {"package": package, "releases": days, "names": names}


def write(recorded, file):
    """One line for each name and text, so that a difference between two recordings can be read."""
    def line(value):
        return json.dumps(value, ensure_ascii=False)

    names = []
    for name, texts in sorted(recorded["names"].items()):
        inner = ",\n".join("      %s: %s" % (line(text), line(versions)) for text, versions in texts.items())
        names.append("    %s: {%s}" % (line(name), "\n" + inner + "\n    " if inner else ""))
    file.write('{\n  "package": %s,\n  "releases": %s,\n  "names": {\n%s\n  }\n}\n'
               % (line(recorded["package"]), line(recorded["releases"]), ",\n".join(names)))


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", choices=[[]] + list(PACKAGES))
    parser.add_argument("--trees", metavar="DIRECTORY")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        for package in options.packages or PACKAGES:
            recorded = record(package, options.trees or temporary)
            os.makedirs(SIGNATURES, exist_ok=True)
            with open(os.path.join(SIGNATURES, package + ".json"), "w", encoding="utf-8") as file:
                write(recorded, file)
            print("%s: %d releases, %d names" % (package, len(recorded["releases"]), len(recorded["names"])))


if __name__ == "__main__":
    main(sys.argv[1:])
