#!/usr/bin/env bash
# Chains made from the specification by an independent program: replayed into the database, verified,
# their results and sessions asked for in SQL, exported.
. tests/lib.sh

for name in odd sessions stored standard; do
    chain=tests/vectors/made/$name
    rules=reference
    [ $name != standard ] || rules=standard
    data=$test_dir/$name
    blocks=$(wc -l <$chain/blocks.jsonl)
    transactions=$(wc -l <$chain/results.txt)
    succeeds "$name: init" "$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules $rules
    cluster_start $name
    succeeds "$name: replay" "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl
    is "$(tail -n 1 <<<"$output")" "$blocks blocks, $transactions transactions, $blocks state hashes equal" \
        "$name: every block"
    is "$(sql 'SELECT height, tx_index, result_code FROM ledger.transaction ORDER BY 1, 2')" \
        "$(cat $chain/results.txt)" "$name: result codes"
    succeeds "$name: verify --all" "$TIDEMARK" verify --all --data "$data"
    for h in 1 13 20; do
        succeeds "$name: verify --height $h" "$TIDEMARK" verify --height $h --data "$data"
    done
    is "$(sql "SELECT count(*), count(*) FILTER (WHERE v.ok IS NOT TRUE)
               FROM generate_series(0, $blocks) h, tidemark.verify_state(h) v")" "$((10 * (blocks + 1)))|0" \
        "$name: verify_state of every height"
    succeeds "$name: export" "$TIDEMARK" export "$test_dir/$name.jsonl" --data "$data"
    is "$(tail -n +2 "$test_dir/$name.jsonl" | grep -o '"raw": "[0-9a-f]*"' | sha256sum)" \
        "$(grep -o '"raw": "[0-9a-f]*"' $chain/blocks.jsonl | sha256sum)" "$name: the exported blocks are these"
    if [ -e $chain/sessions.txt ]; then
        psql -XqAt -v ON_ERROR_STOP=1 >"$test_dir/answers" 2>&1 <<SQL
CREATE TEMP TABLE asked (n int GENERATED ALWAYS AS IDENTITY, line text);
\\copy asked (line) FROM $chain/sessions.txt
CREATE FUNCTION pg_temp.answer(q text[]) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
    members text;
BEGIN
    SELECT encode(s.session_id, 'hex') || '|' ||
        coalesce(string_agg(encode(s.address, 'hex'), ',' ORDER BY s.address) FILTER (WHERE s.kind = 'servicer'), '') || '|' ||
        coalesce(string_agg(encode(s.address, 'hex'), ',' ORDER BY s.address) FILTER (WHERE s.kind = 'fisherman'), '')
    INTO members
    FROM tidemark.session_at(q[2]::bigint, decode(q[1], 'hex'), q[3], q[4]) s GROUP BY s.session_id;
    RETURN members;
EXCEPTION WHEN OTHERS THEN
    RETURN 'none';
END \$\$;
SELECT concat_ws('|', q[1], q[2], q[3], q[4], pg_temp.answer(q))
FROM asked, LATERAL string_to_array(line, '|') q ORDER BY n;
SQL
        diff "$test_dir/answers" $chain/sessions.txt >"$test_dir/different"
        ok $? "$name: sessions" "$(head -n 20 "$test_dir/different")"
    fi
    succeeds "$name: rollback" "$TIDEMARK" rollback 9 --data "$data"
    succeeds "$name: replay of the rest" "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl
    is "$(tail -n 1 <<<"$output" | cut -d ' ' -f 1)" $((blocks - 9)) "$name: from height 10"
    succeeds "$name: prune" "$TIDEMARK" prune --keep 7 --data "$data"
    succeeds "$name: verify --all of what is kept" "$TIDEMARK" verify --all --data "$data"
    cluster_stop $name
done
done_testing
