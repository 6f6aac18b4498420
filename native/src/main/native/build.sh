#!/bin/sh
# Builds libplimsoll.so. Needs a C++17 compiler, g++ or clang++, and no vendor headers.
#   build.sh OUTPUT_DIRECTORY      the library goes to OUTPUT_DIRECTORY/<os>-<arch>, where JavaCPP looks for it
# CXX picks the compiler (cxx.sh), CXXFLAGS adds flags. Does nothing when the library is newer than all sources.
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
mkdir -p "$out"
# Built aside and moved: a running JVM may have the old one mapped.
# shellcheck disable=SC2086 # CXXFLAGS is a list
"$here/cxx.sh" -std=c++17 -O2 -g1 -Wall -Wextra -Wno-psabi -fPIC -fvisibility=hidden -shared -pthread \
    -ffile-prefix-map="$here"=. -Wl,--version-script="$here/plimsoll.map" -Wl,-z,defs -Wl,-soname,libplimsoll.so \
    ${CXXFLAGS:-} -o "$library.new" "$here"/*.cpp -ldl
mv "$library.new" "$library"
