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

# setting NAME DEFAULT: as Compose sees it, from the environment or else from compose/.env.
setting() {
  local value=${!1:-}
  if [ -z "$value" ] && [ -f compose/.env ]; then
    value=$(sed -n "s/^$1=//p" compose/.env | tail -n 1)
  fi
  printf '%s' "${value:-$2}"
}

# Compose can publish no port -1 and leave none out: a free one is published instead (transport.tcp.yaml), and nothing listens.
for protocol in COAP COAPS HTTP GRPC; do
  [ "$(setting "${protocol}_PORT" '')" != -1 ] || export "${protocol}_PUBLISHED=0" "${protocol}_LISTEN=-1"
done
unset protocol
