#!/usr/bin/env bash
# Every query of docs/cookbook.md, run by a reader on the recorded chain (in the section on `standard`
# on a chain of LocalNet), gives the answer printed below it; and where cookbook_recorded.sql has a
# query under the same heading, what the reference recorded gives the same.
#
#   tests/sql/cookbook_test.sh --answers PAGE   prints the page with the answers found, to compare
. tests/lib.sh
page=docs/cookbook.md
[ "${1:-}" != --answers ] || page=$2

# questions FILE: titles, one a line; with DIR the parts go to DIR/n.sql and DIR/n.answer
questions() {
    awk -v dir="$2" '
        BEGIN { chain = "reference" }
        /^## / { chain = /standard/ ? "standard" : "reference" }
        /^### / { print chain > (dir "/" n + 1 ".chain") }
        /^### / { n++; print substr($0, 5); part = ""; next }
        /^```sql$/ { part = "sql"; next }
        /^```text$/ { part = "answer"; next }
        /^```/ { part = ""; next }
        part != "" { print > (dir "/" n "." part) }' "$1"
}

# answer N FILE: what psql prints for it on the chain of question N of the page, without blanks at the
# ends of lines and of the whole
answer() {
    PGHOST=${host[$(<"$test_dir/page/$1.chain")]} PGOPTIONS='-c statement_timeout=0' psql -Xq -v ON_ERROR_STOP=1 -f "$2" 2>&1 | sed 's/ *$//' | cat -s | sed '$ { /^$/ d }'
}

declare -A host
for rules in standard reference; do
    chain=tests/vectors/chain-a
    [ $rules = reference ] || chain=tests/vectors/localnet-standard
    data=$test_dir/$rules
    "$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules $rules >/dev/null
    cluster_start $rules
    "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null
    host[$rules]=$PGHOST
done

mkdir "$test_dir/page" "$test_dir/recorded"
questions "$page" "$test_dir/page" >"$test_dir/titles"

if [ "${1:-}" = --answers ]; then
    for query in "$test_dir"/page/*.sql; do
        PGUSER=tidemark_reader answer "$(basename "$query" .sql)" "$query" >"${query%.sql}.found"
    done
    awk -v dir="$test_dir/page" '
        /^### / { n++ }
        /^```text$/ { skip = 1 }
        !skip { print }
        /^```sql$/ { asked = 1; next }
        /^```$/ {
            if (!skip && asked) {
                print "\n```text"
                while ((getline line < (dir "/" n ".found")) > 0) print line
                print "```"
                asked = 0
            }
            skip = 0
        }' "$page" | cat -s | sed '$ { /^$/ d }'
    exit
fi

# --- the page ----------------------------------------------------------------------------------------

count=$(wc -l <"$test_dir/titles")
[ "$count" -ge 30 ]
ok $? "$count questions"
is "$(sort "$test_dir/titles" | uniq -d)" '' 'no question is asked twice'
n=0
while IFS= read -r title; do
    n=$((n + 1))
    if [ ! -s "$test_dir/page/$n.sql" ] || [ ! -s "$test_dir/page/$n.answer" ]; then
        ok 1 "$title" 'it lacks a query or an answer'
        continue
    fi
    is "$(PGUSER=tidemark_reader answer $n "$test_dir/page/$n.sql")" "$(sed 's/ *$//' "$test_dir/page/$n.answer")" "$title"
done <"$test_dir/titles"
is "$(grep -h "^ *[\\]" "$test_dir"/page/*.sql)" "" "no command of psql is needed"

# the commands beneath "How do I hand a proof to someone else?", as they stand there
sed -n '/^### How do I hand a proof/,/^```sql/ { /^build/ p }' "$page" |
    sed "s:build/bin/tidemark :\"$TIDEMARK\" :; s:build/bin/:$(dirname "$TIDEMARK")/:; s:--data cookbook:--data \"$test_dir/reference\":
         s:\(>\|verify \)bundle:\1\"$test_dir/bundle\":; s:\(>\|--validators \)validators:\1\"$test_dir/validators\":" >"$test_dir/hand.sh"
is "$(wc -l <"$test_dir/hand.sh")" 3 'three commands'
succeeds 'a proof is handed over' bash -e "$test_dir/hand.sh"
like "$output" '00101f2ff54811e84df2d767c661f57a06349b7e' 'and names the account'

# --- the recording says the same -----------------------------------------------------------------------

psql -Xq -v ON_ERROR_STOP=1 -f tests/sql/recorded_tables.sql
ok $? 'the recorded tables are read'
questions tests/sql/cookbook_recorded.sql "$test_dir/recorded" >"$test_dir/recorded/titles"
n=0
while IFS= read -r title; do
    n=$((n + 1))
    number=$(grep -nxF -- "$title" "$test_dir/titles" | cut -d: -f1)
    if [ -z "$number" ]; then
        ok 1 "$title" 'the page has no such question'
        continue
    fi
    is "$(answer "$number" "$test_dir/recorded/$n.sql")" "$(sed 's/ *$//' "$test_dir/page/$number.answer")" "recorded: $title"
done <"$test_dir/recorded/titles"

# --- what the picture of docs/schema.md says holds here -------------------------------------------------

psql -Xq -c 'CREATE TABLE recorded.relation (one text, one_columns text, many text, many_columns text, least int, verb text)' \
    -c '\copy recorded.relation FROM deploy/schema/relations.csv (FORMAT csv, HEADER)'
while IFS='|' read -r name query; do
    is "$(sql "$query")" 0 "$name"
done < <(sql "SELECT format('%s (%s) stands in %s (%s)|SELECT count(*) FROM %s m WHERE (%s) IS NOT NULL AND NOT EXISTS (SELECT FROM %s o WHERE (%s) = (%s))',
        many, many_columns, one, one_columns, many, 'm.' || replace(many_columns, ',', ', m.'), one,
        'o.' || replace(one_columns, ',', ', o.'), 'm.' || replace(many_columns, ',', ', m.'))
    FROM recorded.relation")
done_testing
