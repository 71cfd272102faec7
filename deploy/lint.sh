#!/usr/bin/env bash
# Formatting, layering, banned functions, static analysis. LINT=format|layers|banned|cppcheck|tidy…
# runs some of them.
set -uo pipefail
shopt -s lastpipe # complain() counts from the end of a pipe
cd "$(dirname "$0")/.."

build=${BUILD:-build}
pg_config=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
jobs=$(nproc)
failed=0

mapfile -t sources < <(git ls-files -- '*.c' '*.h' | while read -r f; do [ -e "$f" ] && echo "$f"; done)
mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep '\.c$')

wanted() {
    [[ " ${LINT:-format layers banned cppcheck tidy} " == *" $1 "* ]]
}

# complain TITLE: prints what stands on standard input, if anything, and remembers it.
complain() {
    local text
    text=$(cat)
    [ -n "$text" ] || return 0
    printf 'lint: %s\n%s\n' "$1" "$text"
    failed=1
}

# includes PATTERN FILE…: include lines that match, without comments
includes() {
    local pattern=$1
    shift
    [ $# -eq 0 ] || grep -nHE "^[[:space:]]*#[[:space:]]*include[[:space:]]*$pattern" "$@"
}

in_floor() {
    printf '%s\n' "${sources[@]}" | grep -E "$1"
}

check_format() {
    printf '%s\n' "${sources[@]}" |
        xargs -r -P "$jobs" -n 20 clang-format-14 --dry-run -Werror 2>&1 | grep -E 'error:' |
        complain 'not formatted (make fmt)'
}

# An include that goes up a floor or across to the neighbour (architecture: protocol is the ground).
check_floor() {
    local files
    mapfile -t files < <(in_floor "^$1/")
    includes "[\"<]([./]*)($2)/" ${files[@]+"${files[@]}"} | complain "$1 must not include $2"
}

# The extension's folders from the top down; those of one line do not know each other.
check_rooms() {
    local above='' line room others
    local -a rooms
    for line in server planner 'diff proof rollback session' block tree height table codec value; do
        for room in $line; do
            others=" $line "
            read -ra rooms <<<"$above ${others/ $room / }"
            [ ${#rooms[@]} -eq 0 ] ||
                check_floor "pg_extension/src/$room" "$(IFS='|' && echo "${rooms[*]}")"
        done
        above="$above $line"
    done
}

check_layers() {
    check_floor protocol 'node|api|pg_extension'
    check_floor node 'api|pg_extension'
    check_floor api 'node|pg_extension'
    check_floor pg_extension 'node|api'
    check_rooms

    # Deciders do no I/O: only the shell, the commands, the mains and tests meet the outside world.
    # sys/mman.h is let through for one file: it says how its memory is to be paged, and reads nothing.
    local inner
    mapfile -t inner < <(in_floor '^(protocol|node)/' |
        grep -vE '^node/(shell|cli)/|^node/[a-z_]+\.c$|_(test|bench|fuzz)\.c$|/test_[a-z_]+\.[ch]$')
    includes '<(uv|libpq-fe|time|unistd|fcntl|poll|signal|pthread|sys/[a-z_]+|curl/[a-z_]+|netinet/[a-z_]+|netdb|dirent)\.h>' \
        ${inner[@]+"${inner[@]}"} | grep -v '^protocol/smt/nodes.c:[0-9]*:#include <sys/mman.h>' |
        complain 'outside world in a decider (belongs to node/shell)'
    grep -nHE '\b(randombytes_[a-z]+|getrandom|fopen|getenv)[[:space:]]*\(' ${inner[@]+"${inner[@]}"} |
        complain 'entropy, files or environment in a decider (arguments instead)'
}

check_banned() {
    grep -nHE '(^|[^A-Za-z0-9_>.])(sprintf|vsprintf|strcpy|strcat|strtok|gets|atoi|atol|atof|strncpy|strncat|sscanf|alloca|tmpnam|mktemp)[[:space:]]*\(' \
        ${sources[@]+"${sources[@]}"} | complain 'banned function'
    grep -nHE '\b(TODO|FIXME|XXX|HACK)\b' ${sources[@]+"${sources[@]}"} | complain 'unfinished business'
}

# Not asked for: uninitialised variables (cppcheck takes every out parameter for a use; the compiler
# and the sanitisers do better) and the re-entrant twins of functions called from one thread.
check_cppcheck() {
    printf '%s\n' "${units[@]}" | grep -vE '^pg_extension/|_test\.c$|_bench\.c$' >"$build/lint-files"
    cppcheck -q -j "$jobs" --std=c11 --enable=warning,portability --inline-suppr --library=posix -I. \
        --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=uninitvar \
        --suppress=uninitStructMember --suppress=readdirCalled --suppress=getpwnamCalled \
        --suppress=getpwuidCalled \
        --template='{file}:{line}: {message} [{id}]' --file-list="$build/lint-files" 2>&1 |
        complain cppcheck
    rm -f "$build/lint-files"
}

tidy_checks=-*
for check in infinite-loop misplaced-pointer-arithmetic-in-alloc multiple-statement-macro \
    not-null-terminated-result posix-return redundant-branch-condition signed-char-misuse \
    string-integer-assignment suspicious-enum-usage suspicious-memory-comparison \
    suspicious-memset-usage suspicious-missing-comma suspicious-semicolon \
    suspicious-string-compare swapped-arguments terminating-continue too-small-loop-variable \
    undefined-memory-manipulation; do
    tidy_checks+=,bugprone-$check
done
tidy_checks+=,misc-redundant-expression,misc-misplaced-const,readability-misleading-indentation
tidy_checks+=,readability-redundant-declaration,readability-duplicate-include

# The generated protobuf headers must be there; the server's headers are not ours to judge.
check_tidy() {
    local headers=()
    for proto in protocol/proto/*.proto; do headers+=("$build/${proto%.proto}.pb-c.h"); done
    make --no-print-directory -s "${headers[@]}" >/dev/null || failed=1
    printf '%s\n' "${units[@]}" | grep -vE '^pg_extension/|_test\.c$|_fuzz\.c$|_bench\.c$' |
        xargs -r -P "$jobs" -n 4 sh -c '
            clang-tidy-14 --quiet --checks="$0" --warnings-as-errors="*" "$@" -- \
                -std=c11 -D_GNU_SOURCE -DTIDEMARK_BUILD_ID=\"lint\" -I. -I'"$build"' \
                -isystem '"$("$pg_config" --includedir)"' 2>/dev/null' "$tidy_checks" |
        grep -E '(warning|error):' | sort -u | complain clang-tidy
}

mkdir -p "$build"
for check in format layers banned cppcheck tidy; do
    wanted $check || continue
    start=$SECONDS
    check_$check
    printf 'lint: %-9s %3d s\n' $check $((SECONDS - start))
done
[ $failed -eq 0 ] && echo "lint: ${#sources[@]} files are clean"
exit $failed
