#!/usr/bin/env bash
# A chain of 200 blocks or more under `standard`, made here with traffic: every height verified in SQL and in C,
# exported, replayed elsewhere, its money counted at every height, and read in both ways SQL has.
# SEED gives other traffic.
. tests/lib.sh

genesis=deploy/localnet/genesis.json
keys=deploy/localnet/keys
data=$test_dir/chain

"$TIDEMARK" init --data "$data" --genesis $genesis >/dev/null
cluster_start chain
"$TIDEMARK" up --data "$data" --keys $keys --interval 0.05 >"$test_dir/up" 2>&1 &
up=$!
"$TIDEMARK" demo --data "$data" --keys $keys --seed "${SEED:-1}" >"$test_dir/demo" 2>&1 &
demo=$!
# On a busy machine the traffic gives way to the node: the chain grows until there is enough of both.
far_enough() {
    [ "$(sql "SELECT t.height >= 200 AND x.n >= 200 AND x.failed > 0 AND x.kinds >= 5 FROM ledger.tip t,
        (SELECT count(*) AS n, count(*) FILTER (WHERE result_code <> 0) AS failed, count(DISTINCT message_type) AS kinds
         FROM ledger.transaction) x")" = t ]
}
wait_for 600 far_enough
kill -TERM $demo $up
wait $demo
ok $? 'traffic' "$(cat "$test_dir/demo")"
wait $up
ok $? 'up makes blocks until it is ended' "$(tail -n 5 "$test_dir/up")"

blocks=$(sql 'SELECT height FROM ledger.tip')
[ "$blocks" -ge 200 ]
ok $? "$blocks blocks"
is "$(sql 'SELECT count(*) = max(height) + 1 FROM ledger.block')" t 'no height is missing'

# --- what is in it --------------------------------------------------------------------------------------
transactions=$(sql 'SELECT count(*) FROM ledger.transaction')
[ "$transactions" -ge 100 ]
ok $? "$transactions transactions"
failed=$(sql 'SELECT count(*) FROM ledger.transaction WHERE result_code <> 0')
[ "$failed" -gt 0 ]
ok $? "$failed of them failed"
kinds=$(sql 'SELECT message_type, count(*) FROM ledger.transaction GROUP BY 1 ORDER BY 1')
[ "$(wc -l <<<"$kinds")" -ge 5 ]
ok $? 'messages of many kinds' "$kinds"
is "$(sql "SELECT count(*) FROM ledger.transaction WHERE (result_code <> 0) <> (error <> '')")" 0 \
    'the failed ones, and no others, have an error text'

# --- proofs ---------------------------------------------------------------------------------------------
is "$(sql "SELECT count(*), count(*) FILTER (WHERE v.ok IS NOT TRUE)
           FROM generate_series(0, $blocks) h, tidemark.verify_state(h) v")" "$((10 * (blocks + 1)))|0" \
    'verify_state of every height, ten trees each'
is "$(sql "SELECT count(DISTINCT h), count(*) FILTER (WHERE v.ok IS NOT TRUE)
           FROM generate_series(1, $blocks) h, tidemark.verify_block(h) v")" "$blocks|0" \
    'verify_block of every height'
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"
like "$output" "$((blocks + 1)) blocks, $transactions transactions" 'all of them'
is "$(sql "SELECT count(*) FROM ledger.block b WHERE b.height > 0 AND (b.previous_state_hash <>
               (SELECT p.state_hash FROM ledger.block p WHERE p.height = b.height - 1)
           OR b.transactions <> (SELECT count(*) FROM ledger.transaction t WHERE t.height = b.height))")" 0 \
    'each block names the one before and counts its transactions'

# --- money ----------------------------------------------------------------------------------------------
is "$(sql "SELECT count(*), count(DISTINCT s.total_upokt), count(DISTINCT s.account_upokt) > 1
           FROM generate_series(0, $blocks) h, state.supply_at(h) s")" "$((blocks + 1))|1|t" \
    'accounts and pools together are the same at every height'
