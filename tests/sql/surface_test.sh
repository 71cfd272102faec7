#!/usr/bin/env bash
# The public surface: names, order and types of columns, a comment on everything, the rights of each
# role, decoded messages of recorded transactions, and plans that use the indexes.
set -u
. tests/lib.sh
cluster_start surface
db_prepare

# --- columns -------------------------------------------------------------------------------------

columns() { # RELATION: its columns with their types
    sql "SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = '$1'::regclass AND a.attnum > 0" | sed 's/tidemark\.//g'
}
shows() { # RELATION COLUMNS: also of its functions at a height
    is "$(columns "$1")" "$2" "columns of $1"
    case $1 in
    state.*)
        is "$(sql "SELECT DISTINCT regexp_replace(replace(pg_get_function_result(p.oid), 'tidemark.', ''), '^TABLE\((.*)\)$', '\1')
                   FROM pg_proc p WHERE p.oid::regproc::text IN ('$1_at', '$1_page_at')")" "$2" \
            "columns of $1_at and its pages" ;;
    esac
}

balance='balance_upokt upokt, balance_pokt numeric'
actor='address bytea, public_key bytea, output_address bytea, stake_upokt upokt, stake_pokt numeric, service_url text, chains text[], status text, paused_height bigint, unstaking_height bigint'
at='height bigint, valid_from bigint'
shows state.account "address bytea, $balance, $at"
shows state.pool "address bytea, name text, $balance, $at"
for kind in application servicer fisherman validator; do shows state.$kind "$actor, $at"; done
shows state.validator_set "address bytea, public_key bytea, member bigint, voting_power integer, signs_height bigint, $at"
shows state.param "name text, value text, changed_height bigint, $at"
shows state.flag "name text, value text, enabled boolean, changed_height bigint, $at"
shows state.ibc_entry "key bytea, value bytea, $at"
shows state.tree_root "tree text, root hash32, $at"
shows state.supply "account_upokt upokt, pool_upokt upokt, total_upokt upokt, $at"

wrote='valid_from bigint, valid_to bigint, step text, tx_index integer, hash hash32'
shows history.account "address bytea, $balance, $wrote"
shows history.pool "address bytea, name text, $balance, $wrote"
for kind in application servicer fisherman validator; do shows history.$kind "$actor, $wrote"; done
shows history.param "name text, value text, $wrote"
shows history.flag "name text, value text, enabled boolean, $wrote"
shows history.ibc_entry "key bytea, value bytea, $wrote"

shows chain.block 'height bigint, block_time timestamp with time zone, state_hash hash32, previous_state_hash hash32, proposer bytea, round bigint, transactions integer'
shows chain.transaction 'height bigint, tx_index integer, hash hash32, message_type text, signer bytea, recipient bytea, result_code integer, error text, tx bytea, block_time timestamp with time zone'
fact='height bigint, block_time timestamp with time zone, tx_index integer, hash hash32, signer bytea'
outcome='nonce text, result_code integer'
amount='amount_upokt upokt, amount_pokt numeric, amount_text text'
shows chain.message_send "$fact, from_address bytea, to_address bytea, $amount, $outcome"
shows chain.message_stake "$fact, actor_type text, address bytea, public_key bytea, output_address bytea, $amount, service_url text, chains text[], $outcome"
shows chain.message_edit_stake "$fact, actor_type text, address bytea, $amount, service_url text, chains text[], $outcome"
shows chain.message_unstake "$fact, actor_type text, address bytea, $outcome"
shows chain.message_unpause "$fact, actor_type text, address bytea, $outcome"
shows chain.message_change_parameter "$fact, owner bytea, name text, value text, value_type text, $outcome"
shows chain.message_update_ibc_store "$fact, key bytea, value bytea, $outcome"
shows chain.message_prune_ibc_store "$fact, key bytea, $outcome"
is "$(sql "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c
           WHERE c.relnamespace IN ('state'::regnamespace, 'history'::regnamespace, 'chain'::regnamespace)
               AND c.relkind <> 'v'")" '' 'the public schemas hold views only'
is "$(sql "SELECT count(*) FROM pg_proc p WHERE p.pronamespace = 'state'::regnamespace
               AND p.proname LIKE '%\_at' AND p.proname NOT LIKE '%page\_at'
               AND (p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'sql') OR p.proisstrict
                    OR p.provolatile <> 's' OR p.proparallel <> 's' OR p.proconfig IS NOT NULL
                    OR p.prosecdef)")" 0 'functions at a height can be inlined'

