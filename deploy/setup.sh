#!/usr/bin/env bash
# Installs the Debian packages Tidemark builds and runs with; `deploy/setup.sh tools` also those that
# tests try on a chain (docs/tools.md). Quick when nothing is missing.
set -euo pipefail

packages=(
    # compiler and tools
    build-essential pkg-config git ca-certificates
    # libraries
    libpq-dev libsodium-dev libjansson-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler
    libgmp-dev nettle-dev libssl-dev libuv1-dev libcurl4-openssl-dev
    # database
    postgresql-15 postgresql-client-15 postgresql-server-dev-15
    # tests and checks
    libcmocka-dev clang-format-14 clang-tidy-14 cppcheck procps
)
# tools of analysts: JDBC (a Java runtime and the small compiler), pandas, pgcli, pictures
tools=(
    libpostgresql-jdbc-java openjdk-17-jre-headless ecj
    python3-pandas python3-sqlalchemy python3-psycopg2
    pgcli postgresql-autodoc graphviz jq
)
[ "${1:-}" != tools ] || packages+=("${tools[@]}")

# dpkg-query fails where it does not know one of them, which is no failure here
installed=" $({ dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "${packages[@]}" 2>/dev/null || true; } |
    sed -n 's/^ii *//p' | tr '\n' ' ') "
missing=()
for package in "${packages[@]}"; do
    [[ $installed == *" $package "* ]] || missing+=("$package")
done

if [ ${#missing[@]} -eq 0 ]; then
    echo "setup: all ${#packages[@]} Debian packages are installed"
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: these packages are missing: ${missing[*]}" >&2
        echo "setup: run 'make setup' as root, or install sudo" >&2
        exit 1
    fi
    as_root=(sudo)
fi

# Debian makes and starts a cluster "main" when PostgreSQL is installed on a machine without one.
# Tidemark runs its own private clusters, so a machine that has none is left without.
clusters=(/etc/postgresql/*/*)
if [[ " ${missing[*]} " == *" postgresql-15 "* && ! -e ${clusters[0]} ]]; then
    echo "setup: no PostgreSQL cluster here yet: setting create_main_cluster = false" \
        "in /etc/postgresql-common/createcluster.d/tidemark.conf"
    "${as_root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' |
        "${as_root[@]}" tee /etc/postgresql-common/createcluster.d/tidemark.conf >/dev/null
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}"
}

echo "setup: installing ${missing[*]}"
if ! install >"$log" 2>&1; then
    echo "setup: refreshing the package lists"
    "${as_root[@]}" apt-get update -q >"$log" 2>&1 || true
    if ! install >"$log" 2>&1; then
        cat "$log" >&2
        echo "setup: apt-get could not install the packages; its messages stand above" >&2
        exit 1
    fi
fi
echo "setup: installed ${#missing[@]} packages"
