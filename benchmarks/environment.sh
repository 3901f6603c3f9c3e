# benchmarks/* source this file. It creates an environment for each contender and for the harness.
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"

# use_benchmarks REQUIREMENTS…: creates the environments .venv/bench-NAME with the versions in
# benchmarks/requirements/NAME.txt.
use_benchmarks() {
  local python name lock
  python=$(first_python)
  for name in "$@"; do
    lock="$ROOT/benchmarks/requirements/$name.txt"
    make_venv "bench-$name" "$python" "$lock" pip install --quiet --require-hashes -r "$lock"
  done
  use_checkout bench-ours
}
