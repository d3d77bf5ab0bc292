#!/usr/bin/env bash
# debian_test.sh BUILD_DIR WORK_DIR: makes the Debian package of BUILD_DIR in WORK_DIR, unpacks it into an empty folder and
# runs its program there; that of a build for several levels of x86-64 with each level that this processor has, which must
# agree. Exit code 77 where cpack or dpkg are missing.
set -euo pipefail

build=$(cd "$1" && pwd) work=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() {
  echo "debian_test: $1" >&2
  exit 1
}
for program in cpack dpkg-deb dpkg-shlibdeps file; do
  command -v "$program" >/dev/null || exit 77
done

rm -rf "$work"
mkdir -p "$work/empty"
cd "$work"
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work" >"$work/cpack.log" 2>&1 ||
  { tail -n 20 "$work/cpack.log" >&2 && fail "cpack failed"; }
rm -rf "$work/_CPack_Packages"
package=$(echo "$work"/attnlaw_*.deb)
[[ -f $package ]] || fail "there is no package in $work"
dpkg-deb --extract "$package" "$work/empty"

usr=$work/empty/usr
levels=$(sed -n 's/^ATTNLAW_LEVELS:BOOL=//p' "$build/CMakeCache.txt")
libraries=('lib/*/libattnlaw.a')
if [[ $levels == ON ]]; then
  libraries=('lib/*/libattnlaw.so' 'lib/*/glibc-hwcaps/x86-64-v3/libattnlaw.so.*' 'lib/*/glibc-hwcaps/x86-64-v4/libattnlaw.so.*')
fi
for file in bin/attnlaw "${libraries[@]}" include/attnlaw/theory/solve.h lib/*/cmake/attnlaw/attnlawConfig.cmake \
  share/man/man1/attnlaw-solve.1* share/bash-completion/completions/attnlaw share/zsh/vendor-completions/_attnlaw \
  share/fish/vendor_completions.d/attnlaw.fish share/doc/attnlaw/docs/commands/solve.md; do
  # shellcheck disable=SC2086
  compgen -G "$usr/$file" >/dev/null || compgen -G "$usr/${file/lib\/\*/lib}" >/dev/null || fail "the package has no $file"
done
dpkg-deb --field "$package" Depends | grep -q libopenblas || fail "the package does not say that it needs OpenBLAS"

# Nothing of the build is needed, nor found.
cd "$work/empty"
env -i HOME="$work" PATH=/nowhere "$usr/bin/attnlaw" demo --quiet --html "$work/demo.html" >"$work/demo.txt" || fail "attnlaw demo failed"
grep -q "Learning curve" "$work/demo.txt" || fail "attnlaw demo printed no learning curve"
[[ -s $work/demo.html ]] || fail "attnlaw demo wrote no page"

if [[ $levels == ON ]]; then "$here/levels_test.sh" "$usr" "$work"; fi
