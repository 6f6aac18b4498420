#!/bin/sh
# Runs the C++ tests of libplimsoll under ThreadSanitizer, and under AddressSanitizer (with leaks) and
# UndefinedBehaviorSanitizer, then the JUnit tests in a JVM under AddressSanitizer. Any report fails it.
#   sanitize.sh [WORK_DIRECTORY [TEST_CLASSPATH]]      no class path, no JVM
# The test programs are all *_test.cpp here: each gets an empty directory and has to end with 0. Where device_suite.cpp
# is here, it runs on every back end, with what doubles/build.sh has made. CXX picks the compiler, as for the library.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources=$(cd "$here/../../main/native" && pwd)
root=$(cd "$here/../.." && pwd)
compiler="$sources/cxx.sh"
work=${1:-$(mktemp -d)}
classpath=${2:-}
bound=${PLIMSOLL_SANITIZE_SECONDS:-300} # for one program
suite_runs=${PLIMSOLL_SANITIZE_RUNS:-20}
programs=0

version=$("$compiler" --version | head -n 1)
thread_flags=
jvm_flags=
jvm_runtime=libasan.so
case $version in
    *clang*)
        # The runtime would be linked into each program, but a JVM can only be given one that is shared.
        jvm_flags=-shared-libasan
        jvm_runtime=libclang_rt.asan-$(uname -m).so
        ;;
    *)
        # ThreadSanitizer does not see fences, of which g++ warns.
        thread_flags=-Wno-tsan
        ;;
esac

die() {
    echo "sanitizers: $*" >&2
    exit 1
}

# run NAME COMMAND...: silent, unless it fails or takes too long
run() {
    output="$directory/$1.txt"
    name=$1
    shift
    status=0
    timeout -k 5 "$bound" "$@" >"$output" 2>&1 || status=$?
    if [ $status -ne 0 ]; then
        # From the first report on: a sanitizer can write thousands of lines behind it.
        report=$(grep -n -m 1 -E 'Sanitizer|runtime error:' "$output" | cut -d : -f 1)
        tail -n "+${report:-1}" "$output" | head -n 80 >&2
        [ $status -ne 124 ] || die "$name, built with -fsanitize=$kind, did not end within $bound s"
        die "$name, built with -fsanitize=$kind, ended with $status; all that it wrote is in $output"
    fi
}