# --- comments ------------------------------------------------------------------------------------

is "$(sql "
WITH ours AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname IN ('tidemark', 'ledger', 'state', 'history', 'chain', 'ops', 'report'))
SELECT name FROM (
    SELECT nspname AS name, obj_description(oid, 'pg_namespace') AS text FROM ours
    UNION ALL
    SELECT c.oid::regclass::text, obj_description(c.oid, 'pg_class')
    FROM pg_class c JOIN ours ON ours.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT c.oid::regclass || '.' || a.attname, col_description(c.oid, a.attnum)
    FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc')
    FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace
    UNION ALL
    SELECT t.oid::regtype::text, obj_description(t.oid, 'pg_type')
    FROM pg_type t JOIN ours ON ours.oid = t.typnamespace WHERE t.typtype = 'd'
) o WHERE coalesce(text, '') = '' ORDER BY name")" '' 'everything has a comment'

# --- roles ---------------------------------------------------------------------------------------

is "$(sql "SELECT string_agg(c.oid::regclass::text, ' ') FROM pg_class c
           WHERE c.relnamespace IN (SELECT oid FROM pg_namespace
               WHERE nspname IN ('ledger', 'state', 'history', 'chain', 'ops'))
           AND c.relkind IN ('r', 'p', 'v', 'S')
           AND pg_get_userbyid(c.relowner) <> 'tidemark_owner'")" '' 'tidemark_owner owns everything'
rights() { # ROLE SCHEMAS PRIVILEGE: relations it has the privilege on, and all there are
    sql "SELECT count(*) FILTER (WHERE has_table_privilege('tidemark_$1', c.oid, '$3')) || ' of ' || count(*)
         FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = ANY ('{$2}'))
             AND c.relkind IN ('r', 'p', 'v')"
}
all=$(rights owner ledger,state,history,chain,ops SELECT | sed 's/.* of //')
base=$(rights owner ledger,ops SELECT | sed 's/.* of //')
is "$(rights reader ledger,state,history,chain,ops SELECT)" "$all of $all" 'readers read everything'
is "$(rights api ledger,state,history,chain,ops SELECT)" "$all of $all" 'so does the API'
is "$(rights node ledger,ops INSERT)" "$base of $base" 'the node writes ledger and ops'
is "$(rights node state,history,chain SELECT)" "0 of $((all - base))" 'and nothing else'
for privilege in INSERT UPDATE DELETE TRUNCATE TRIGGER REFERENCES; do
    for role in reader api; do
        is "$(rights $role ledger,state,history,chain,ops $privilege)" "0 of $all" "no $privilege for $role"
    done
done
for privilege in TRUNCATE TRIGGER REFERENCES; do
    is "$(rights node ledger,ops $privilege)" "0 of $base" "no $privilege for the node"
done
is "$(sql "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'tidemark\_%'
           AND rolcanlogin")" 'tidemark_admin tidemark_api tidemark_node' 'who may log in'
is "$(sql "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'tidemark_reader'")" 8 'few readers at once'
like "$(sql "SELECT rolconfig::text FROM pg_roles WHERE rolname = 'tidemark_reader'")" 'temp_file_limit' \
    'temp_file_limit of readers'
is "$(sql "SELECT pg_has_role('tidemark_admin', 'tidemark_owner', 'MEMBER')")" t 'admin may become owner'
for role in reader api node admin; do
    submits=t
    [ $role != reader ] || submits=f
    is "$(sql "SELECT has_function_privilege('tidemark_$role', 'tidemark.submit_tx(bytea)', 'EXECUTE')")" \
        $submits "submit_tx for $role"
    [ $role = admin ] || is "$(sql "SELECT has_database_privilege('tidemark_$role', 'tidemark', 'TEMP')")" f \
        "no temporary tables for $role"
done
for statement in 'CREATE TEMP TABLE x (y int)' 'CREATE TABLE public.x (y int)' 'CREATE SCHEMA x' \
    "SELECT lo_from_bytea(0, 'x')" "SET temp_file_limit = -1" 'SET ROLE tidemark_owner' \
    "SET session_replication_role = replica" "COPY ops.node TO PROGRAM 'true'" \
    'LOCK TABLE ledger.account IN EXCLUSIVE MODE' 'CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION x()'; do
    like "$(sql 'SET SESSION AUTHORIZATION tidemark_reader' "$statement")" 'ERROR' "reader: $statement"
done

# --- recorded transactions -----------------------------------------------------------------------

