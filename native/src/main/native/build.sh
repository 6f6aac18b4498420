#!/bin/sh
# Builds libplimsoll.so. Needs a C++17 compiler, g++ or clang++, and no vendor headers.
#   build.sh OUTPUT_DIRECTORY [OBJECT_DIRECTORY]
# The library goes to OUTPUT_DIRECTORY/<os>-<arch>, where JavaCPP looks for it, the objects beside it or to a place of their own.
# CXX picks the compiler (cxx.sh), CXXFLAGS adds flags. Compiles what is older than its source or any header, as many files at
# once as there are cores, and does nothing when the library is newer than all sources.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case $(uname -m) in
    aarch64) arch=arm64 ;;
    *) arch=$(uname -m) ;;
esac
out="$1/linux-$arch"
library="$out/libplimsoll.so"

if [ -f "$library" ] && [ -z "$(find "$here" -type f -newer "$library")" ]; then
    exit 0
fi
# One directory for each compiler and its flags.
flags="-std=c++17 -O2 -g1 -Wall -Wextra -Wno-psabi -fPIC -fvisibility=hidden -pthread ${CXXFLAGS:-}"
variant=$(printf '%s %s' "${CXX:-}" "$flags" | cksum | cut -d' ' -f1)
mkdir -p "$out" "${2:-$1}/objects-$arch-$variant"
library="$(cd "$out" && pwd)/libplimsoll.so"
objects=$(cd "${2:-$1}/objects-$arch-$variant" && pwd)

# Everything that is built now is dated to its beginning: what is saved meanwhile must count as newer.
: >"$objects/began"
newest=$(find "$here" -name '*.h' -newer "$objects/headers" 2>/dev/null | head -n 1)
if [ ! -f "$objects/headers" ] || [ -n "$newest" ]; then
    rm -f "$objects"/*.o
    touch -r "$objects/began" "$objects/headers"
fi
cd "$here"
for source in *.cpp; do
    object="$objects/${source%.cpp}.o"
    if [ ! -f "$object" ] || [ -n "$(find "$source" -newer "$object")" ]; then
        printf '%s\n' "${source%.cpp}"
    fi
done |
    # Moved when it is whole: an interrupted compiler leaves no object that looks finished.
    # shellcheck disable=SC2016 # expanded by the inner shell
    xargs -P "$(nproc 2>/dev/null || echo 2)" -I NAME sh -c '
        ./cxx.sh $1 -ffile-prefix-map="$2"=. -c -o "$3/NAME.o.new" NAME.cpp &&
            touch -r "$3/began" "$3/NAME.o.new" && mv "$3/NAME.o.new" "$3/NAME.o"' \
        compile "$flags" "$here" "$objects"

# Built aside and moved: a running JVM may have the old one mapped. Only what has a source: one may have been removed.
set --
for source in *.cpp; do
    set -- "$@" "$objects/${source%.cpp}.o"
done
# shellcheck disable=SC2086 # flags is a list
./cxx.sh $flags -shared -Wl,--version-script="$here/plimsoll.map" -Wl,-z,defs -Wl,-soname,libplimsoll.so \
    -o "$library.new" "$@" -ldl
touch -r "$objects/began" "$library.new"
mv "$library.new" "$library"
