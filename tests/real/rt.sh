#!/bin/bash
# A private Request Tracker for the tests, from Debian's package, on loopback.
#
#   rt.sh install      install the package (as root, once per machine, under a minute)
#   rt.sh start DIR    run an instance whose database, mails, logs and tokens all live in DIR; prints its URL
#   rt.sh stop DIR     end that instance, by its own process id
#
# The database is a copy of the one that the package made for itself (schema and default data, English), furnished by
# rt_serve.pl before it serves. The kernel picks the port, so that instances never collide. The package's own
# configuration, database and services are never touched.
set -euo pipefail

scripts=$(cd "$(dirname "$0")" && pwd -P)
package=/usr/share/request-tracker5
template=/var/lib/dbconfig-common/sqlite3/request-tracker5/rtdb
patience=120 # seconds that a boot may take on a busy machine

complain() {
  echo "rt.sh: $*" >&2
  exit 1
}

install_package() {
  [ "$(id -u)" = 0 ] || complain "install needs root"
  printf 'request-tracker5 request-tracker5/%s\n' \
    'rtname string bridge-tests' \
    'organization string tests.example' \
    'initial-root-password password not-used-by-any-test' \
    'initial-root-password-again password not-used-by-any-test' \
    'handle-siteconfig-permissions boolean true' \
    'install-cronjobs boolean false' \
    'dbconfig-install boolean true' \
    'database-type select sqlite3' | debconf-set-selections
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    request-tracker5 rt5-db-sqlite rt5-standalone curl
}

lay_out() { # DIR: the files of a fresh instance
  mkdir -p "$1"/{conf.d,mail,mason,sessions}
  cp "$template" "$1/rt.db"
  chmod 600 "$1/rt.db"
  cat >"$1/sendmail" <<SH
#!/bin/sh
exec cat >"\$(mktemp "$1/mail/XXXXXXXX")"
SH
  chmod +x "$1/sendmail"
}

start() { # DIR
  [ -d "$package" ] && [ -r "$template" ] || complain "Request Tracker is not installed: run tests/real/rt.sh install as root"
  mkdir -p "$1"
  local dir log url
  dir=$(cd "$1" && pwd -P)
  log=$dir/rt.log
  [ ! -e "$dir/rt.db" ] || complain "$dir already holds an instance"
  lay_out "$dir"
  RT_DIR=$dir RT_SITE_CONFIG="$scripts/rt_site_config.pm" RT_SITE_CONFIG_DIR="$dir/conf.d" \
    setsid perl "$scripts/rt_serve.pl" >"$log" 2>&1 </dev/null &
  echo $! >"$dir/pid"
  for ((tries = patience * 5; tries; tries--)); do
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || complain "Request Tracker ended while starting: $(tail -n 5 "$log")"
    # The socket takes connections from the beginning; answers come when RT has booted.
    if [ -e "$dir/port" ]; then
      url=http://127.0.0.1:$(cat "$dir/port")
      if curl --silent --fail --max-time 60 --output /dev/null "$url/"; then
        echo "$url"
        return
      fi
    fi
    sleep 0.2
  done
  kill "$(cat "$dir/pid")"
  complain "Request Tracker did not answer within $patience seconds: $(tail -n 5 "$log")"
}

stop() { # DIR
  local pid
  pid=$(cat "$1/pid")
  # Never signal a stranger who was given the number after our process ended.
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qE 'rt-server|rt_serve'; then
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
  *) complain "usage: rt.sh install | start DIR | stop DIR" ;;
esac
