#!/usr/bin/env bash
# Installs Debian packages without asking anything. Used by the other scripts here.
# Where that is not allowed it says in one line what to install by hand, and fails.
set -euo pipefail

by_hand() {
    echo "Please install by hand, then run the same command again: $*" >&2
    exit 1
}

command -v apt-get >/dev/null || by_hand "$@"
if [ "$(id -u)" -eq 0 ]; then
    as_root=()
elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    by_hand "$@"
fi

wait_for_others=(-o DPkg::Lock::Timeout=180)
echo "Installing $* ..." >&2
"${as_root[@]}" apt-get "${wait_for_others[@]}" update -qq >&2 || echo "apt-get update failed; going on" >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get "${wait_for_others[@]}" install -y -qq --no-install-recommends "$@" >/dev/null || by_hand "$@"
