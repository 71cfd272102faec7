#!/usr/bin/env bash
# Thirty kills of node, backend, database and `tidemark up` at random points of a block. SEED chooses
# others; `make torture N=1000` is the long form.
. tests/lib.sh

kills=30
tests/torture/run $kills >"$test_dir/torture" 2>&1
status=$?
while read -r line; do
    ok 0 "$line"
done < <(grep '^kill ' "$test_dir/torture")
is "$tests_run" $kills 'every kill is survived'
[ $status -eq 0 ]
ok $? 'heights whole, nothing signed twice, every block verifies' "$(grep -v '^kill ' "$test_dir/torture")"
grep -v '^kill ' "$test_dir/torture" | sed 's/^/# /'
done_testing
