#!/usr/bin/env bash
# The PostgreSQL store against a real server: node/shell/store/store_test.c, which makes a database of its
# own for each test, and store_guard_test.c.
. tests/lib.sh

cluster_start store
db_prepare
export CMOCKA_MESSAGE_OUTPUT=TAP
"$(dirname "$TIDEMARK")/../test/node/shell/store/store_test"
status=$?
"$(dirname "$TIDEMARK")/../test/node/shell/store/store_guard_test" && exit $status
