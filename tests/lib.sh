# shellcheck shell=bash
# For tests in shell: TAP lines and private clusters. A test sources it first:
#
#   . tests/lib.sh
#   cluster_start main              # a cluster of its own; PGHOST, PGUSER, PGDATABASE are set
#   db_prepare                      # an empty database with extension, migrations and views
#   is "$(sql 'SELECT 1')" 1 'one is one'
#   done_testing
#
# Tests run with the repository root as working directory. Whatever a test starts ends with it.
set -u

tests_run=0
tests_failed=0
TIDEMARK=${TIDEMARK:-build/bin/tidemark}
test_dir=$(mktemp -d "${TMPDIR:-/tmp}/tidemark-test-XXXXXX")
chmod 755 "$test_dir"
export PGCONNECT_TIMEOUT=10 PGTZ=UTC LC_ALL=C.UTF-8
unset PGHOST PGPORT PGUSER PGDATABASE PGOPTIONS

# ok STATUS NAME [WHAT WAS SEEN…]: one TAP line; a status of 0 passes.
ok() {
    tests_run=$((tests_run + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tests_run - $2"
    else
        tests_failed=$((tests_failed + 1))
        echo "not ok $tests_run - $2"
        [ $# -lt 3 ] || printf '%s\n' "${@:3}" | sed 's/^/#   /'
    fi
}

# is FOUND EXPECTED NAME
is() {
    [ "$1" = "$2" ]
    ok $? "$3" "found:    $1" "expected: $2"
}

# like TEXT REGEX NAME (extended regular expression, whole text)
like() {
    [[ $1 =~ $2 ]]
    ok $? "$3" "found:    $1" "expected: something like $2"
}

# unlike TEXT REGEX NAME
unlike() {
    [[ ! $1 =~ $2 ]]
    ok $? "$3" "found:    $1" "expected: nothing like $2"
}

# succeeds NAME COMMAND…: passes when the command's status is 0; output in $output.
succeeds() {
    local status
    output=$("${@:2}" 2>&1)
    status=$?
    ok $status "$1" "status $status of: ${*:2}" "$output"
}

# fails STATUS NAME COMMAND…: passes when the command ends with exactly this status; output in $output.
fails() {
    local status
    output=$("${@:3}" 2>&1)
    status=$?
    [ $status -eq "$1" ]
    ok $? "$2" "status $status, expected $1, of: ${*:3}" "$output"
}

done_testing() {
    echo "1..$tests_run"
    exit $((tests_failed > 0))
}

# cluster_socket DIR: the directory of its socket, which libpq takes as a host.
cluster_socket() {
    "$TIDEMARK" db url --data "$1" | sed 's/.*[?&]host=//'
}

# cluster_start NAME: a running database in $test_dir/NAME; sets $data, PGHOST, PGUSER, PGDATABASE.
cluster_start() {
    data=$test_dir/$1
    "$TIDEMARK" db start --data "$data" >/dev/null || {
        echo "Bail out! no database"
        exit 1
    }
    PGHOST=$(cluster_socket "$data")
    PGUSER=postgres
    PGDATABASE=tidemark
    export PGHOST PGUSER PGDATABASE
}

# cluster_stop [NAME]
cluster_stop() {
    "$TIDEMARK" db stop --data "$test_dir/${1:-$(basename "$data")}" >/dev/null
}

# db_prepare: the database `tidemark` of the cluster, without a chain, as `tidemark migrate` makes it.
db_prepare() {
    "$TIDEMARK" migrate --data "$data" >/dev/null || {
        echo "Bail out! the schema cannot be made"
        exit 1
    }
}

# sql STATEMENT…: rows as psql -XqAt prints them; errors on standard output, so that tests see them.
sql() {
    local arguments=()
    for statement in "$@"; do arguments+=(-c "$statement"); done
    psql -XqAt -v ON_ERROR_STOP=1 "${arguments[@]}" 2>&1
}

# sql_as ROLE STATEMENT…: the same as one of the roles tidemark_*. Without the time limits these begin
# with: their sessions give way to others, and a busy machine may need minutes for what takes a second.
sql_as() {
    local role=$1
    shift
    PGOPTIONS=${PGOPTIONS:--c statement_timeout=0 -c lock_timeout=0} PGUSER=tidemark_$role sql "$@"
}

# wait_for SECONDS COMMAND…: true as soon as the command is, tried ten times a second. The seconds are
# those after which nobody would wait any longer, on the slowest machine: they cost only a test that fails.
wait_for() {
    local until=$((SECONDS + $1))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}

test_end() {
    local status=$? cluster children
    trap - EXIT
    children=$(jobs -p)
    # shellcheck disable=SC2086
    [ -z "$children" ] || kill $children 2>/dev/null
    for cluster in "$test_dir"/*/cluster; do
        [ -e "$cluster" ] || continue
        "$TIDEMARK" db stop --data "$(dirname "$cluster")" >/dev/null
        # where the database's user could not reach the directory, its files are elsewhere
        [ ! -L "$cluster" ] || rm -rf "$(readlink "$cluster")"
    done
    rm -rf "$test_dir"
    exit $status
}
trap test_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
