#!/usr/bin/env bash
# Programs that people read databases with, tried on the recorded chain as a reader: psql, pgcli, JDBC
# (what DBeaver asks for), pandas with SQLAlchemy and psycopg2, postgresql-autodoc with graphviz, and
# the queries of the Grafana dashboard. docs/tools.md says the same to people.
. tests/lib.sh
chain=tests/vectors/chain-a
export HOME=$test_dir

data=$test_dir/a
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
port=$((20000 + $$ % 12000)) # as in listen_test.sh
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
password=$("$TIDEMARK" db listen $port --data "$data" | sed -n 's/^password *//p')
cluster_start a
"$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null
url=$("$TIDEMARK" db url --data "$data")
export PGUSER=tidemark_reader

# has TEXT LINE NAME: the text has this very line.
has() {
    grep -qxF -- "$2" <<<"$1"
    ok $? "$3" "no line: $2"
}

# --- psql ------------------------------------------------------------------------------------------

describe() {
    psql -X -P pager=off -c "$1" 2>&1
}
page=$(describe '\d+ state.account')
like "$page" 'balance_upokt \| upokt .*\| Balance in upokt \(1 POKT = 1,000,000 upokt\)' '\d+ shows what a column means'
for query in '\d+ state.servicer' '\dv+ state.*' '\dv+ history.*' '\dv+ chain.*' '\df+ state.*' '\df+ tidemark.*' '\dT+ tidemark.*' '\dn+'; do
    page=$(describe "$query")
    unlike "$page" $'\t|\nERROR' "$query has no tabs"
    # a description fills the last column of each row
    case $query in
    '\dv+ '* | '\dT+ '* | '\dn+')
        lacking=$(grep -E '^ (state|history|chain|tidemark|ledger|ops) ' <<<"$page" | grep -cE '\| *$')
        is "$lacking" 0 "$query: nothing lacks a description"
        ;;
    esac
done
has "$(psql -X -A -t -c '\dv+ state.supply')" \
    'state|supply|view|tidemark_owner|permanent|0 bytes|Sum of all balances, in one row. Derived from accounts and pools.' \
    '\dv+ of one view'
is "$(psql -XqAt --csv -c 'SELECT height, transactions FROM chain.block ORDER BY height DESC LIMIT 2')" \
    $'59,2\n58,3' 'CSV'

# --- pgcli -----------------------------------------------------------------------------------------

output=$(timeout 300 pgcli --warn off --less-chatty -w "$url" 2>&1 <<'END'
SELECT height, transactions FROM chain.block ORDER BY height DESC LIMIT 2;
SELECT * FROM state.account_at(60);
END
)
ok $? 'pgcli reads and ends' "$output"
like "$output" '\| 59 +\| 2 ' 'pgcli: a query'
like "$output" 'height 60 is above the tip.*The last committed block is 59' 'pgcli: an error with its hint'

# --- JDBC ------------------------------------------------------------------------------------------

succeeds 'the Java program compiles' ecj -17 -proc:none -d "$test_dir/classes" tests/e2e/tools/JdbcMetadata.java
facts=$(PGPASSWORD=$password java -cp "$test_dir/classes:/usr/share/java/postgresql.jar" JdbcMetadata \
    "jdbc:postgresql://127.0.0.1:$port/tidemark" tidemark_reader 2>&1)
ok $? 'JDBC over TCP with a password' "$(tail -n 5 <<<"$facts")"
for name in chain history ledger ops state tidemark; do has "$facts" "schema|$name" "JDBC: schema $name"; done
has "$facts" 'relation|state.account|VIEW|Accounts and their balances at the height asked. Provable: tree account.' \
    'JDBC: a view with its remark'
has "$facts" 'column|state.account.balance_upokt|2001|upokt|Balance in upokt (1 POKT = 1,000,000 upokt), e.g. 100000000000000. Provable.' \
    'JDBC: a column with type and remark'
