# shellcheck shell=bash
# shellcheck disable=SC2154 # test_dir and data come from tests/lib.sh
# Readers that run reports without a pause, beside the node or on a streaming replica.
readers=''
replica=$test_dir/replica
replica_host=''

# readers_start COUNT HOST ROLE [CPU]
readers_start() {
    local pin=() options=''
    [ $# -lt 4 ] || pin=(taskset -c "$4")
    # What tidemark_reader has on a replica too; that role's limit on connections it has not.
    [ "$2" != "$replica_host" ] || options=$(psql -XqAt -c "SELECT string_agg(
        format('-c %s=%s', setting, required), ' ') FROM ops.reader_limit
        WHERE setting IN ('default_transaction_read_only', 'tidemark.nice')")
    echo "  $1 readers" >&2
    PGHOST=$2 PGUSER=$3 PGOPTIONS=$options "${pin[@]}" pgbench -n -c "$1" -j 1 -T 86400 \
        -f tests/bench/reports.sql >"$test_dir/readers" 2>&1 &
    readers=$!
    wait_for 20 readers_run "$1" "$2" || {
        echo "make bench: the readers do not run" >&2
        tail -n 3 "$test_dir/readers" >&2
        exit 1
    }
}

# readers_run COUNT HOST: all of them are at work.
readers_run() {
    [ "$(PGHOST=$2 psql -XqAt -c "SELECT count(*) FROM pg_stat_activity
                                  WHERE application_name = 'pgbench'")" -ge "$1" ]
}

readers_stop() {
    kill "$readers" 2>/dev/null || {
        echo 'make bench: the readers ended before the node did' >&2
        tail -n 3 "$test_dir/readers" >&2
    }
    wait "$readers" 2>/dev/null
}

# replica_start CPU: a replica of the node of $data as `tidemark replica create` makes it, in step with
# it, pinned; its superuser logs in at $replica_host. Two servers with a quarter of the machine each
# for their buffers, and all their files twice in the kernel's cache, would fight for memory: this
# one has 1 GB at most. Nothing of the copy is left to be written when it returns.
replica_start() {
    local buffers
    buffers=$(psql -XqAt -c "SELECT least(setting::bigint, 131072) FROM pg_settings
                             WHERE name = 'shared_buffers'")
    echo '  a replica' >&2
    taskset -c "$1" "$TIDEMARK" replica create --from "$data" --data "$replica" >/dev/null || exit 1
    "$TIDEMARK" db stop --data "$replica" >/dev/null
    echo "shared_buffers = $buffers" >>"$replica/cluster/data/local.conf"
    taskset -c "$1" "$TIDEMARK" db start --data "$replica" >/dev/null || exit 1
    replica_host=$(cluster_socket "$replica")
    wait_for 60 replica_in_step || {
        tail -n 5 "$replica/cluster/postgres.log" >&2
        echo 'make bench: the replica does not follow' >&2
        exit 1
    }
    sync
}

replica_in_step() {
    [ "$(psql -XqAt -c "SELECT count(*) FROM pg_stat_replication
                        WHERE replay_lsn >= pg_current_wal_flush_lsn()")" = 1 ]
}

replica_stop() {
    "$TIDEMARK" replica remove --data "$replica" >/dev/null
}
