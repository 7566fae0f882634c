#!/bin/sh
# Runs a command beside a PostgreSQL cluster that lives only as long as the command does.
#
#   tests/with-postgres.sh COMMAND [ARGUMENT…]
#
# The command finds the cluster's URL in YIJIA_TEST_POSTGRES and may create databases in it. The cluster has no
# password, listens on 127.0.0.1 only and never flushes to disk: it is for tests. As root it runs as the user
# postgres, since PostgreSQL refuses to run as root; else as oneself. It is stopped and removed when the command
# ends or is interrupted. The exit status is the command's; 2 for wrong use, 1 when there is no cluster.
set -eu

say() { printf 'with-postgres: %s\n' "$*" >&2; }
stop() {
    say "$*"
    exit 1
}

if [ $# -eq 0 ]; then
    say 'name the command to run, such as: tests/with-postgres.sh cargo test --workspace'
    exit 2
fi

# Settings of the caller's own PostgreSQL must not reach this one.
unset PGDATA PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE PGOPTIONS PGSSLMODE

user=$(id -un)
[ "$(id -u)" -ne 0 ] || user=postgres

# Prints the folder of the newest installed server programs; nothing when there are none.
newest_programs() {
    for folder in /usr/lib/postgresql/*/bin; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && [ -x "$folder/postgres" ]; then
            printf '%s\n' "$folder"
        fi
    done | sort -t / -k 5,5n | tail -n 1
}

# Installs the server without the cluster that the Debian package makes and starts by itself.
install_programs() {
    say 'installing PostgreSQL with apt-get'
    export DEBIAN_FRONTEND=noninteractive
    settings=/etc/postgresql-common/createcluster.conf
    apt-get update -q >&2 && apt-get install -q -y --no-install-recommends postgresql-common >&2 ||
        stop 'cannot install: the messages of apt-get above say why'
    cp -p "$settings" "$settings.yijia"
    echo 'create_main_cluster = false' >>"$settings"
    installed=0
    apt-get install -q -y --no-install-recommends postgresql >&2 || installed=$?
    mv -f "$settings.yijia" "$settings"
    [ "$installed" -eq 0 ] || stop 'cannot install: the messages of apt-get above say why'
}

# Runs a command as the owner of the cluster.
as_owner() {
    if [ "$(id -un)" = "$user" ]; then
        "$@"
    else
        runuser -u "$user" -- "$@"
    fi
}

# Makes an empty folder that the owner of the cluster can reach, and prints its name.
make_folder() {
    for parent in "${TMPDIR:-/tmp}" /tmp /var/tmp; do
        made=$(mktemp -d "$parent/yijia-postgres.XXXXXX") || continue
        if chown "$user" "$made" && (cd / && as_owner test -w "$made"); then
            printf '%s\n' "$made"
            return
        fi
        rmdir "$made"
    done
    stop "the user $user can write neither in ${TMPDIR:-/tmp} nor in /tmp nor in /var/tmp: set TMPDIR to a folder that it can reach"
}

programs=$(newest_programs)
if [ -z "$programs" ]; then
    [ "$(id -u)" -eq 0 ] || stop 'no PostgreSQL server in /usr/lib/postgresql/*/bin. Install it as root with: apt-get install postgresql'
    install_programs
    programs=$(newest_programs)
    [ -n "$programs" ] || stop 'PostgreSQL was installed, but its server is not in /usr/lib/postgresql/*/bin'
fi

folder='' child=''

# Stops what still runs of the command, then the cluster; keeps the exit status.
clean_up() {
    status=$?
    trap '' HUP INT TERM
    if [ -n "$child" ]; then
        kill -s TERM -- "-$child" 2>/dev/null || :
    fi
    if [ -n "$folder" ]; then
        cd /
        if [ -f "$folder/data/postmaster.pid" ]; then
            as_owner "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 ||
                say "the cluster in $folder did not stop: stop it by hand"
        fi
        rm -rf "$folder"
    fi
    exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

folder=$(make_folder)

# A port may be taken by somebody else between any check and the start, so starting is the check. The ports
# lie below those that Linux gives to outgoing connections.
start_cluster() {
    cd /
    as_owner "$programs/initdb" -D "$folder/data" -U postgres -A trust -N -E UTF8 --locale=C.UTF-8 >"$folder/initdb.log" 2>&1 ||
        { cat "$folder/initdb.log" >&2; stop 'initdb failed: its messages stand above'; }
    attempt=0
    while [ "$attempt" -lt 20 ]; do
        port=$((20000 + ($$ * 31 + attempt * 997) % 12000))
        settings="-p $port -k '$folder' -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        if as_owner "$programs/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -o "$settings" -w start >/dev/null 2>&1; then
            return
        fi
        grep -q 'Address already in use' "$folder/data/server.log" || break
        attempt=$((attempt + 1))
        : >"$folder/data/server.log"
    done
    cat "$folder/data/server.log" >&2
    stop 'PostgreSQL did not start: its messages stand above'
}

(start_cluster) || exit
port=$(sed -n 4p "$folder/data/postmaster.pid")
export YIJIA_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
say "PostgreSQL of $programs on port $port"

# In the background, so that a signal is handled at once and not after the command; in a process group of its
# own, so that the whole of it can be stopped. The standard input is kept, which the shell would else close.
exec 3<&0
setsid "$@" <&3 3<&- &
child=$!
exec 3<&-
status=0
wait "$child" || status=$?
exit "$status"
