#!/usr/bin/env bash
# bench/distributed_scaling.sh [RANKS…]: seconds of one Adam iteration of simulate --distributed, strong scaling (the same
# data on more ranks) and weak scaling (α in proportion to the ranks), one BLAS thread per rank, as a Markdown table.
# Each figure is the best of RUNS (default 5) runs; D, ALPHA and ITERATIONS can be set as well.
set -euo pipefail

program=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build/release/app/attnlaw
ranks=("$@")
[[ ${#ranks[@]} -gt 0 ]] || ranks=(1 2)
runs=${RUNS:-5} d=${D:-200} alpha=${ALPHA:-1} iterations=${ITERATIONS:-40}
if [[ $EUID -eq 0 ]]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

# train RANKS ALPHA ITERATIONS: seconds of drawing, training and testing one instance. Exit code 1: it has not converged.
train() {
  mpirun -n "$1" --oversubscribe "$program" simulate --distributed --threads 1 --alpha "$2" --lambda 0.05 --d "$d" --instances 1 \
    --trainer adam --max-iterations "$3" --accuracy 1e-2 --format json 2>/dev/null |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["instances"][0]["seconds"])' || true
}

# The least of several.
best() {
  local run
  for ((run = 0; run < runs; ++run)); do "$@"; done | sort -g | head -1
}

# per_iteration RANKS ALPHA: milliseconds, without data and test: the difference of two lengths of training.
per_iteration() {
  local short long
  short=$(best train "$1" "$2" 1)
  long=$(best train "$1" "$2" $((iterations + 1)))
  python3 -c "print(1000 * ($long - $short) / $iterations)"
}

times() { python3 -c "print($1 * $2)"; }

declare -A strong weak
for n in "${ranks[@]}"; do
  strong[$n]=$(per_iteration "$n" "$alpha")
  weak[$n]=$(per_iteration "$n" "$(times "$alpha" "$n")")
done
base=${ranks[0]}
echo "d = $d, T = 2, alpha = $alpha (strong), $alpha per rank (weak), single precision, best of $runs runs"
echo
echo "| ranks | strong: ms per iteration | efficiency | weak: ms per iteration | efficiency |"
echo "|---|---|---|---|---|"
for n in "${ranks[@]}"; do
  python3 - "$n" "$base" "${strong[$n]}" "${strong[$base]}" "${weak[$n]}" "${weak[$base]}" <<'PY'
import sys
n, base, strong, strong_base, weak, weak_base = map(float, sys.argv[1:])
print(f"| {n:.0f} | {strong:.1f} | {strong_base * base / (strong * n):.2f} | {weak:.1f} | {weak_base / weak:.2f} |")
PY
done
