#!/bin/bash
# A private PostgreSQL for the tests, from Debian's package, on a socket and a loopback port of its own.
#
#   postgres.sh install      install the package (as root, once per machine)
#   postgres.sh start DIR    run a cluster that lives in DIR; prints its SQLAlchemy URL
#   postgres.sh stop DIR     end that cluster
#
# PostgreSQL refuses to run as root, so root runs it as the user that the package made. Nothing of it survives DIR,
# so it need not wait for the disk.
set -euo pipefail

complain() {
  echo "postgres.sh: $*" >&2
  exit 1
}

programs() { # the newest version's folder of programs
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] && [ -x "$found/initdb" ] || complain "PostgreSQL is not installed: run tests/real/postgres.sh install as root"
  echo "$found"
}

as_owner() { # a command, not as root
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

install_package() {
  [ "$(id -u)" = 0 ] || complain "install needs root"
  # No cluster of Debian's own is wanted, only the programs.
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/bridge-tests.conf
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql
}

start() { # DIR
  local bin dir port
  bin=$(programs)
  [ ! -e "$1" ] || complain "$1 is there already"
  # A short path of its own: a socket's path may have 107 bytes, and the owner must be able to reach it.
  dir=$(mktemp -d /tmp/bridge-pg-XXXXXX)
  [ "$(id -u)" != 0 ] || chown postgres "$dir"
  ln -s "$dir" "$1"
  cd /
  as_owner "$bin/initdb" --pgdata "$dir/data" --username bridge --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync \
    >"$1.log" 2>&1 || complain "initdb failed: $(tail -n 3 "$1.log")"
  for _ in 1 2 3; do
    port=$((RANDOM % 20000 + 30000))
    if as_owner "$bin/pg_ctl" --pgdata "$dir/data" --wait --timeout 60 --log "$dir/log" start --options \
      "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c fsync=off -c max_connections=200" >>"$1.log" 2>&1; then
      echo "postgresql+psycopg://bridge@127.0.0.1:$port/postgres"
      return
    fi
  done
  complain "PostgreSQL did not start: $(tail -n 5 "$dir/log")"
}

stop() { # DIR
  local dir
  dir=$(readlink -f "$1")
  cd /
  as_owner "$(programs)/pg_ctl" --pgdata "$dir/data" --wait --mode immediate stop >/dev/null
  case "$dir" in /tmp/bridge-pg-*) rm -rf "$dir" "$1" ;; esac
}

case "${1-}${2+ DIR}" in
  install) install_package ;;
  'start DIR') start "$2" ;;
  'stop DIR') stop "$2" ;;
  *) complain "usage: postgres.sh install | start DIR | stop DIR" ;;
esac
