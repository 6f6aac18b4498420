"""Builds the wheel of plimsoll_engine with libplimsoll.so in it, with the standard library alone: no network, no setuptools.

    python3 build_wheel.py DIRECTORY

pip comes here by itself (`pip install ./python`), as pyproject.toml names this file. The library is PLIMSOLL_LIBRARY, or
is built by native/src/main/native/build.sh, which needs a C++17 compiler and does nothing when it is up to date.
"""
import base64
import hashlib
import os
import platform
import re
import subprocess
import sys
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
NATIVE = os.path.join(HERE, "..", "native")


def tables():
    """The texts in pyproject.toml by table and key: tomllib is not there before Python 3.11."""
    with open(os.path.join(HERE, "pyproject.toml"), encoding="utf-8") as file:
        parts = re.split(r"^\[(.+)\]$", file.read(), flags=re.M)[1:]
    return {name: dict(re.findall(r'^([\w-]+) = "(.*)"$', table, re.M)) for name, table in zip(parts[::2], parts[1::2])}


def project():
    return tables()["project"]


def entry_points():
    """By which engines find their plug-ins, as the file of that name has them."""
    groups = [(re.match(r'project\.entry-points\."(.+)"', name), table) for name, table in tables().items()]
    return "\n".join("[%s]\n%s" % (group.group(1), "".join("%s = %s\n" % entry for entry in table.items()))
                     for group, table in groups if group)


def library():
    given = os.environ.get("PLIMSOLL_LIBRARY")
    if given:
        return given
    classes = os.path.join(NATIVE, "target", "classes", "dev", "plimsoll", "device")
    subprocess.run([os.path.join(NATIVE, "src", "main", "native", "build.sh"), classes,
                    os.path.join(NATIVE, "target", "native-objects")], check=True, stdout=sys.stderr)
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return os.path.join(classes, "linux-" + machine, "libplimsoll.so")


def metadata(about):
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as readme:
        return ("Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: %s\nLicense: Apache-2.0\nRequires-Python: %s\n"
                "Description-Content-Type: text/markdown\n\n%s"
                % (about["name"], about["version"], about["description"], about["requires-python"], readme.read()))


def files(about, tag):
    """What stands in the wheel, by name, all but the list of it."""
    package = os.path.join(HERE, "plimsoll_engine")
    contents = {}
    for name in sorted(os.listdir(package)):
        if name.endswith(".py"):
            with open(os.path.join(package, name), "rb") as source:
                contents["plimsoll_engine/" + name] = source.read()
    with open(library(), "rb") as binary:
        contents["plimsoll_engine/libplimsoll.so"] = binary.read()
    info = "plimsoll_engine-%s.dist-info/" % about["version"]
    with open(os.path.join(HERE, "..", "LICENSE"), "rb") as terms:
        contents[info + "LICENSE"] = terms.read()
    contents[info + "METADATA"] = metadata(about).encode()
    contents[info + "entry_points.txt"] = entry_points().encode()
    contents[info + "WHEEL"] = ("Wheel-Version: 1.0\nGenerator: plimsoll build_wheel.py\nRoot-Is-Purelib: false\n"
                                "Tag: %s\n" % tag).encode()
    return contents, info


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """The hook of PEP 517. The same sources and library give the same bytes."""
    about = project()
    # No promise of manylinux: that is for whoever builds on an old enough system, and retags.
    tag = "py3-none-linux_" + platform.machine()
    contents, info = files(about, tag)
    record = "".join("%s,sha256=%s,%d\n" % (
        name, base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode(), len(content))
        for name, content in contents.items())
    contents[info + "RECORD"] = (record + info + "RECORD,,\n").encode()
    made = "plimsoll_engine-%s-%s.whl" % (about["version"], tag)
    os.makedirs(wheel_directory, exist_ok=True)
    with zipfile.ZipFile(os.path.join(wheel_directory, made), "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
    return made


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("there is no sdist: the library's sources are outside of python/. Install from a checkout")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(os.path.join(sys.argv[1], build_wheel(sys.argv[1])))
