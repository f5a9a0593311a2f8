# Runs jobs side by side: JOBS at once, half as many more as there are cores,
# since each waits now and then; beside them twice as many of those that mostly
# wait; then, one by one, those that must be alone.
# shellcheck shell=bash

JOBS=${JOBS:-$((($(nproc 2>/dev/null || echo 1) * 3 + 1) / 2))}
LIMIT=${LIMIT:-900} # seconds that one job may take
FOLDER=$(mktemp -d) || exit 1
chmod 711 "$FOLDER" # workers of servers that are another user's get to their files

started=0
declare -A running=() # by process: "LANE LUA FILE BEGAN NUMBER"
declare -A at_once # by lane: how many run

stop_pool() {
  kill_processes "$FOLDER" "${!running[@]}"
  rm -rf "$FOLDER"
}
trap stop_pool EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

start_job() { # LANE LUA FILE MARKS...
  local command
  started=$((started + 1))
  command_of "$2" "$3"
  start_process "$FOLDER/$started" "${command[@]}"
  running[$!]="$1 $2 $3 $(milliseconds) $started"
  at_once[$1]=$((at_once[$1] + 1))
}

await_job() {
  local lane lua file began number
  await_process "${!running[@]}"
  read -r lane lua file began number <<<"${running[$ended]}"
  kill_processes "$FOLDER/$number/" "$ended"
  unset "running[$ended]"
  at_once[$lane]=$((at_once[$lane] - 1))
  report "$lua" "$file" "$FOLDER/$number/log" "$status" $(($(milliseconds) - began))
  rm -rf "${FOLDER:?}/$number"
}

# start_some LANE COUNT QUEUE: starts what is next, until COUNT run in the lane.
start_some() {
  local -n queue=$3
  while [ ${#queue[@]} -gt 0 ] && [ "${at_once[$1]}" -lt "$2" ]; do
    # shellcheck disable=SC2086
    start_job "$1" ${queue[0]}
    queue=("${queue[@]:1}")
  done
}

# run_jobs: runs the jobs on standard input, and reports each.
run_jobs() {
  local jobs working waiting alone job
  mapfile -t jobs
  for job in "${jobs[@]}"; do
    # shellcheck disable=SC2086
    set -- $job
    expect_file "$2"
  done
  # shellcheck disable=SC2034 # read as queues
  mapfile -t alone < <(printf '%s\n' "${jobs[@]}" | jobs_with alone)
  mapfile -t waiting < <(printf '%s\n' "${jobs[@]}" | jobs_without alone | jobs_with waits)
  mapfile -t working < <(printf '%s\n' "${jobs[@]}" | jobs_without alone | jobs_without waits)
  at_once=([working]=0 [waiting]=0 [alone]=0)
  while :; do
    start_some waiting $((2 * JOBS)) waiting
    start_some working "$JOBS" working
    [ ${#running[@]} = 0 ] && start_some alone 1 alone
    [ ${#running[@]} = 0 ] && break
    await_job
  done
}
