#!/bin/sh
# Builds and runs the C++ tests of libplimsoll: the common suite on the host and on the doubles of ACL, HCCL, CUDA and NCCL,
# the programs *_test.cpp beside this file, the doubles' own tests, and our declarations against the vendors' headers.
#   run.sh WORK_DIRECTORY LIBRARY_DIRECTORY [RUNS]
# RUNS is how many seeds the suite takes on each double under each schedule (default 300); the host gets 200.
# LIBRARY_DIRECTORY holds libplimsoll.so; tests that look inside the library are linked with its sources instead.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources=$(cd "$here/../../main/native" && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)
library=$(cd "$2" && pwd)
runs=${3:-300}
bound=$((300 + runs / 5)) # seconds for one program
cxx="$sources/cxx.sh"
flags="-std=c++17 -O1 -g1 -Wall -Wextra -pthread -I$sources -I$here/doubles -I$here/suite ${CXXFLAGS:-}"
objects="$work/objects"
mkdir -p "$objects"

# compile SOURCE...: two at a time, and only what is older than its source or any header.
compile() {
    for source in "$@"; do
        object="$objects/$(basename "$(dirname "$source")")-$(basename "$source").o"
        if [ ! -f "$object" ] || [ -n "$(find "$source" "$sources" "$here" -newer "$object" \( -path "$source" -o -name '*.h' \))" ]; then
            printf '%s\n%s\n' "$source" "$object"
        fi
    done | xargs -r -P 2 -n 2 sh -c "$cxx $flags -c \"\$0\" -o \"\$1.new\" && mv \"\$1.new\" \"\$1\""
}

objects_of() {
    for source in "$@"; do
        echo "$objects/$(basename "$(dirname "$source")")-$(basename "$source").o"
    done
}

# run NAME COMMAND...: quiet when it passes.
run() {
    name=$1
    shift
    rm -rf "$work/scratch"
    mkdir "$work/scratch"
    if ! timeout -k 5 "$bound" "$@" >"$work/$name.txt" 2>&1; then
        tail -n 60 "$work/$name.txt" >&2
        echo "native tests: $name failed; all that it wrote is in $work/$name.txt" >&2
        exit 1
    fi
}

sh "$here/doubles/build.sh" "$work/doubles"
compile "$here"/*.cpp "$here"/suite/*.cpp "$sources"/*.cpp

# shellcheck disable=SC2046,SC2086 # lists
"$cxx" $flags -o "$work/device_suite" $(objects_of "$here/device_suite.cpp" "$here"/suite/*.cpp) \
    -L"$library" -lplimsoll -L"$work/doubles" -lplimsoll_double -Wl,-rpath,"$library" -Wl,-rpath,"$work/doubles" -ldl
run suite-host "$work/device_suite" "$work/scratch" --backend host --runs 200
for backend in cuda ascend; do
    run "suite-$backend" "$work/device_suite" "$work/scratch" --backend $backend --library-dir "$work/doubles/current" \
        --runs "$runs"
    run "suite-old-$backend" "$work/device_suite" "$work/scratch" --backend $backend --library-dir "$work/doubles/old" \
        --runs 60
done
cat "$work"/suite-*.txt
for program in "$here"/*_test.cpp; do
    name=$(basename "$program" .cpp)
    # shellcheck disable=SC2046,SC2086 # lists
    "$cxx" $flags -o "$work/$name" $(objects_of "$program" "$sources"/*.cpp) -ldl
    run "$name" "$work/$name" "$work/scratch"
    echo "$name: passed"
done
sh "$here/doubles/test.sh" "$work/doubles"
sh "$here/headers/check.sh" "$work/headers"
