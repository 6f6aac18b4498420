"""Writes which releases of engines are known into docs/engines.md, from signatures/*.json, by the check that runs in an engine.

    python3 support_table.py [--check]

--check only says whether the page is behind.
"""
import itertools
import json
import os
import re
import sys

from record_signatures import HERE, LOADERS, PACKAGES, SIGNATURES, order, surface

PAGE = os.path.join(HERE, "..", "docs", "engines.md")
PART = re.compile(r"(?s)(<!-- generated: releases[^>]*-->\n).*?(<!-- end -->)")
# Title, plug-in, package whose releases are listed, and whose loader asks the plug-in in.
LISTED = (("vLLM", "vllm", "vllm", "vllm"), ("SGLang", "sglang", "sglang", "sglang"),
          ("vllm-ascend, model runner v1", "ascend", "vllm-ascend", "vllm"),
          ("vllm-ascend, model runner v2", "ascend_v2", "vllm-ascend", "vllm"))


class Recorded:
    """What is recorded of one package."""

    def __init__(self, package):
        with open(os.path.join(SIGNATURES, package + ".json"), encoding="utf-8") as file:
            told = json.load(file)
        self.days, self.names = told["releases"], told["names"]

    def find(self, version, module, name):
        """The text of a name in a release, None where that does not have it."""
        texts = self.names.get("%s:%s" % (module, name))
        if texts is None:
            raise LookupError("no one has looked for %s.%s in releases yet: python3 python/record_signatures.py" % (module, name))
        return next((text for text, versions in texts.items() if version in versions), None)


def finder(version, package, recorded):
    """find(module, name) for a release of a package: vllm-ascend has vLLM's names from the vLLM of the same numbers."""
    numbers = order(version)[0]
    of = {PACKAGES[package]: (recorded[package], version)}
    if package == "vllm-ascend":
        same = [one for one in recorded["vllm"].days if order(one)[0] == numbers]
        if not same:
            raise LookupError("%s %s is made for a vLLM that is not recorded: python3 python/record_signatures.py" % (package, version))
        of["vllm"] = (recorded["vllm"], same[-1])

    def find(module, name):
        release, at = of[module.split(".")[0]]
        return release.find(at, module, name)

    return find


def answer(known, loader, find):
    """In words, of a release: what comes of the plug-in there."""
    if find(*LOADERS[loader]) is None:
        return "never loaded: it loads no plug-ins"
    differences = known.differences_by(find)
    if differences:
        return "refused: " + differences[0]
    missing = sorted({need.name for need in known.all_needs() if need.optional and find(need.module, need.name) is None})
    return "observed, steered" + ("; without " + ", ".join("`%s`" % name for name in missing) if missing else "")


def rows():
    """(title, versions, answer) of releases in a row that have the same, newest first."""
    recorded = {package: Recorded(package) for package in PACKAGES}
    for title, plug_in, package, loader in LISTED:
        known = surface(plug_in)
        answers = [(version, answer(known, loader, finder(version, package, recorded)))
                   for version in reversed(list(recorded[package].days))]
        for words, group in itertools.groupby(answers, key=lambda one: one[1]):
            versions = [version for version, _ in group]
            yield title, versions, [recorded[package].days[version] for version in versions], words


def table():
    lines = ["| engine | releases | published | with this plug-in |", "|---|---|---|---|"]
    for title, versions, days, words in rows():
        lines.append("| %s | %s | %s | %s |" % (title, _span(versions[::-1]), _span([min(days), max(days)]), _code(words)))
    return "\n".join(lines) + "\n"


def _span(values):
    return values[0] if values[0] == values[-1] else "%s to %s" % (values[0], values[-1])


def _code(words):
    """A difference begins with the name that differs: `module.Class.function(parameters)`."""
    return re.sub(r"^(refused: )([\w.]+(?:\([^)]*\))?)", r"\1`\2`", words)


def page():
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    if not PART.search(text):
        raise SystemExit("%s has no part that is generated here" % PAGE)
    return text, PART.sub(lambda found: found.group(1) + table() + found.group(2), text)


if __name__ == "__main__":
    behind, now = page()
    if "--check" in sys.argv[1:]:
        sys.exit(None if behind == now else "docs/engines.md is behind: python3 python/support_table.py")
    with open(PAGE, "w", encoding="utf-8") as page_file:
        page_file.write(now)
