#!/usr/bin/env bash
# docs/schema.md is what the catalogue says now. (That everything has a comment: surface_test.sh.)
. tests/lib.sh
cluster_start schema
db_prepare

page=$test_dir/schema.md
succeeds 'the page is made' deploy/schema-doc.sh "$("$TIDEMARK" db url --data "$data" --role owner)"
printf '%s\n' "$output" >"$page"
difference=$(diff -u docs/schema.md "$page" | head -n 40)
is "$difference" '' 'docs/schema.md is up to date (if not: make docs)'

# nothing public is left out
for name in $(sql "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"); do
    grep -q "^### $name$" "$page" || missing+=" $name"
done
is "${missing:-}" '' 'every view is on it'
missing=
for name in $(sql "SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                   WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'ledger')"); do
    grep -q "^| \`$name(" "$page" || missing+=" $name"
done
is "$missing" '' 'and every function'
is "$(grep -c '|  |$' "$page")" 0 'no meaning is empty'

# the picture's boxes and lines fit together
awk '/^```mermaid$/ { inside = 1; delete box }
     inside && /^    [a-z_]+ {$/ { box[$1] = 1 }
     inside && /\|\|--/ { if (!($1 in box) || !($3 in box)) print }
     /^```$/ { inside = 0 }' "$page" >"$test_dir/loose"
is "$(cat "$test_dir/loose")" '' 'every line of the picture joins two of its boxes'

sed 's/chain.block,height/chain.block,hight/' deploy/schema/relations.csv >"$test_dir/wrong.csv"
like "$(psql -XqAt -v relations="$test_dir/wrong.csv" -f deploy/schema/page.sql 2>&1)" \
    'columns that do not exist: chain.block.hight' 'a relation of columns that do not exist is refused'
done_testing
