#!/usr/bin/env bash
# deploy/schema-doc.sh [URL]: prints docs/schema.md from the catalogue of a prepared database; without
# URL of a private one that it makes and removes. `make docs` writes the page.
set -euo pipefail
cd "$(dirname "$0")/.."
tidemark=${TIDEMARK:-${BUILD:-build}/bin/tidemark}

if [ $# -eq 0 ]; then
    directory=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-schema-XXXXXX")
    chmod 755 "$directory"
    finish() {
        "$tidemark" db stop --data "$directory" >/dev/null 2>&1 || true
        [ ! -L "$directory/cluster" ] || rm -rf "$(readlink "$directory/cluster")"
        rm -rf "$directory"
    }
    trap finish EXIT
    trap 'exit 130' INT TERM
    "$tidemark" db start --data "$directory" >/dev/null
    "$tidemark" migrate --data "$directory" >/dev/null
    set -- "$("$tidemark" db url --data "$directory" --role owner)"
fi
LC_ALL=C.UTF-8 psql -XqAt -v relations=deploy/schema/relations.csv -f deploy/schema/page.sql "$1"
