#!/bin/sh
# Compares the library's declarations of the vendors' functions, values and structs with their headers, where this
# machine has them: CUDA_HOME, /usr/local/cuda*; NCCL_HOME and the same; ASCEND_HOME_PATH, /usr/local/Ascend.
#   check.sh [WORK_DIRECTORY]      fails when one differs; what is not here is skipped with a notice
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources="$here/../../../main/native"
work=${1:-$(mktemp -d)}
mkdir -p "$work"
failed=0

# first_with HEADER DIRECTORY...: the first directory that has the header.
first_with() {
    header=$1
    shift
    for directory in "$@"; do
        if [ -f "$directory/$header" ]; then
            echo "$directory"
            return
        fi
    done
}

# check NAME DIRECTORY [OPTION...]: compares with the headers there.
check() {
    name=$1
    directory=$2
    if [ -z "$directory" ]; then
        echo "headers: $name skipped: no headers found"
        return
    fi
    shift 2
    # Their headers are system headers: what the compiler thinks of those is not our matter. Ours are found by quotes
    # only, so that none is taken for one of theirs.
    if sh "$sources/cxx.sh" -std=c++17 -Wall -Wextra -iquote "$sources" -isystem "$directory" "$@" \
        -o "$work/check_$name" "$here/check_$name.cpp" && "$work/check_$name"; then
        echo "headers: $name checked against $directory"
    else
        echo "headers: $name does NOT agree with $directory: correct the lists in src/main/native" >&2
        failed=1
    fi
}

cuda=$(first_with cuda_runtime_api.h "${CUDA_HOME:-/none}/include" /usr/local/cuda/include /usr/local/cuda-*/include \
    /usr/include)
check cuda "$cuda"

nccl=$(first_with nccl.h "${NCCL_HOME:-/none}/include" "${CUDA_HOME:-/none}/include" /usr/local/cuda/include \
    /usr/local/cuda-*/include /usr/include /usr/local/include)
if [ -n "$nccl" ] && [ -z "$cuda" ]; then
    echo "headers: nccl skipped: $nccl/nccl.h needs CUDA's headers, which were not found"
else
    check nccl "$nccl" ${cuda:+-isystem "$cuda"}
fi

ascend="${ASCEND_HOME_PATH:-/none}"
for name in acl hccl; do
    check "$name" "$(first_with "$name/$name.h" "$ascend/include" /usr/local/Ascend/ascend-toolkit/latest/include \
        /usr/local/Ascend/cann/include /usr/local/Ascend/*/latest/include /usr/local/Ascend/*/include)"
done
exit "$failed"
