/** What `--help` prints. */
export const usage = `poolbench: does another pool, another connection, another thread pay, and what limits you?

Usage
  poolbench CONFIG                  run an experiment: the same as run CONFIG
  poolbench run CONFIG [options]    find or start the target, measure, judge, write results/<time>-<name>/
  poolbench check CONFIG [options]  validate, identify the target, print the plan; no load
  poolbench report RESULT           render a result.json (or its folder) again

Options
  --url URL        the target, over the config's: redis://, rediss:// or unix://
  --rounds N       repetitions of every scenario; a verdict takes 5
  --seconds S      measured time of one scenario in one round
  --warmup S       discarded time before it
  --seed N         seed of keys, values and orders
  --out DIR        folder in which the run's own folder is made (default: results)
  --quick          at most 30 s in all: fewer rounds and shorter times, for a first look
  --no-stand-in    fail if the declared server is not to be had, rather than use another
  --json           print result.json on standard output
  --quiet          no plan and no progress
  --help, --version

Exit codes
  0 done   1 the run failed   2 config or command line wrong   3 target not reached or started
  130 interrupted: partial results are written
`;
