#!/bin/sh
# Builds the test doubles of the vendor libraries; README.md says what is in which directory.
#   build.sh OUT_DIR      CXX picks the compiler, CXXFLAGS adds flags. Does nothing when all is newer than the sources
#                         and the flags are the same.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
cxx="$here/../../../main/native/cxx.sh"
flags="${CXX:-} ${CXXFLAGS:-}"

# Two builds into one directory would take each other's objects away.
exec 9>"$out/lock"
flock 9

if [ -f "$out/built" ] && [ "$(cat "$out/built")" = "$flags" ] &&
    [ -z "$(find "$here" -type f -newer "$out/built")" ]; then
    exit 0
fi
rm -rf "$out/built" "$out/objects" "$out/current" "$out/old" "$out/broken" "$out/runtime-only"
mkdir -p "$out/objects" "$out/current" "$out/old" "$out/broken" "$out/runtime-only"
objects="$out/objects"

compile() { # object source flags...
    object=$1 source=$2
    shift 2
    # shellcheck disable=SC2086 # CXXFLAGS is a list
    "$cxx" -std=c++17 -O2 -g1 -Wall -Wextra -fPIC -pthread -ffile-prefix-map="$here"=. ${CXXFLAGS:-} "$@" -c \
        -o "$objects/$object.o" "$here/$source"
}

core=
for part in collectives control machine memory schedule shadow; do
    compile "$part" "$part.cpp"
    core="$core $objects/$part.o"
done
for part in acl_skin acl_memory cuda_skin hccl_communicators hccl_operators nccl_skin host_access; do
    compile "$part" "$part.cpp" -fvisibility=hidden
done
compile versions versions.cpp -fvisibility=hidden
compile versions_old versions.cpp -fvisibility=hidden -DPLM_DOUBLE_OLD

# shellcheck disable=SC2086 # lists
"$cxx" -shared -pthread ${CXXFLAGS:-} -Wl,-soname,libplimsoll_double.so -o "$out/libplimsoll_double.so" $core

# skin DIRECTORY LIBRARY "OBJECTS" "HIDDEN FUNCTIONS"; what is hidden is not there for dlsym.
skin() {
    files=
    for object in $3 host_access; do
        files="$files $objects/$object.o"
    done
    {
        echo "{"
        if [ -n "$4" ]; then
            echo "  local:"
            for function in $4; do echo "    $function;"; done
        fi
        echo "};"
    } >"$objects/hidden.map"
    # shellcheck disable=SC2086 # lists
    "$cxx" -shared -pthread ${CXXFLAGS:-} -Wl,-soname,"$2" -Wl,-rpath,'$ORIGIN' \
        -Wl,--version-script="$objects/hidden.map" -o "$out/$1/$2" $files -L"$out" -lplimsoll_double
}

acl="acl_skin acl_memory"
new_acl="aclFinalizeReference aclrtGetStreamAvailableNum aclrtDeviceGetStreamPriorityRange aclrtHostRegisterV2
    aclrtLaunchHostFunc aclsysGetVersionStr aclsysGetVersionNum aclmdlRICaptureThreadExchangeMode"
new_hccl="HcclGroupStart HcclGroupEnd"

for directory in current old broken runtime-only; do
    ln -s ../libplimsoll_double.so "$out/$directory/libplimsoll_double.so"
done

for library in libacl_rt.so libascendcl.so; do
    skin current $library "$acl versions" ""
    skin broken $library "$acl versions" "aclrtQueryEventStatus"
done
skin current libhccl.so "hccl_operators" ""
skin current libhcomm.so "hccl_communicators" ""
skin broken libhccl.so "hccl_operators" "HcclAllGather"
skin broken libhcomm.so "hccl_communicators" "HcclCommInitRootInfo HcclCommInitRootInfoConfig"
skin current libcudart.so.13 "cuda_skin versions" ""
skin broken libcudart.so.13 "cuda_skin versions" "cudaEventQuery"
skin current libnccl.so.2 "nccl_skin versions" ""
skin broken libnccl.so.2 "nccl_skin versions" "ncclAllGather"

skin old libascendcl.so "$acl versions_old" "$new_acl"
skin old libhccl.so "hccl_operators hccl_communicators" "$new_hccl"
skin old libcudart.so.11.0 "cuda_skin versions_old" "cudaInitDevice"
skin old libnccl.so.2 "nccl_skin versions_old" ""

for library in libacl_rt.so libascendcl.so libcudart.so.13; do
    cp "$out/current/$library" "$out/runtime-only/$library"
done
for directory in current broken runtime-only; do
    ln -s libcudart.so.13 "$out/$directory/libcudart.so"
done
ln -s libcudart.so.11.0 "$out/old/libcudart.so"
rm -rf "$objects"
printf '%s' "$flags" >"$out/built"
