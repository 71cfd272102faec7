# shellcheck shell=bash
# shellcheck disable=SC2154 # test_dir and data come from tests/lib.sh
# Which processor does what.

# disk_cpu: the processor that serves the interrupts of the disk below $test_dir, as far as can be told,
# else the first. Behind readers that keep it busy a flush of the log takes 6 ms, not 0.1.
disk_cpu() {
    local disk bus
    disk=$(lsblk -lnso NAME "$(findmnt -no SOURCE -T "$test_dir")" 2>/dev/null | tail -n 1)
    bus=$(basename "$(readlink -f "/sys/class/block/$disk/device")")
    awk -v bus="$bus" '
        NR == 1 {processors = NF}
        bus != "" && $NF ~ ("^" bus "[^0-9]") {for (i = 1; i <= processors; i++) served[i] += $(i + 1)}
        END {
            most = 1
            for (i = 2; i <= processors; i++) if (served[i] > served[most]) most = i
            print most - 1
        }' /proc/interrupts
}

# other_cpu CPU: the last processor, or the first where that is the last.
other_cpu() {
    local last=$(($(nproc) - 1))
    if [ "$1" = $last ]; then echo 0; else echo $last; fi
}

# pin_cluster CPU: the server of $data, its keeper and all its processes, those to come as well.
pin_cluster() {
    local server process
    server=$(head -n 1 "$data/cluster/data/postmaster.pid")
    for process in "$(ps -o ppid= -p "$server" | tr -d ' ')" "$server" $(pgrep -P "$server"); do
        taskset -a -p -c "$1" "$process" >/dev/null 2>&1
    done
}
