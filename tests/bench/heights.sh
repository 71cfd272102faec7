# shellcheck shell=bash
# shellcheck disable=SC2154 # test_dir and data come from tests/lib.sh
# A chain with many versions, what reading it at past heights takes, and what readers do to its node.
#
# Real are genesis, rows, lifetimes, changes, trees with the nodes of every height, roots and headers;
# made up are the balances, which follow from no transaction, and the certificates, which are empty.
if [ "${SCALE:-default}" = full ]; then
    height_accounts=1000000 servicers=20000 applications=5000 versions=10000000 heights=50000
else
    height_accounts=100000 servicers=2000 applications=500 versions=1000000 heights=4500
fi
replica_readers=50
blocks=300
# With a replica: the machine's own slow hours should meet both cases, so they take turns, and the
# figures are the medians of all turns.
turns=5
turn_blocks=100

# What the shipped limit on analysts admits; 8 where there is none.
admitted_readers() {
    psql -XqAt -c "SELECT CASE WHEN rolconnlimit BETWEEN 8 AND 50 THEN rolconnlimit ELSE 8 END
                   FROM pg_roles WHERE rolname = 'tidemark_reader'"
}

heights_fill() {
    local genesis=$test_dir/heights.json

    "$BENCH/node/shell/bench/versions_bench" genesis $height_accounts $servicers $applications "$genesis"
    echo "  init with $height_accounts accounts, $versions versions over $heights heights" >&2
    "$TIDEMARK" init --data "$data" --genesis "$genesis" --rules standard >/dev/null || exit 1
    "$BENCH/node/shell/bench/versions_bench" fill $height_accounts $versions $heights || exit 1
    echo '  sums for the reports' >&2
    psql -Xq -v ON_ERROR_STOP=1 -c 'SELECT ledger.fill_totals()' >/dev/null || exit 1
    psql -Xq -c 'VACUUM ANALYZE' -c CHECKPOINT
}

heights_measure() {
    local node_cpu reader_cpu

    run node/shell/bench/heights_bench $height_accounts
    # What making and dropping the large peers left to be written would be part of single queries.
    psql -Xq -c CHECKPOINT
    run node/shell/bench/proof_bench $height_accounts
    run node/shell/bench/rollback_bench
    run node/shell/bench/commits_bench 'commit alone' $blocks
    readers_start "$(admitted_readers)" "$PGHOST" tidemark_reader
    run node/shell/bench/commits_bench 'commit, readers beside' $blocks
    readers_stop
    if [ "$(nproc)" -lt 2 ]; then
        return
    fi
    node_cpu=$(disk_cpu)
    reader_cpu=$(other_cpu "$node_cpu")
    pin_cluster "$node_cpu"
    run node/shell/bench/commits_bench 'commit on one core' $turn_blocks "$node_cpu"
    replica_start "$reader_cpu"
    replica_measure "$node_cpu" "$reader_cpu"
    replica_stop
}

# replica_measure NODE_CPU READER_CPU: a replica that nobody reads, and one with readers, in turn.
replica_measure() {
    local turn bench=$BENCH/node/shell/bench/commits_bench
    for turn in $(seq $turns); do
        echo "  commits with a replica, turn $turn" >&2
        "$bench" 'commit, an idle replica' $turn_blocks "$1" >>"$test_dir/turns" || exit 1
        # The limit on connections of tidemark_reader is meant for the node's own server.
        readers_start $replica_readers "$replica_host" postgres "$2"
        "$bench" 'commit, readers on a replica' $turn_blocks "$1" >>"$test_dir/turns" || exit 1
        readers_stop
        wait_for 300 replica_in_step || exit 1
    done
    medians "$test_dir/turns" >>"$figures"
}

# height_row FIGURE PEER NAME TARGET
height_row() {
    row "$3" "$(figure "$1, against $2")" ms "$2: $(figure "$1: $2") ms" \
        "$(figure "$1: ratio to $2")" "$4"
}

# proof_row WHAT
proof_row() {
    row "proof of $1 at a random height, p99" "$(figure "proof of $1: p99")" ms \
        "2 ms (median $(figure "proof of $1: median"))" \
        "$(quotient "$(figure "proof of $1: p99")" 2)" '<= 1'
}

# commit_row FIGURE PEER NAME TARGET: the peer is the same with nobody reading.
commit_row() {
    row "$3" "$(figure "$1: p99")" ms "nobody reading: $(figure "$2: p99") ms" \
        "$(quotient "$(figure "$1: p99")" "$(figure "$2: p99")")" "$4"
}

heights_rows() {
    local faster

    height_row tip 'plain table' 'all accounts at the tip' '<= 1.2'
    height_row middle 'plain table' 'all accounts at the middle height' '<= 3'
    height_row early 'plain table' 'all accounts at 1 % of the heights' '<= 6'
    for faster in 'DISTINCT ON|>= 10' 'int8range|>= 1.5'; do
        row "the middle height, how much faster" "$(figure "middle, against ${faster%|*}")" ms \
            "${faster%|*}: $(figure "middle: ${faster%|*}") ms" \
            "$(quotient 1 "$(figure "middle: ratio to ${faster%|*}")")" "${faster#*|}"
    done
    row 'one account at a random height' "$(figure 'one key')" ms \
        "by primary key: $(figure 'one key: plain table') ms" \
        "$(quotient "$(figure 'one key')" "$(figure 'one key: plain table')")" '<= 1.5'
    row 'the same' "$(figure 'one key')" ms '0.2 ms' "$(quotient "$(figure 'one key')" 0.2)" '<= 1'
    proof_row 'a present key'
    proof_row 'an absent key'
    row 'tree nodes stored for a changed leaf' \
        "$(figure 'commit alone: bytes of tree nodes a changed leaf')" bytes '1,024 bytes' \
        "$(quotient "$(figure 'commit alone: bytes of tree nodes a changed leaf')" 1024)" '<= 1'
    row 'everything stored for a changed leaf' \
        "$(figure 'commit alone: bytes a changed leaf')" bytes '1,024 bytes' \
        "$(quotient "$(figure 'commit alone: bytes a changed leaf')" 1024)" '<= 1'
    height_row 'diff of 100 heights' 'plain table' \
        "diff of 100 heights, $(figure 'diff of 100 heights: rows') rows" '<= 3'
    row 'rollback of 1,000 changes' "$(figure 'rollback of 1,000 changes')" ms '10 ms' \
        "$(quotient "$(figure 'rollback of 1,000 changes')" 10)" '<= 1'
    commit_row 'commit, readers beside' 'commit alone' \
        'commit of 1,000 sends, readers beside, p99' '<= 3'
    if [ "$(nproc)" -ge 2 ]; then
        commit_row 'commit, readers on a replica' 'commit, an idle replica' \
            "commit, $replica_readers readers on a replica, p99" '<= 1.5'
    fi
}
