#!/bin/bash
# `make run`: a LocalNet chain that grows, with demo traffic. BLOCKS=n ends after n more blocks.
# DATA (default ./var) holds the database; INTERVAL the seconds between blocks (default 1).
set -u
cd "$(dirname "$0")/.."
tidemark=build/bin/tidemark
data=${DATA:-./var}
keys=deploy/localnet/keys

"$tidemark" init --data "$data" --genesis deploy/localnet/genesis.json --rules standard || exit 1

"$tidemark" up --data "$data" --keys "$keys" --interval "${INTERVAL:-1}" ${BLOCKS:+--blocks "$BLOCKS"} &
up=$!
trap 'kill -TERM "$up" 2>/dev/null' INT TERM
"$tidemark" demo --data "$data" --keys "$keys" --follow "$up" &
demo=$!

cat <<TEXT
Open psql on the chain:  $tidemark psql --data $data
Try there:               deploy/queries.sql shows five queries; README.md explains them
TEXT

while kill -0 "$up" 2>/dev/null; do
    wait "$up"
    status=$?
done
kill -TERM "$demo" 2>/dev/null
wait "$demo" 2>/dev/null
[ -n "${BLOCKS:-}" ] && [ "$status" -eq 0 ] && {
    deploy/show-queries.sh "$data" || status=1
}
exit "$status"
