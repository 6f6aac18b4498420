#!/bin/sh
# Runs the C++ compiler: the one that CXX names, else the first of g++, clang++ and c++ that is there. The library and
# JavaCPP's part of it are built by the same one.
for compiler in "${CXX:-}" g++ clang++ c++; do
    if [ -n "$compiler" ] && command -v "${compiler%% *}" >/dev/null 2>&1; then
        # shellcheck disable=SC2086 # CXX may bring options along
        exec $compiler "$@"
    fi
done
echo "No C++ compiler found: libplimsoll.so needs one with C++17 (apt install g++), or set CXX to it." >&2
exit 1
