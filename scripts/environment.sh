# Finds Python and makes the virtual environments of the other scripts, which source this file.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV PIP_REQUIRE_VIRTUALENV PIP_TARGET PIP_USER PIP_PREFIX
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '\n==> %s\n' "$*"; }

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The path of a real Python of minor version 3.$1, or nothing. Each candidate is run, for a version
# manager may put commands on the PATH that only say that the version is not chosen.
python_of() {
  local candidate
  for candidate in "python3.$1" python3 python \
    "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.$1".*/bin/python /usr/bin/"python3.$1" /usr/local/bin/"python3.$1"; do
    if [ "$("$candidate" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null)" = "(3, $1)" ]; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
}

# The oldest supported Python of this machine.
first_python() {
  local minor found
  for minor in 11 12 13 14; do
    found=$(python_of "$minor")
    if [ -n "$found" ]; then
      echo "$found"
      return
    fi
  done
  fail "No Python from 3.11 to 3.14 was found: install one (https://www.python.org/downloads/) and run this again."
}

# make_venv NAME PYTHON INPUT COMMAND…: the environment .venv/NAME, set up by its own
# `python -m COMMAND…`, unless it was set up from the same INPUT before.
make_venv() {
  local venv="$ROOT/.venv/$1" python=$2 input stamp
  input=$(cat "$3")
  shift 3
  stamp=$(printf '%s\n' "$ROOT" "$python" "$*" "$input" | "$python" -c \
    'import hashlib, sys; print(sys.version, hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
  if [ -f "$venv/set-up" ] && [ "$(cat "$venv/set-up")" = "$stamp" ]; then
    return
  fi
  say "Setting up ${venv#"$ROOT"/} (once; a minute or less)"
  rm -rf "$venv"
  if ! "$python" -m venv "$venv" >"$ROOT/.venv.log" 2>&1; then
    rm -rf "$venv"
    fail "$python can't make virtual environments: install its venv module (on Debian and Ubuntu: apt install python3-venv) and run this again."
  fi
  rm -f "$ROOT/.venv.log"
  if ! "$venv/bin/python" -m "$@" >"$venv/log" 2>&1; then
    cat "$venv/log" >&2
    fail "Setting up $venv failed; the network may be down. Run this again when it is back."
  fi
  printf '%s\n' "$stamp" >"$venv/set-up"
}

# use_locked NAME PYTHON LOCK: the environment .venv/NAME with everything that requirements/LOCK pins.
use_locked() {
  make_venv "$1" "$2" "$ROOT/requirements/$3" \
    pip install --quiet --require-hashes -r "$ROOT/requirements/$3"
}

# use_checkout NAME: this checkout in .venv/NAME, in place of what pip would download.
use_checkout() {
  local venv="$ROOT/.venv/$1"
  if ! [ "$venv/checkout" -nt "$ROOT/pyproject.toml" ]; then
    "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation -e "$ROOT" 2>"$venv/log" ||
      { cat "$venv/log" >&2; fail "Installing the package failed."; }
    touch "$venv/checkout"
  fi
}
