#!/bin/bash
# A private Redmine for the tests, from Debian's package, on loopback.
#
#   redmine.sh install      install the package (as root, once per machine, about half a minute)
#   redmine.sh start DIR    run an instance whose database, files, logs and keys all live in DIR; prints its URL
#   redmine.sh stop DIR     end that instance, by its own process id
#
# The database is a copy of the one that the package made for itself (schema and default data, English); the copy is
# furnished by redmine_seed.rb in the same boot that serves it. The kernel picks the port, so that instances never
# collide. The package's own configuration, database and services are never touched.
set -euo pipefail

scripts=$(cd "$(dirname "$0")" && pwd -P)
package=/usr/share/redmine
template=/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default
patience=120 # seconds that a boot may take on a busy machine

complain() {
  echo "redmine.sh: $*" >&2
  exit 1
}

install_package() {
  [ "$(id -u)" = 0 ] || complain "install needs root"
  printf '%s\n' \
    'redmine redmine/instances/default/dbconfig-install boolean true' \
    'redmine redmine/instances/default/database-type select sqlite3' \
    'redmine redmine/default-language select en' | debconf-set-selections
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends redmine redmine-sqlite puma curl
}

lay_out() { # DIR: the files of a fresh instance
  mkdir -p "$1"/{config,files,log,tmp,public/plugin_assets}
  cp "$template" "$1/redmine.db"
  chmod 600 "$1/redmine.db"
  cat >"$1/config/database.yml" <<YML
production: {adapter: sqlite3, database: "$1/redmine.db", encoding: utf8, timeout: 20000}
YML
  head -c 32 /dev/urandom | sha256sum | cut -d' ' -f1 >"$1/config/secret_key.txt"
  cat >"$1/config.ru" <<RU
require '$package/config/environment'
load '$scripts/redmine_seed.rb'
run Rails.application
RU
}

start() { # DIR
  [ -d "$package" ] && [ -r "$template" ] || complain "Redmine is not installed: run tests/real/redmine.sh install as root"
  mkdir -p "$1"
  local dir log url
  dir=$(cd "$1" && pwd -P)
  log=$dir/puma.log
  [ ! -e "$dir/redmine.db" ] || complain "$dir already holds an instance"
  lay_out "$dir"
  : >"$log" # it is there before the server is, however slow the machine
  cd "$package"
  # Debian's Redmine keeps instances under a fixed folder and takes the name of one from the environment. A name that
  # climbs to the root and down again puts the instance anywhere; steps above the root stay at the root.
  # One thread: SQLite waits for a lock without letting Ruby's other threads run, one of which may hold it.
  REDMINE_INSTANCE="../../../../../..$dir" RAILS_ENV=production SEED_KEYS="$dir/keys.json" \
    setsid puma --bind tcp://127.0.0.1:0 --threads 1:1 "$dir/config.ru" >"$log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  for ((tries = patience * 5; tries; tries--)); do
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || complain "Redmine ended while starting: $(tail -n 5 "$log")"
    url=$(sed -n 's#^\* Listening on \(http://127\.0\.0\.1:[0-9]*\)$#\1#p' "$log")
    # The port is open only after the seed has run; the first answer is slow because it compiles the pages.
    if [ -n "$url" ] && curl --silent --fail --max-time 60 --output /dev/null "$url/login"; then
      echo "$url"
      return
    fi
    sleep 0.2
  done
  kill "$(cat "$dir/pid")"
  complain "Redmine did not answer within $patience seconds: $(tail -n 5 "$log")"
}

stop() { # DIR
  local pid
  pid=$(cat "$1/pid")
  # Never signal a stranger who was given the number after our process ended.
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q puma; then
    kill "$pid"
    for ((tries = 100; tries; tries--)); do
      kill -0 "$pid" 2>/dev/null || return 0
      sleep 0.1
    done
    kill -KILL "$pid"
  fi
}

case "${1-}${2+ DIR}" in
  install) install_package ;;
  'start DIR') start "$2" ;;
  'stop DIR') stop "$2" ;;
  *) complain "usage: redmine.sh install | start DIR | stop DIR" ;;
esac
