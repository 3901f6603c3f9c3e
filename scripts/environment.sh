# The other scripts source this file. It provides a clean environment, a Python, and virtual
# environments.

# The variables that pip and uv may need to reach their index. Commands started with `clean` don't get
# them.
INSTALLER_VARIABLES=(
  PIP_CACHE_DIR PIP_CERT PIP_CLIENT_CERT PIP_CONFIG_FILE PIP_DEFAULT_TIMEOUT PIP_EXTRA_INDEX_URL
  PIP_FIND_LINKS PIP_INDEX_URL PIP_KEYRING_PROVIDER PIP_NO_INDEX PIP_PROXY PIP_RETRIES PIP_TIMEOUT
  PIP_TRUSTED_HOST
  UV_CACHE_DIR UV_CONFIG_FILE UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_HTTP_TIMEOUT
  UV_INDEX UV_INDEX_URL UV_INSECURE_HOST UV_NATIVE_TLS UV_SYSTEM_CERTS
  http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
  CURL_CA_BUNDLE REQUESTS_CA_BUNDLE SSL_CERT_DIR SSL_CERT_FILE
  NETRC XDG_CACHE_HOME XDG_CONFIG_DIRS XDG_CONFIG_HOME
)

# Starts the script again with only these variables. `exec` preserves the process ID, so CLEAN_PROCESS
# is valid for this script but not for the scripts that it calls.
if [ "${CLEAN_PROCESS-}" != "$$" ]; then
  variables=()
  for name in HOME PATH TMPDIR PYENV_ROOT ONLY_PYTHON DOCS_URL SOURCE_DATE_EPOCH "${INSTALLER_VARIABLES[@]}"; do
    if [ -n "${!name+set}" ]; then variables+=("$name=${!name}"); fi
  done
  exec env -i "${variables[@]}" CLEAN_PROCESS=$$ bash "$0" "$@"
fi
unset CLEAN_PROCESS
exec </dev/null
umask 022

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The supported Pythons, 3.11 to 3.15. ONLY_PYTHON=3.15 scripts/test ignores all others.
MINORS=(11 12 13 14 15)
if [ -n "${ONLY_PYTHON-}" ]; then MINORS=("${ONLY_PYTHON#3.}"); fi
# Makes uv trust the system's certificates, like pip.
export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS-1}

say() { printf '\n==> %s\n' "$*"; }

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# clean [NAME=VALUE…] COMMAND…: runs a command with an empty home folder and without the variables for
# pip. `"${CLEAN[@]}" COMMAND… &` does the same in the background and sets $! to the command's process.
CLEAN=(env -i HOME="$ROOT/.venv/home" PATH="$PATH" ${TMPDIR+"TMPDIR=$TMPDIR"})
clean() {
  mkdir -p "$ROOT/.venv/home"
  "${CLEAN[@]}" "$@"
}

# python_of MINOR: prints the path of Python 3.MINOR, or nothing. It runs each candidate, because a
# version manager may put commands on the PATH that only report that the version isn't selected.
python_of() {
  local candidate
  for candidate in "python3.$1" python3 python \
    "${PYENV_ROOT:-${HOME-}/.pyenv}/versions/3.$1".*/bin/python /usr/bin/"python3.$1" /usr/local/bin/"python3.$1"; do
    if [ "$("$candidate" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null)" = "(3, $1)" ]; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
}

# Prints the path of the oldest supported Python on this machine.
first_python() {
  local minor found
  for minor in "${MINORS[@]}"; do
    found=$(python_of "$minor")
    if [ -n "$found" ]; then
      echo "$found"
      return
    fi
  done
  fail "Python 3.${MINORS[0]} to 3.${MINORS[*]: -1} was not found. Install one (https://www.python.org/downloads/) and run this again."
}

# make_venv NAME PYTHON INPUT COMMAND…: creates the environment .venv/NAME and runs
# `python -m COMMAND…` in it. Does nothing if the environment was made from the same INPUT.
make_venv() {
  local venv="$ROOT/.venv/$1" python=$2 input stamp
  input=$(cat "$3")
  shift 3
  stamp=$(printf '%s\n' "$ROOT" "$python" "$*" "$input" | "$python" -c \
    'import hashlib, sys; print(sys.version, hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
  if [ -f "$venv/set-up" ] && [ "$(cat "$venv/set-up")" = "$stamp" ]; then
    return
  fi
  say "Setting up ${venv#"$ROOT"/} (only the first time; about a minute)"
  rm -rf "$venv"
  if ! "$python" -m venv "$venv" >"$ROOT/.venv.log" 2>&1; then
    rm -rf "$venv"
    fail "$python cannot create virtual environments. Install its venv module (on Debian and Ubuntu: apt install python3-venv) and run this again."
  fi
  rm -f "$ROOT/.venv.log"
  if ! "$venv/bin/python" -m "$@" >"$venv/log" 2>&1; then
    cat "$venv/log" >&2
    fail "Setting up $venv failed. Check the network connection and run this again."
  fi
  printf '%s\n' "$stamp" >"$venv/set-up"
}

# use_locked NAME PYTHON LOCK: creates the environment .venv/NAME with the versions in requirements/LOCK.
use_locked() {
  make_venv "$1" "$2" "$ROOT/requirements/$3" \
    pip install --quiet --require-hashes -r "$ROOT/requirements/$3"
}

# use_checkout NAME: installs this checkout into .venv/NAME.
use_checkout() {
  local venv="$ROOT/.venv/$1"
  if ! [ "$venv/checkout" -nt "$ROOT/pyproject.toml" ]; then
    "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation -e "$ROOT" 2>"$venv/log" ||
      { cat "$venv/log" >&2; fail "Installing the package failed."; }
    touch "$venv/checkout"
  fi
}

# use_uv: installs uv into .venv/lock and sets `uv` to its path.
use_uv() {
  make_venv lock "$1" <(echo "uv") pip install --quiet uv
  uv="$ROOT/.venv/lock/bin/uv"
}
