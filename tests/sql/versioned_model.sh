# shellcheck shell=bash
# A server with versioned state of a random history beside its model (versioned_model.sql).
#
#   SEED   repeats a run (a number between -1 and 1)
SEED=${SEED:-$(awk 'BEGIN {srand(); print rand()}')}
echo "# SEED=$SEED"

# model_start NAME: a cluster of this name; sets $tip.
model_start() {
    cluster_start "$1"
    db_prepare
    psql -Xq -f tests/sql/versioned_model.sql || { echo 'Bail out! no model'; exit 1; }
    sql "SELECT model.history($SEED)" >/dev/null
    tip=$(sql 'SELECT height FROM ledger.tip')
    like "$tip" '^[0-9]+$' 'a history was made'
}
