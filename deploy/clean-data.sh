#!/usr/bin/env bash
# Stops the embedded database of a directory (DATA, default ./var) and removes it with its chain.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${DATA:-var}
program=${BUILD:-build}/bin/tidemark

if [ ! -e "$data" ]; then
    echo "clean-data: there is no $data"
    exit 0
fi
data=$(realpath "$data")
# A directory that holds something else is not ours to remove.
if [ ! -e "$data/cluster" ] && [ -n "$(ls -A "$data")" ]; then
    echo "clean-data: $data holds no database of Tidemark; not removed" >&2
    exit 1
fi
if [ -e "$data/cluster" ]; then
    if [ -e "$data/up.lock" ] && command -v flock >/dev/null && ! flock -n "$data/up.lock" true; then
        echo "clean-data: tidemark up runs on $data; stop it first" >&2
        exit 1
    fi
    if [ -x "$program" ]; then
        "$program" db stop --data "$data"
    elif [ -e "$data/cluster/data/postmaster.pid" ]; then
        kill -INT "$(head -1 "$data/cluster/data/postmaster.pid")" 2>/dev/null || true
    fi
    # where the database's user cannot reach the directory, its files are elsewhere
    [ ! -L "$data/cluster" ] || rm -rf "$(readlink "$data/cluster")"
fi
rm -rf "$data"
echo "clean-data: removed $data"
