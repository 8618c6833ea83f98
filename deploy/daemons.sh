# Sourced by deploy/hdfs/hdfs and deploy/spark/spark: daemons on one machine, each with a pid file and a log under $RUN_DIR.
# A process manager needs none of it: it runs the foreground command of each daemon itself.
# shellcheck shell=bash

CLUSTER_DIR=${CLUSTER_DIR:-$ROOT/.cluster}
CLUSTER_HOST=${CLUSTER_HOST:-127.0.0.1}
START_S=${START_S:-120}

fail() { # fail SENTENCE: what is wrong and what to do, and the end
  echo "$1" >&2
  exit "${2:-1}"
}

need_java() {
  command -v java >/dev/null 2>&1 || fail "There is no Java. On Debian or Ubuntu: sudo apt-get install default-jre-headless" 4
}

free_port() { # free_port NAME PORT: fails where something else listens there
  ! is_open "$2" || fail "$1 cannot start: something listens on $CLUSTER_HOST:$2 already. Stop it, or choose another port ($0 help)." 4
}

is_open() { (exec 3<>"/dev/tcp/$CLUSTER_HOST/$1") 2>/dev/null; }

get() { # get PORT PATH: what a daemon's page says
  local line
  exec 3<>"/dev/tcp/$CLUSTER_HOST/$1" || return
  printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
  while IFS= read -r -t 5 line <&3 || [ -n "$line" ]; do printf '%s\n' "$line"; done
  exec 3<&-
}

pid_of() { # pid_of NAME: prints the process number where the daemon runs
  local pid
  pid=$(cat "$RUN_DIR/$1.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null && grep -qsa -- "streamlink.daemon=$1" "/proc/$pid/cmdline" && echo "$pid"
}

launch() { # launch NAME COMMAND...: starts the foreground command in the background, unless it runs
  local name=$1
  shift
  pid_of "$name" >/dev/null && return
  mkdir -p "$RUN_DIR"
  setsid "$@" >>"$RUN_DIR/$name.log" 2>&1 </dev/null &
  echo $! >"$RUN_DIR/$name.pid"
}

await() { # await NAME CHECK...: waits until CHECK says yes; fails where the daemon ends before, or takes too long
  local name=$1 until=$((SECONDS + START_S))
  shift
  until "$@" >/dev/null 2>&1; do
    kill -0 "$(cat "$RUN_DIR/$name.pid")" 2>/dev/null || fail "$name has ended. The last of $RUN_DIR/$name.log: $(grep -v '^\s*at ' "$RUN_DIR/$name.log" | tail -n 3)" 4
    [ $SECONDS -lt $until ] || fail "$name is not healthy after $START_S s; see $RUN_DIR/$name.log" 4
    sleep 0.3
  done
}

halt() { # halt NAME...: asks each to end, and makes it after 20 s
  local name pid until
  for name; do
    pid=$(pid_of "$name") && kill "$pid" 2>/dev/null
  done
  for name; do
    until=$((SECONDS + 20))
    while pid=$(pid_of "$name"); do
      [ $SECONDS -lt $until ] || kill -9 "$pid" 2>/dev/null
      sleep 0.2
    done
    rm -f "$RUN_DIR/$name.pid"
  done
}

tell() { # tell NAME PORT CHECK...: a line of status; fails where the daemon is not healthy
  local name=$1 port=$2 pid health=down
  shift 2
  pid=$(pid_of "$name") || pid=-
  "$@" >/dev/null 2>&1 && health=healthy
  printf '%-12s pid %-8s %s:%-6s %s\n' "$name" "$pid" "$CLUSTER_HOST" "$port" "$health"
  [ $health = healthy ]
}
