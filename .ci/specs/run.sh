# Runs files side by side and reports them: for .ci/test and .ci/asan, from the
# root of the clone. The caller sets LUAS, JOBS (how many at once), LIMIT
# (seconds for one file), INTERPRETERS and BUSTED_ARGS (see command.sh), or not.
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR/../..
for part in marks jobs command processes report pool; do
  # shellcheck source=/dev/null
  . ".ci/specs/$part.sh"
done

# run_files "LUA..." FILE...: fails where a file has a mark that is none.
run_files() {
  local jobs
  jobs=$(list_jobs "$@") || return 1
  run_jobs <<<"$jobs"
}

# all_specs, all_programs: the tree's spec files and programs in C, a line each;
# those with programs from npm are .ci/peers' own.
all_specs() { find spec -name '*_spec.lua' ! -path 'spec/peers/*' | sort; }
all_programs() { find spec/c -name 'test_*.c' | sort; }
