# Shared by the launchers tools/demo, tools/test and tools/bench; read with `.`, not run.
#
# Finds a Python that is new enough and lets tools/bootstrap.py bring .venv up to date.
# It may not install anything itself, and it may not choose where packages come from: that is pip's own configuration.

say() { printf 'docaxis: %s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
            python="$candidate"
            return 0
        fi
    done
    if found="$(command -v "${PYTHON:-python3}")"; then
        say "$found is $("$found" --version 2>&1), and docaxis needs Python 3.11 or newer."
    else
        say "no python3 on the PATH, and docaxis needs Python 3.11 or newer."
    fi
    say "Install one (Debian 12 and later, Ubuntu 23.10 and later: apt install python3 python3-venv),"
    say "or name one you have: PYTHON=/path/to/python3.12 $0"
    return 1
}

# prepare node|dev: afterwards .venv holds that room's locked packages and docaxis itself.
prepare() {
    find_python || exit 1
    "$python" tools/bootstrap.py "$1" || exit 1
}
