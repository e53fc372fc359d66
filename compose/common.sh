# Sourced by the scripts beside it, which run in the checkout's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

project=${COMPOSE_PROJECT_NAME:-tinyfaas}

# One line per step.
say() { printf '==> %s\n' "$*"; }

die() {
  printf '%s\n' "$@" >&2
  exit 1
}

# quietly FAILURE COMMAND...: what the command prints is shown only if it fails, after FAILURE.
quietly() {
  local failure=$1 log status=0
  shift
  log=$(mktemp)
  with_progress "$log" "$@" || status=$?
  [ $status = 0 ] || printf '%s\n' "$failure" "$(tail -n 60 "$log")" >&2
  rm -f "$log"
  return $status
}

# with_progress LOG COMMAND...: while the command runs, how long it has run and what it wrote last to the log: every five seconds, on a terminal
# every second, where a line replaces the one before.
with_progress() {
  local log=$1 watch status=0
  shift
  watch_progress "$log" &
  watch=$!
  "$@" >"$log" 2>&1 || status=$?
  kill "$watch" 2>/dev/null || true
  wait "$watch" 2>/dev/null || true
  [ ! -t 1 ] || printf '\r\033[K'
  return $status
}

# watch_progress LOG: until it is killed, or the script that started it is.
watch_progress() {
  local start=$SECONDS next=5 step=5 format='    %3d s  %s\n'
  if [ -t 1 ]; then
    step=1
    format='\r\033[K    %3d s  %s'
  fi
  while kill -0 $$ 2>/dev/null; do
    if [ $((SECONDS - start)) -ge $next ]; then
      next=$((next + step))
      printf "$format" $((SECONDS - start)) "$(tail -c 2000 "$1" | tr -d '\r' | grep -v '^ *$' | tail -n 1 | cut -c 1-100)"
    fi
    sleep 0.2
  done
}

# setting NAME DEFAULT: as Compose sees it, from the environment or else from compose/.env.
setting() {
  local value=${!1:-}
  if [ -z "$value" ] && [ -f compose/.env ]; then
    value=$(sed -n "s/^$1=//p" compose/.env | tail -n 1)
  fi
  printf '%s' "${value:-$2}"
}

# debian_mirror [-security]: where this machine's apt has Debian from; nothing elsewhere.
debian_mirror() {
  local suite
  suite=$(. /etc/os-release && [ "$ID" = debian ] && printf '%s%s' "$VERSION_CODENAME" "${1:-}") || return 0
  apt-get update --print-uris 2>/dev/null | sed -n "s#^'\(.*\)/dists/$suite/main/binary-.*#\1#p" | sed -n 1p || true
}

# npm_registry: the one that this machine's npm asks, if that is not npm's own.
npm_registry() {
  cat ~/.npmrc /etc/npmrc 2>/dev/null | sed -n 's/^registry *= *//p' | sed -n 1p || true
}

# Compose can publish no port -1 and leave none out: a free one is published instead (transport.tcp.yaml), and nothing listens.
for protocol in COAP COAPS HTTP GRPC MQTTS MQTT; do
  [ "$(setting "${protocol}_PORT" '')" != -1 ] || export "${protocol}_PUBLISHED=0" "${protocol}_LISTEN=-1"
done
unset protocol

# MQTT without encryption is off as it comes; where both are off, nobody needs the devices' broker.
if [ "$(setting MQTT_PORT -1)" != -1 ]; then
  MQTT_PUBLISHED=$(setting MQTT_PORT -1)
  export MQTT_PUBLISHED MQTT_LISTEN=1884
elif [ "$(setting MQTTS_PORT '')" = -1 ]; then
  export TINYFAAS_DEVICE_BROKERS=0
fi
