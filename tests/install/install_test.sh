#!/usr/bin/env bash
# install_test.sh BUILD_DIR WORK_DIR COMPILER: installs BUILD_DIR into an empty prefix in WORK_DIR, then builds and runs a
# program that knows the package only by find_package(attnlaw), for a plain processor rather than this one.
set -euo pipefail

build=$1 work=$2 compiler=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=$work/prefix

fail() {
  echo "install_test: $1" >&2
  exit 1
}

rm -rf "$work"
mkdir -p "$work"
cmake --install "$build" --prefix "$prefix" >"$work/install.log" || fail "cmake --install failed"

# Every header of the rooms is installed but the internal ones, and nothing else is.
diff <(cd "$here/../../src/attnlaw" && find . -name web -prune -o -name '*.h' -print | sort |
  grep -vxF -f <(sed 's|^|./|' "$here/../../cmake/internal_headers.txt")) \
  <(cd "$prefix/include/attnlaw" && find . -type f | sort) || fail "the installed headers differ from those of the rooms"

diff "$here/../../LICENSE" "$prefix/share/doc/attnlaw/LICENSE" || fail "the licence is not installed"

# Neither the build nor the source tree is needed by those who use the package.
cmake_files=$(find "$prefix" -name '*.cmake')
[[ -n $cmake_files ]] || fail "no CMake package"
# shellcheck disable=SC2086
if grep -lF -e "$build" -e "$(cd "$here/../.." && pwd)/" $cmake_files; then fail "the package names the build or the source tree"; fi

cmake -S "$here/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_BUILD_TYPE=Release "${@:4}"
cmake --build "$work/consumer"
output=$("$work/consumer/consumer")
expected=$(<"$here/consumer/expected.txt")
[[ $output == "$expected" ]] || fail "the program printed '$output', not '$expected'"

if [[ -x $build/app/attnlaw ]]; then
  "$prefix/bin/attnlaw" --help >/dev/null || fail "the installed program does not run"
fi
