#!/usr/bin/env bash
# Sees to it that the tests have their real parts: a browser, PostgreSQL's server programs, Redis, and the
# accessibility rules of axe-core.
# Only what is missing is installed. On CI a missing part is a failure; elsewhere its tests are skipped,
# and pytest says which.
set -euo pipefail

HERE=$(dirname "$0")
readonly HERE

has_browser() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
        # Ubuntu's chromium-browser may be an empty shell, so ask it for its version.
        if [ -n "$name" ] && "$name" --version >/dev/null 2>&1; then return 0; fi
    done
    python - 2>/dev/null <<'PYTHON'
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as tools:
    sys.exit(not pathlib.Path(tools.chromium.executable_path).exists())
PYTHON
}

# Debian has the browser as a package, Ubuntu only as a snap; Playwright brings its own where it may.
install_browser() {
    "$HERE/apt-install.sh" chromium fonts-liberation && has_browser ||
        python -m playwright install --with-deps chromium
}

has_postgres() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

has_redis() { command -v redis-server >/dev/null; }

# Makes the certificates of the tests' mail servers.
has_openssl() { command -v openssl >/dev/null; }

# The lock beside it pins the version; nothing happens when that is there already.
install_axe() {
    (cd "$HERE/../tests/e2e/axe" && bun install --frozen-lockfile --ignore-scripts --silent)
}

missing=()
has_browser || install_browser || true
has_browser || missing+=(chromium)
has_postgres || "$HERE/apt-install.sh" postgresql || missing+=(postgresql)
has_redis || "$HERE/apt-install.sh" redis-server || missing+=(redis-server)
has_openssl || "$HERE/apt-install.sh" openssl || missing+=(openssl)
install_axe || missing+=(axe-core)

if [ ${#missing[@]} -gt 0 ]; then
    echo "The tests lack: ${missing[*]}" >&2
    [ "${CI:-}" != true ] || exit 1
fi
