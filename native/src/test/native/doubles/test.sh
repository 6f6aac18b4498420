#!/bin/sh
# Builds the doubles and tests them.
#   test.sh OUT_DIR      CXX and CXXFLAGS as for build.sh, sanitizers included
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sh "$here/build.sh" "$1"
out=$(cd "$1" && pwd)
# shellcheck disable=SC2086 # CXXFLAGS is a list
"$here/../../../main/native/cxx.sh" -std=c++17 -O1 -g -Wall -Wextra -pthread ${CXXFLAGS:-} -o "$out/double_test" \
    "$here/double_test.cpp" "$here/collectives_test.cpp" -L"$out" -lplimsoll_double -Wl,-rpath,"$out" -ldl
timeout 120 "$out/double_test" "$out"
