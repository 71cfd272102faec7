#!/usr/bin/env bash
# A superuser changes one column of one row; `tidemark verify --all` must name it. Goes through every
# column of every versioned table, the tree nodes, transactions and blocks; then rows removed and made up.
# SEED chooses other rows; ONLY, a regular expression, some of the changes.
. tests/lib.sh
chain=tests/vectors/chain-a

# Columns that no hash and no derivation covers (docs/integrity.md says why).
uncovered=' '

data=$test_dir/a
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
cluster_start a
succeeds 'the chain' "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl

# A superuser is not stopped by constraints.
sql "DO \$\$
DECLARE c record;
BEGIN
  FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
           WHERE contype = 'c' AND connamespace = 'ledger'::regnamespace AND conparentid = 0 AND coninhcount = 0 LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname);
  END LOOP;
END \$\$" >/dev/null
succeeds 'verifies before' "$TIDEMARK" verify --all --data "$data"

# Another value of a column's type; numbers move by $3.
mutation() {
    case $2 in
    bytea) echo "CASE WHEN $1 IS NULL THEN decode(repeat('07', 32), 'hex') WHEN $1 = '' THEN '\\x01' ELSE set_byte($1, octet_length($1) - 1, get_byte($1, octet_length($1) - 1) # 1) END" ;;
    'bytea[]') echo "ARRAY[set_byte($1[1], 0, get_byte($1[1], 0) # 1)] || $1[2:]" ;;
    'text[]') echo "$1 || 'zzzz'::text" ;;
    text) echo "coalesce($1, '') || '7'" ;;
    boolean) echo "NOT $1" ;;
    'timestamp with time zone') echo "$1 + interval '1 second'" ;;
    smallint) echo "($1 + CASE WHEN $1 < 5 THEN 1 ELSE -1 END)::smallint" ;;
    *) echo "$1 + $3" ;;
    esac
}

seed=${SEED:-1}

# try NAME TABLE CHANGE-SQL: makes the change (@SEED@ in it chooses the row), expects a finding, takes it back.
try() {
    local status attempt
    [[ $1 =~ ${ONLY:-.} ]] || return 0
    sql "CREATE TABLE public.saved AS TABLE $2" >/dev/null
    for attempt in {1..20}; do
        sql "SET session_replication_role = replica" "${3//@SEED@/$seed.$attempt}" >"$test_dir/change" && break
        # another row's key already: change another row
        grep -q 'duplicate key' "$test_dir/change" || break
    done
    ! grep -q '^ERROR' "$test_dir/change" || {
        ok 1 "$1: the change itself" "$(cat "$test_dir/change")"
        sql 'DROP TABLE public.saved' >/dev/null
        return
    }
    output=$("$TIDEMARK" verify --all --data "$data" 2>&1)
    status=$?
    [ $status -eq 1 ] && [ -n "$output" ]
    ok $? "$1" "status $status" "$output"
    sql "SET session_replication_role = replica" "TRUNCATE $2" "INSERT INTO $2 SELECT * FROM public.saved" 'DROP TABLE public.saved' >/dev/null
}

# ledger.large_balance holds nothing of its own: report.check() is its check.
tables=$(sql "SELECT c.relname FROM pg_class c WHERE c.relname NOT LIKE 'large\_balance%' AND c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND (c.relname LIKE '%\\_history' OR EXISTS (SELECT FROM pg_class h WHERE h.relnamespace = c.relnamespace AND h.relname = c.relname || '_history')
                   OR c.relname IN ('transaction', 'block', 'change')) ORDER BY 1")
for table in $tables; do
    rows=$(sql "SELECT count(*) FROM ledger.$table")
    if [ "$rows" = 0 ]; then
        case $table in
        flag*) continue ;; # nothing writes flags
        esac
    fi
    while IFS='|' read -r column type; do
        [ "$rows" != 0 ] || continue
        case $uncovered in *" $table.$column "*) continue ;; esac
        by=1
        case $table.$column in
        # one more would be another row's key
        block.height | change.step | change.height | transaction.height | transaction.tx_index) by=1000 ;;
        esac
        new=$(mutation "$column" "$type" $by)
        try "ledger.$table.$column" "ledger.$table" \
            "UPDATE ledger.$table SET $column = $new WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM ledger.$table t ORDER BY md5(t::text || '@SEED@') LIMIT 1)"
    done < <(sql "SELECT attname, format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, NULL) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                  WHERE attrelid = 'ledger.$table'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum")
    [ "$rows" = 0 ] ||
        try "a row of ledger.$table removed" "ledger.$table" \
            "DELETE FROM ledger.$table WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM ledger.$table t ORDER BY md5(t::text || 'd@SEED@') LIMIT 1)"
done
try 'an account made up' ledger.account "INSERT INTO ledger.account VALUES ('\\x0101010101010101010101010101010101010101', 5, 1000)"
try 'a flag made up' ledger.flag "INSERT INTO ledger.flag SELECT 'f', 3, 'v', true"
try 'a version after the tip' ledger.account "INSERT INTO ledger.account VALUES ('\\x0101010101010101010101010101010101010101', 60, 1000)"
try 'the tip hash' ledger.tip "UPDATE ledger.tip SET state_hash = set_byte(state_hash, 0, get_byte(state_hash, 0) # 1)"
try 'the chain id' ledger.chain "UPDATE ledger.chain SET chain_id = chain_id || 'x'"
try 'the genesis file' ledger.chain "UPDATE ledger.chain SET genesis = convert_to(replace(convert_from(genesis, 'UTF8'), '100000000000000', '100000000000001'), 'UTF8')"
succeeds 'verifies after' "$TIDEMARK" verify --all --data "$data"
done_testing
