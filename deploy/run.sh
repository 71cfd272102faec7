#!/bin/bash
# `make run`: a LocalNet chain that grows, with demo traffic. BLOCKS=n ends after n more blocks and
# prints the answers of five queries. DATA (default ./var) holds the database, INTERVAL (default 1)
# is the seconds between blocks.
set -u
cd "$(dirname "$0")/.." || exit 1
tidemark=build/bin/tidemark
data=${DATA:-./var}
keys=deploy/localnet/keys

"$tidemark" init --data "$data" --genesis deploy/localnet/genesis.json --rules standard || exit 1

height() {
    "$tidemark" psql --data "$data" -c 'SELECT height FROM ledger.tip' 2>/dev/null
}

# Tells what can be done with the chain as soon as it has some blocks.
hint() {
    local tip
    until tip=$(height) && [ "${tip:-0}" -ge 3 ]; do
        sleep 0.5
    done
    echo
    echo "Open psql in another terminal:  $tidemark psql${DATA:+ --data $data}"
    echo "and try (Ctrl-C here stops everything):"
    deploy/queries.sh $((tip - 1)) | sed 's/^/  /; s/$/;/'
    echo
}

stop() {
    trap '' INT TERM
    kill -TERM "$up" "$demo" "$hint" 2>/dev/null
}

"$tidemark" up --data "$data" --keys "$keys" --interval "${INTERVAL:-1}" ${BLOCKS:+--blocks "$BLOCKS"} &
up=$!
"$tidemark" demo --data "$data" --keys "$keys" &
demo=$!
hint=
if [ -z "${BLOCKS:-}" ]; then
    hint &
    hint=$!
fi
trap stop INT TERM

wait "$up"
status=$?
while kill -0 "$up" 2>/dev/null; do # a signal ends the wait, not the node
    wait "$up"
    status=$?
done
kill -TERM "$demo" $hint 2>/dev/null
wait

if [ -n "${BLOCKS:-}" ] && [ "$status" -eq 0 ]; then
    tip=$(height) || exit 1
    while IFS= read -r query; do
        printf '\n%s;\n' "$query"
        "$tidemark" psql --data "$data" -c '\pset format aligned' -c '\pset tuples_only off' -c "$query" || exit 1
    done < <(deploy/queries.sh "$((tip > 3 ? tip - 1 : tip))")
fi
exit "$status"