ours='(state|history|chain|ops|ledger)\.'
[ "$(grep -cE "^column\|$ours" <<<"$facts")" -gt 300 ]
ok $? 'JDBC: all columns'
is "$(grep -E "^(relation|column)\|$ours.*\|null$" <<<"$facts")" '' 'JDBC: every view, table and column has a remark'
is "$(grep -E '^function\|.*\|null$' <<<"$facts")" '' 'JDBC: so has every function'
has "$facts" 'key|address' 'JDBC: primary key of a base table'
has "$facts" 'type|balance_upokt|numeric|java.math.BigDecimal' 'JDBC: amounts are BigDecimal'
has "$facts" 'type|address|bytea|[B' 'JDBC: addresses are bytes'
has "$facts" 'row|20|99999999970000|99999999.970000|20' 'JDBC: a prepared query'
has "$facts" 'block|59|2026-11-22T21:42:21.548880Z|2' 'JDBC: time with its zone'
like "$facts" 'future.22003.ERROR: height 60 is above the tip +Hint: The last committed block is 59' 'JDBC: an error with its hint'
has "$facts" 'readonly|on' 'JDBC: read only'

# --- pandas, SQLAlchemy, psycopg2 --------------------------------------------------------------------

facts=$(/usr/bin/python3 tests/e2e/tools/pandas_read.py "$url" 2>&1)
ok $? 'pandas reads' "$facts"
while IFS= read -r line; do has "$facts" "$line" "pandas: $line"; done <<'END'
rows 406
types memoryview Decimal Decimal int64
address 00101f2ff54811e84df2d767c661f57a06349b7e
sum 39599679988775482 39599679988.775482
exact True
coerced float64
blocks 60 datetime64[ns, UTC] 190
minutes 19 55 60 24 32
changed 130
array list ['0001']
not applicable True
schemas chain history ledger ops public report state tidemark
column balance_upokt NUMERIC | Balance in upokt (1 POKT = 1,000,000 upokt), e.g. 100000000000000. Provable.
comment Accounts and their balances at the height asked. Provable: tree account.
reflected 99999999960000
height by option 406
error 22003 The last committed block is 59.
END

# --- postgresql-autodoc and graphviz -------------------------------------------------------------------

autodoc() { # TEMPLATE SCHEMAS: makes $test_dir/TEMPLATE.TEMPLATE
    (cd "$test_dir" && postgresql_autodoc -d tidemark -h "$PGHOST" -u tidemark_reader -s "$2" -t "$1" -f "$1" 2>&1)
}
succeeds 'postgresql-autodoc: pages of the views' autodoc html '^(state|history|chain)$'
for name in account servicer validator_set transaction message_send balance_change; do
    grep -q "name=\"[a-z]*\.view\.$name\"\|$name" "$test_dir/html.html"
    ok $? "postgresql-autodoc: $name is on it"
done
grep -q 'Accounts and their balances at the height asked' "$test_dir/html.html"
ok $? 'postgresql-autodoc: with comments'
succeeds 'postgresql-autodoc: picture of the tables' autodoc dot '^ledger$'
succeeds 'graphviz draws it' dot -Tsvg "$test_dir/dot.dot" -o "$test_dir/tables.svg"
for name in account servicer transaction block; do
    grep -q "<title>$name</title>" "$test_dir/tables.svg"
    ok $? "graphviz: a box for $name"
done

# --- Grafana's dashboard ---------------------------------------------------------------------------------

dashboard=deploy/grafana/tidemark.json
succeeds 'the dashboard is JSON' jq -e '.panels | length >= 15' $dashboard
is "$(jq -r '[.panels[].id] | length == (unique | length)' $dashboard)" true 'its panels have numbers of their own'
count=0
while IFS=$'\t' read -r title format encoded; do
    query=$(base64 -d <<<"$encoded" | sed -E \
        -e "s/\\\$__timeFilter\(([a-z_.]+)\)/\1 BETWEEN '2026-11-22T21:00:00Z' AND '2026-11-22T22:00:00Z'/g" \
        -e 's/\$bucket/minute/g; s/\$address/00201fa516d71eeff5c930d5b8ff99c23a948d25/g')
    unlike "$query" '\$' "$title: variables are known"
    rows=$(psql -XqA -v ON_ERROR_STOP=1 -c "$query" 2>&1)
    status=$?
    [ $status -eq 0 ] && [[ $title == Node || $rows != *'(0 rows)' ]]
    ok $? "$title: the query answers" "$rows"
    [ "$format" != time_series ] || like "$rows" '^time\|' "$title: the time comes first"
    count=$((count + 1))
done < <(jq -r '.panels[] | .title as $t | .targets[] | [$t, .format, (.rawSql | @base64)] | @tsv' $dashboard)
is $count "$(jq '[.panels[].targets[]] | length' $dashboard)" "$count queries"
done_testing
