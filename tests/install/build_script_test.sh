#!/usr/bin/env bash
# build_script_test.sh WORK_DIR: scripts/build keeps tests configured once they were wanted, whatever failed since. A stand-in
# for cmake writes down what it is asked for, and fails while WORK_DIR/fail is there.
set -euo pipefail

work=$1
rm -rf "$work"
mkdir -p "$work/scripts" "$work/bin"
cp "$(dirname "${BASH_SOURCE[0]}")/../../scripts/build" "$work/scripts/build"
cat >"$work/bin/cmake" <<STUB
#!/usr/bin/env bash
echo "\$*" >>"$work/asked"
[[ ! -e "$work/fail-\$1" ]]
STUB
chmod +x "$work/bin/cmake"

# expect WHAT FAILING PATTERN...: scripts/build WHAT, with what fails, asks cmake for just this.
expect() {
  local what=$1 failing=$2
  shift 2
  rm -f "$work"/fail-* "$work/asked"
  [[ -z $failing ]] || touch "$work/fail-$failing"
  PATH=$work/bin:$PATH "$work/scripts/build" "$what" >/dev/null 2>&1 || [[ -n $failing ]]
  [[ $(grep -c . "$work/asked") == $# ]] || { echo "build_script_test: $what asked for"; cat "$work/asked"; exit 1; }
  for pattern in "$@"; do
    grep -q -e "$pattern" "$work/asked" || { echo "build_script_test: $what did not ask for $pattern"; exit 1; }
  done
}

expect program "" "TESTS=OFF" "target app/all"
expect program "" "target app/all"
expect all --preset "TESTS=ON"
expect program "" "TESTS=ON" "target app/all"
expect all --build "target all"
expect program "" "target app/all"
expect program --build "target app/all"
expect all "" "target all"