like "$(sql_as api "SELECT tidemark.submit_tx('\\x00')")" 'ERROR:' 'garbage is not submitted'
like "$(sql_as api 'SELECT tidemark.submit_tx(NULL)')" 'HINT' 'nor is nothing'

psql -Xq -v ON_ERROR_STOP=1 <<'END'
CREATE TEMP TABLE recorded (line jsonb);
\copy recorded FROM 'tests/vectors/chain-a/txresults.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
INSERT INTO ledger.transaction
SELECT (line->>'height')::bigint, (line->>'index')::int, decode(line->>'hash', 'hex'),
    decode(line->>'tx', 'hex'), (line->>'result_code')::int, coalesce(line->>'error', ''),
    decode(line->>'signer', 'hex'), nullif(decode(line->>'recipient', 'hex'), ''),
    line->>'message_type'
FROM recorded;
END
is "$(sql 'SELECT count(*) FROM chain.transaction')" 190 'recorded transactions'
for view in 'send MessageSend' 'stake MessageStake' 'edit_stake MessageEditStake' \
    'unstake MessageUnstake' 'unpause MessageUnpause' 'change_parameter MessageChangeParameter' \
    'update_ibc_store UpdateIBCStore' 'prune_ibc_store PruneIBCStore'; do
    # shellcheck disable=SC2086
    set -- $view
    is "$(sql "SELECT count(*) FROM chain.message_$1")" \
        "$(grep -c "\"message_type\": *\"$2\"" tests/vectors/chain-a/txresults.jsonl)" "chain.message_$1"
done
is "$(sql "SELECT count(*) FROM chain.message_send m JOIN chain.transaction t USING (height, tx_index)
           WHERE m.from_address IS DISTINCT FROM t.signer OR m.to_address IS DISTINCT FROM t.recipient
               OR m.nonce IS NULL OR m.amount_upokt IS NULL AND m.result_code = 0
               OR m.amount_pokt * 1000000 IS DISTINCT FROM m.amount_upokt")" 0 'sends are decoded'
is "$(sql "SELECT count(*) FROM chain.message_stake WHERE result_code = 0 AND
           (octet_length(address) <> 20 OR octet_length(public_key) <> 32 OR actor_type IS NULL
            OR amount_upokt IS NULL)")" 0 'stakes are decoded'
is "$(sql "SELECT count(*) FROM chain.message_change_parameter
           WHERE name IS NULL OR value IS NULL OR value_type IS NULL")" 0 'parameter changes are decoded'

# --- plans ---------------------------------------------------------------------------------------

sql "INSERT INTO ledger.tip VALUES (true, 1000, 0, sha256(''))" \
    "INSERT INTO ledger.account
     SELECT substr(sha256(i::text::bytea), 1, 20), 1000, i FROM generate_series(1, 20000) i" \
    "INSERT INTO ledger.account_history
     SELECT substr(sha256(i::text::bytea), 1, 20), l.h, l.h + l.lived, ledger.lifetime_class(l.lived), i
     FROM generate_series(1, 20000) i, (VALUES (0, 600), (600, 100), (700, 50), (750, 5)) l(h, lived)" \
    'VACUUM ANALYZE ledger.account' 'ANALYZE ledger.account_history' >/dev/null
key="address = '\\x4523540f1504cd17100c4835e85b7eefd4991158'"
for source in 'state.account' 'state.account_at(650)'; do
    like "$(sql "EXPLAIN (COSTS OFF) SELECT balance_upokt FROM $source WHERE $key")" \
        'Tidemark as of height.*Key: ' "$source by key: one scan"
    plan=$(sql 'SET max_parallel_workers_per_gather = 0' 'SET tidemark.enable_asof_scan = off' \
        "EXPLAIN (COSTS OFF) SELECT balance_upokt FROM $source WHERE $key")
    for class in 0 1 2 3; do
        like "$plan" "Index Scan using account_history_${class}_pkey" "$source by key: class $class by index"
    done
    like "$plan" 'Index Scan using account_pkey' "$source by key: current by index"
done
like "$(sql "EXPLAIN (COSTS OFF) SELECT tx_index FROM chain.transaction WHERE height = 5")" \
    'Index' 'transactions of a block by index'
unlike "$(sql "EXPLAIN (COSTS OFF) SELECT hash FROM chain.transaction WHERE height = 5")" \
    'block' 'block_time is joined only where it is asked for'
is "$(sql "SELECT count(*) FROM state.account_page_at(650, '\\x80', 100)")" 100 'a page'

done_testing
