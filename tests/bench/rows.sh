# shellcheck shell=bash
# shellcheck disable=SC2154 # test_dir and data come from tests/lib.sh
# Figures of benchmark programs, and rows of the table made of them.
figures=$test_dir/figures
missed=0

# run PROGRAM [ARGUMENT…]: adds its figures (name, value, unit; divided by tabs) to the others.
run() {
    echo "  $(basename "$1")${2:+ $2}" >&2
    "$BENCH/$1" "${@:2}" >>"$figures" || {
        echo "make bench: $1 failed" >&2
        exit 1
    }
}

# figure NAME: its value.
figure() {
    awk -F '\t' -v name="$1" '$1 == name {print $2; found = 1; exit} END {exit !found}' "$figures" || {
        echo "make bench: no figure \"$1\"" >&2
        exit 1
    }
}

# medians FILE: of each figure in it its median, the greater one of two, as bench_median.
medians() {
    sort -t "$(printf '\t')" -k 1,1 -k 2,2g "$1" | awk -F '\t' '
        function put() {if (n) printf "%s\t%s\t%s\n", name, value[int(n / 2) + 1], unit}
        $1 != name {put(); n = 0; name = $1}
        {value[++n] = $2; unit = $3}
        END {put()}'
}

quotient() {
    awk -v x="$1" -v y="$2" 'BEGIN {printf "%.4g", x / y}'
}

head_of_rows() {
    printf '%-46s %9s %-9s %-44s %8s %7s\n' figure value unit 'peer or limit' ratio target
}

# row NAME VALUE UNIT PEER RATIO TARGET [VERDICT]: TARGET is ">= number" or "<= number".
row() {
    local verdict=${7:-}
    [ -n "$verdict" ] || verdict=$(awk -v ratio="$5" -v target="$6" 'BEGIN {
        split(target, t, " ")
        print (t[1] == ">=" ? ratio >= t[2] : ratio <= t[2]) ? "ok" : "missed"
    }')
    [ "$verdict" != missed ] || missed=$((missed + 1))
    printf '%-46s %9s %-9s %-44s %8s %7s  %s\n' "$1" "$2" "$3" "$4" "$5" "$6" "$verdict"
}
