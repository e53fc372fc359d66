# Sourced by the scripts beside it: an installation of its own for benchmarks, beside one that `make up` started, and the load generator.
# benchmark_name, if set, is part of the results' folder. TINYFAAS_BENCH_LANE (0 to 9) gives installations that are to run at the same time
# other names, ports and addresses.
lane=${TINYFAAS_BENCH_LANE:-0}
export COMPOSE_PROJECT_NAME=tinyfaas-bench TINYFAAS_TOKEN=a-token-for-benchmarks TINYFAAS_AUTH=token TINYFAAS_BIND=127.0.0.1 \
  TINYFAAS_MANAGER_PORT=$((32080 + 10 * lane)) TINYFAAS_GATEWAY_HTTP_PORT=$((32081 + 10 * lane)) TINYFAAS_BROKER_PORT=$((25883 + lane)) \
  COAP_PORT=$((29683 + 10 * lane)) HTTP_PORT=$((29685 + 10 * lane)) GRPC_PORT=$((29686 + 10 * lane)) \
  TINYFAAS_ADDRESS_POOL=10.$((231 + 2 * lane)).0.0/16 TINYFAAS_CONTROL_PREFIX=10.$((230 + 2 * lane)).0
[ "$lane" = 0 ] || COMPOSE_PROJECT_NAME+=-$lane
. "$(dirname "${BASH_SOURCE[0]}")/../compose/common.sh"

results=benchmark/results/$(date -u +%Y-%m-%dT%H%M%S)${benchmark_name:+-$benchmark_name}

for coap in coap-client coap-client-notls coap-client-openssl coap-client-gnutls; do
  ! command -v "$coap" >/dev/null || break
done

# What else a script has started, which a script overrides.
stop_others() { :; }

remove() {
  local status=$?
  trap - EXIT
  stop_others
  compose/down --volumes
  exit $status
}

# A fresh installation, which is removed when the script ends.
begin() {
  trap remove EXIT
  trap 'exit 130' INT TERM
  say "Starting an installation for the benchmark ($project)"
  compose/down --volumes >/dev/null
  docker compose --progress quiet up --detach --no-build --wait --wait-timeout 120
  mkdir -p "$results"
}

now() { printf '%s' "${EPOCHREALTIME/./}"; }                   # in microseconds
millis_since() { printf '%s' "$((($(now) - $1) / 1000))"; }    # of a `now`

manager() { # METHOD PATH [CURL'S ARGUMENT]...
  local answer method=$1 path=$2
  shift 2
  answer=$(curl --silent --show-error --fail-with-body --max-time 180 --request "$method" \
    --header "Authorization: Bearer $TINYFAAS_TOKEN" "$@" "http://127.0.0.1:$TINYFAAS_MANAGER_PORT$path") ||
    die "$method $path failed:" "$answer"
}

# archive FOLDER: its files but its README, zipped, to standard output.
archive() { (cd "$1" && find . -type f ! -name README.md | LC_ALL=C sort | zip -q -X - -@); }

# deploy NAME FOLDER RUNTIME [QUERY]
deploy() {
  archive "$2" | manager PUT "/functions/$1?runtime=$3${4:+&$4}" --header 'Content-Type: application/zip' --data-binary @-
}

# answers NAME: whether the function of that name gives a 2.05 with a payload to a GET within a second. libcoap writes other answers to standard error.
answers() { [ -n "$("$coap" -m get -B 1 "coap://127.0.0.1:$COAP_PORT/$1" 2>/dev/null)" ]; }

# await_answer NAME [SECONDS]
await_answer() {
  local end=$((SECONDS + ${2:-60}))
  until answers "$1"; do
    [ $SECONDS -lt $end ] || die "$1 does not answer within ${2:-60} s."
  done
}

# pid CONTAINER: its first process, as the host numbers it.
pid() { docker inspect --format '{{.State.Pid}}' "$1"; }

# handlers FUNCTION: its containers.
handlers() {
  docker ps --quiet --filter "label=tinyfaas.instance=$project" --filter "label=tinyfaas.function=$1" \
    --filter label=tinyfaas.role=handler
}

# watch TARGET FUNCTION: the generator's arguments for the processes that work for it.
watch() {
  local handler
  printf -- '--process %s:gateway=%s ' "$1" "$(pid "$project-gateway-1")"
  for handler in $(handlers "$2"); do printf -- '--process %s:function=%s ' "$1" "$(pid "$handler")"; done
}

versions() {
  printf -- '--note\0commit=%s\0' "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  printf -- '--note\0engine=Docker %s, handlers by %s\0' "$(docker version --format '{{.Server.Version}}')" \
    "$(setting TINYFAAS_HANDLER_TRANSPORT unix)"
}

# generate ARGUMENT...: runs the load generator.
generate() {
  local home java=(-Xms256m -Xmx256m -XX:+UseSerialGC -jar benchmark/target/tinyfaas-benchmark.jar) notes
  mapfile -d '' -t notes < <(versions)
  if home=$(compose/jdk); then
    "$home/bin/java" "${java[@]}" "${notes[@]}" "$@"
  else
    # In the container that has Maven; it sees the processes of the host.
    docker run --rm --network host --pid host --user "$(id -u):$(id -g)" --volume "$PWD:$PWD" --workdir "$PWD" \
      tinyfaas/maven java "${java[@]}" "${notes[@]}" "$@"
  fi
}

# machine: what results are worth depends on it; as Markdown.
machine() {
  printf '\n%s × %s, %s GB, Linux %s, Docker %s, commit %s, load average %s\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)" "$(awk '/MemTotal/ {printf "%.1f", $2 / 1048576}' /proc/meminfo)" \
    "$(uname -r)" "$(docker version --format '{{.Server.Version}}')" "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" \
    "$(cut -d ' ' -f 1-3 /proc/loadavg)"
}

# median: of the numbers on standard input.
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

# finish CSV: that file of the results, whose first line is its head, as Markdown, and the machine: printed, and kept as summary.md.
finish() {
  {
    echo
    sed 's/,/ | /g; s/.*/| & |/; 1 { p; s/[^|]\+/ --- /g }' "$results/$1"
    machine
  } |
    tee "$results/summary.md"
  say "Table and CSV: $results"
}
