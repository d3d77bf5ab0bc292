#!/usr/bin/env bash
# levels_test.sh USR WORK_DIR: runs the program of USR/bin with the library of each level of x86-64 that this processor has.
# They must be the ones that were asked for and agree to rounding; of the others the instructions are looked at.
set -euo pipefail

usr=$(realpath "$1") work=$(realpath "$2")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=$usr/bin/attnlaw
fail() {
  echo "levels_test: $1" >&2
  exit 1
}
loader=$(file --brief "$program" | sed -n 's/.*interpreter \([^,]*\),.*/\1/p')
[[ -x $loader ]] || fail "$program names no loader"

# at_level LEVEL ARGUMENTS...: the loader that knows of no level but this one.
at_level() { env -i HOME="$work" "$loader" --glibc-hwcaps-mask "$1" "${@:2}"; }

# instructions PREFIX...: what the program, run by this prefix, says its library was compiled for.
instructions() { "$@" "$program" version --format json | sed -n 's/.*"instruction_set": "\(.*\)".*/\1/p'; }

# library FOLDER: the library in this folder under that of the libraries.
library() { realpath "$usr"/lib/*/"$1"/libattnlaw.so.*.*.*; }

# try_level LEVEL FOLDER INSTRUCTIONS: it takes the library of this folder, which was compiled for these, and gives the numbers of level 1.
try_level() {
  local level=$1 loaded number=0 question
  loaded=$(at_level "$level" --list "$program" | sed -n 's/.*libattnlaw\.so[^ ]* => \([^ ]*\) .*/\1/p')
  [[ $(realpath "$loaded") == "$(library "$2")" ]] || fail "level $level loads $loaded"
  [[ $(instructions at_level "$level") == "$3" ]] || fail "$loaded was not compiled for $3"
  rm -rf "$work/$level"
  mkdir "$work/$level"
  while read -r question; do
    # shellcheck disable=SC2086
    at_level "$level" "$program" $question --format json --threads 1 --quiet </dev/null >"$work/$level/$((number += 1)).json" ||
      fail "attnlaw $question fails at level $level"
  done <"$here/level_questions.txt"
  /usr/bin/python3 "$here/same_numbers.py" "$work/x86-64" "$work/$level" || fail "level $level gives other numbers than level x86-64"
}

# That of no folder of levels.
try_level x86-64 . baseline
highest=baseline
for level in "x86-64-v3 AVX2 ymm" "x86-64-v4 AVX-512 zmm"; do
  read -r name instructions register <<<"$level"
  if "$loader" --help | grep "^ *$name (supported" >/dev/null; then
    try_level "$name" "glibc-hwcaps/$name" "$instructions"
    highest=$instructions
  else
    echo "levels_test: this processor does not run $name: its library is looked at alone"
    { objdump --disassemble --no-show-raw-insn "$(library "glibc-hwcaps/$name")" 2>/dev/null || true; } |
      grep --max-count 1 "%$register" >/dev/null || fail "the library of $name was not compiled for $instructions"
  fi
done
chosen=$(instructions env -i)
[[ $chosen == "$highest" ]] || fail "the program runs with $chosen where the processor has $highest"