# object SOURCE: named by where the source is, for the suite may have a file of the same name as the library
object() {
    echo "$directory/$(echo "${1#"$root/"}" | tr / -).o"
}

# test_program NAME COMMAND...: run, with an empty directory in place of {work}
test_program() {
    name=$1
    program=$2
    shift 2
    scratch="$directory/work-$name"
    mkdir "$scratch"
    run "$name" "$directory/$program" "$scratch" "$@"
    rm -rf "$scratch"
    programs=$((programs + 1))
}

# Whether an empty program runs: a missing runtime, or a kernel that lays out memory otherwise, is to be told as such.
need_runtime() {
    echo 'int main() { return 0; }' >"$directory/empty.cpp"
    # shellcheck disable=SC2086 # flags is a list
    if ! "$compiler" $flags -o "$directory/empty" "$directory/empty.cpp" >"$directory/empty.txt" 2>&1 ||
        ! "$directory/empty" >>"$directory/empty.txt" 2>&1; then
        cat "$directory/empty.txt" >&2
        die "$version cannot build and run an empty program with -fsanitize=$kind. If its library is missing, install" \
            "libtsan, libasan and libubsan for g++, libclang-rt for clang++; if it speaks of memory mappings, try" \
            "sysctl vm.mmap_rnd_bits=28"
    fi
}

compile_and_run() {
    mkdir -p "$directory"
    flags="-std=c++17 -O1 -g -Wall -Wextra -Wno-psabi -fPIC -pthread -fno-omit-frame-pointer -I$sources -I$here/doubles"
    flags="$flags -fsanitize=$kind -fno-sanitize-recover=all $1"
    need_runtime
    tests=$(find "$here" -maxdepth 1 -name '*_test.cpp' | sort)
    suite=$(find "$here" -maxdepth 1 -name 'device_suite.cpp')
    suite_parts=$(find "$here/suite" -name '*.cpp' 2>/dev/null | sort)
    # Two at a time, as many as the smallest machine that builds this has processors.
    # shellcheck disable=SC2016,SC2086 # expanded by the inner shell; the lists are lists
    printf '%s\n' "$sources"/*.cpp $tests $suite $suite_parts |
        while read -r source; do
            echo "$(object "$source") $source"
        done |
        COMPILER=$compiler FLAGS=$flags xargs -P 2 -L 1 sh -c '"$COMPILER" $FLAGS -c -o "$1" "$2"' compile
    library=
    for source in "$sources"/*.cpp; do
        library="$library $(object "$source")"
    done
    doubles=
    if [ -f "$here/doubles/build.sh" ]; then
        CXXFLAGS="-fno-omit-frame-pointer -fsanitize=$kind $1" run doubles sh "$here/doubles/build.sh" "$directory/doubles"
        # Whoever drives the doubles is linked with their core; the back ends find the others by themselves.
        doubles="-Wl,--as-needed -L$directory/doubles -lplimsoll_double -Wl,-rpath,$directory/doubles"
    fi
    for source in $tests $suite; do
        program=$(basename "$source" .cpp)
        parts=
        if [ "$program" = device_suite ]; then
            for part in $suite_parts; do
                parts="$parts $(object "$part")"
            done
        fi
        # shellcheck disable=SC2086 # flags, parts, library and doubles are lists
        "$compiler" $flags -o "$directory/$program" "$(object "$source")" $parts $library $doubles -ldl
    done
    for source in $tests; do
        program=$(basename "$source" .cpp)
        test_program "$program" "$program"
    done
    if [ -n "$suite" ]; then
        for backend in host ascend cuda; do
            test_program "device_suite-$backend" device_suite --backend "$backend" \
                --library-dir "$directory/doubles/current" --runs "$suite_runs"
        done
    fi
}

# The library is built with the sanitizer and put first; the JVM and JavaCPP's part of it are as they are.
run_in_jvm() {
    mkdir -p "$directory"
    runtime=$("$compiler" -print-file-name="$jvm_runtime")
    [ -f "$runtime" ] || die "$version has no $jvm_runtime, which a JVM would have to load first: install it"
    CXXFLAGS="-O1 -fno-omit-frame-pointer -fsanitize=$kind $jvm_flags" \
        run library "$sources/build.sh" "$directory"
    library=$(find "$directory" -name libplimsoll.so)
    # HotSpot handles SIGSEGV itself and never frees all that it has at its end.
    run junit env LD_PRELOAD="$runtime:$("$compiler" -print-file-name=libstdc++.so)" \
        LD_DEBUG=files LD_DEBUG_OUTPUT="$directory/loaded" \
        ASAN_OPTIONS="detect_leaks=0:handle_segv=0" \
        "${JAVA_HOME:+$JAVA_HOME/bin/}java" -Xmx1g -XX:+IgnoreUnrecognizedVMOptions \
        --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp "$classpath" \
        -Djava.library.path="$(dirname "$library")" -Dorg.bytedeco.javacpp.pathsFirst=true \
        org.junit.platform.console.ConsoleLauncher execute --select-package dev.plimsoll.device \
        --fail-if-no-tests --disable-banner --disable-ansi-colors --details=summary
    # Clean means nothing if it was another library that ran.
    grep -q "calling init: $library" "$directory"/loaded.* || die "the JVM has not loaded $library; see $output"
}

rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1"
export ASAN_OPTIONS="detect_leaks=1"
export UBSAN_OPTIONS="print_stacktrace=1"

kind=thread directory="$work/thread"
compile_and_run "$thread_flags"
kind=address,undefined directory="$work/address"
compile_and_run ""
if [ -n "$classpath" ]; then
    kind=address directory="$work/jvm"
    run_in_jvm
    echo "sanitizers: thread, address+undefined and JVM+address are clean ($programs programs)"
else
    echo "sanitizers: thread and address+undefined are clean ($programs programs); no JVM, for want of a class path"
fi
