#!/usr/bin/env bash
# The PostgreSQL store against a real server: node/shell/store_test.c, which makes a database of its
# own for each test.
. tests/lib.sh

cluster_start store
db_prepare
CMOCKA_MESSAGE_OUTPUT=TAP "$(dirname "$TIDEMARK")/../test/node/shell/store_test"
