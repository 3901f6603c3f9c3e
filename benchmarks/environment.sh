# Makes an environment of its own for each contender and for the harness; benchmarks/* source this file.
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/environment.sh"

# use_benchmarks REQUIREMENTS…: the environments .venv/bench-NAME, each with what
# benchmarks/requirements/NAME.txt pins.
use_benchmarks() {
  local python name lock
  python=$(first_python)
  for name in "$@"; do
    lock="$ROOT/benchmarks/requirements/$name.txt"
    make_venv "bench-$name" "$python" "$lock" pip install --quiet --require-hashes -r "$lock"
  done
  use_checkout bench-ours
}
