#!/usr/bin/env bash
# Makes the virtual environment named by the first argument, with the newest suitable Python there is.
# Debian keeps the module that does it in a package of its own, which is installed when it is missing.
set -euo pipefail

readonly TARGET=$1
HERE=$(dirname "$0")
readonly HERE

is_suitable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

candidates=()
for name in python3.13 python3.12 python3.11 python3; do
    if is_suitable "$name"; then candidates+=("$name"); fi
done
if [ ${#candidates[@]} -eq 0 ]; then
    echo "Python 3.11 or newer is needed. Please install it by hand, then run the same command again." >&2
    exit 1
fi

chosen=
for name in "${candidates[@]}"; do
    if has_venv "$name"; then
        chosen=$name
        break
    fi
done
if [ -z "$chosen" ]; then
    chosen=${candidates[0]}
    "$HERE/apt-install.sh" "$chosen-venv"
fi

"$chosen" -m venv --clear "$TARGET"