is "$(sql "SELECT count(*) FROM generate_series(0, $blocks) h, state.supply_at(h) s
           WHERE s.account_upokt <> (SELECT sum(a.balance_upokt) FROM state.account_at(h) a)
              OR s.pool_upokt <> (SELECT sum(p.balance_upokt) FROM state.pool_at(h) p)")" 0 \
    'supply is the sum of the rows'
is "$(sql "SELECT count(*) FROM (SELECT balance FROM ledger.account UNION ALL SELECT balance FROM ledger.account_history
               UNION ALL SELECT balance FROM ledger.pool UNION ALL SELECT balance FROM ledger.pool_history) b
           WHERE b.balance < 0")" 0 'no balance is ever negative'
is "$(sql "WITH staked AS (
               SELECT h, 'AppStakePool' AS pool, (SELECT sum(stake_upokt) FROM state.application_at(h)) AS upokt FROM generate_series(0, $blocks) h
               UNION ALL SELECT h, 'ServicerStakePool', (SELECT sum(stake_upokt) FROM state.servicer_at(h)) FROM generate_series(0, $blocks) h
               UNION ALL SELECT h, 'FishermanStakePool', (SELECT sum(stake_upokt) FROM state.fisherman_at(h)) FROM generate_series(0, $blocks) h
               UNION ALL SELECT h, 'ValidatorStakePool', (SELECT sum(stake_upokt) FROM state.validator_at(h)) FROM generate_series(0, $blocks) h)
           SELECT count(*), count(DISTINCT (s.pool, p.balance_upokt - coalesce(s.upokt, 0))), count(DISTINCT s.upokt) > 4
           FROM staked s, LATERAL state.pool_at(s.h) p WHERE p.name = s.pool")" "$((4 * (blocks + 1)))|4|t" \
    'stake pools move as the stakes do'

# --- the two ways to ask ----------------------------------------------------------------------------------
views=$(sql "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'state'::regnamespace AND c.relkind = 'v'
             AND to_regprocedure(format('state.%I(bigint)', c.relname || '_at')) IS NOT NULL ORDER BY 1")
[ "$(wc -w <<<"$views")" -ge 8 ]
ok $? 'views of the state' "$views"
for h in 0 1 37 "$((blocks / 2))" $blocks; do
    different=
    for view in $views; do
        [ "$(sql "SELECT count(*), md5(string_agg(v::text, ' ' ORDER BY v::text COLLATE \"C\")) FROM state.${view}_at($h) v")" = \
            "$(sql "SET tidemark.height = $h" "SELECT count(*), md5(string_agg(v::text, ' ' ORDER BY v::text COLLATE \"C\")) FROM state.$view v")" ] ||
            different+=" $view"
    done
    is "$different" '' "views with tidemark.height = $h are the functions at $h"
done

# --- elsewhere --------------------------------------------------------------------------------------------
succeeds 'export' "$TIDEMARK" export "$test_dir/exported.jsonl" --data "$data"
tip=$(sql "SELECT height, encode(state_hash, 'hex') FROM ledger.tip")
rows=$(sql "SELECT md5(string_agg(md5(t::text), '' ORDER BY t.height)) FROM ledger.block t")
other=$test_dir/other
succeeds 'init of a second database' "$TIDEMARK" init --data "$other" --genesis $genesis
succeeds 'replay' "$TIDEMARK" replay --data "$other" "$test_dir/exported.jsonl"
is "$(tail -n 1 <<<"$output")" "$blocks blocks, $transactions transactions, $blocks state hashes equal" 'of every block'
succeeds 'verify --all of it' "$TIDEMARK" verify --all --data "$other"
cluster_start other
is "$(sql "SELECT height, encode(state_hash, 'hex') FROM ledger.tip")" "$tip" 'the same tip'
is "$(sql "SELECT md5(string_agg(md5(t::text), '' ORDER BY t.height)) FROM ledger.block t")" "$rows" \
    'the same blocks, certificates included'
done_testing
