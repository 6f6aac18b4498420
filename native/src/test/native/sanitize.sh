#!/bin/sh
# Runs the C++ tests of libplimsoll under ThreadSanitizer, then under AddressSanitizer and UndefinedBehaviorSanitizer.
#   sanitize.sh [WORK_DIRECTORY]      takes about a minute; any report fails it
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources="$here/../../main/native"
work=${1:-$(mktemp -d)}
mkdir -p "$work"
compiler=${CXX:-g++}

for kind in thread address,undefined; do
    program="$work/native_test-$(echo "$kind" | tr , -)"
    echo "sanitize: building with -fsanitize=$kind"
    # shellcheck disable=SC2086
    $compiler -std=c++17 -O1 -g -Wall -Wextra -Wno-tsan -fno-omit-frame-pointer -fsanitize=$kind -fno-sanitize-recover=all -pthread \
        -I"$sources" -o "$program" "$here"/native_test.cpp "$sources"/*.cpp -ldl
    echo "sanitize: running $program"
    TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1" ASAN_OPTIONS="detect_leaks=1" UBSAN_OPTIONS="print_stacktrace=1" \
        timeout 100 "$program" "$work"
done
echo "sanitize: clean"
