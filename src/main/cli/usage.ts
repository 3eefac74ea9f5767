/** What `--help` prints. */
export const usage = `poolbench: does another pool, another connection, another thread pay, and what limits you?

Usage
  poolbench CONFIG                  run an experiment: the same as run CONFIG
  poolbench run CONFIG [options]    find or start the target, measure, judge, write results/<time>-<name>/
  poolbench run --resume DIR        go on with a run of one target that was stopped or killed
  poolbench check CONFIG [options]  validate, identify the target, print the plan; no load
  poolbench versus CONFIG CONFIG…   run several configs, one target each, in turn within every round, and
                                    compare them to the first; takes the options of run, but not
                                    --target and --url
  poolbench claims TARGET [options] test every claim on redis, valkey, dragonfly, the target of a config, or
                                    a URL, and keep a ledger of the verdicts
  poolbench search CONFIG [options] find the highest rate that meets the config's conditions
  poolbench compare RESULT RESULT…  finished runs side by side, compared to the first
  poolbench report RESULT           render a result.json (or its folder) again, with the files beside it

Options
  --target FILE    the target of another config, over the config's (run, check, search);
                   with run --resume the same target, for its password
  --url URL        its URL, over the config's: redis://, rediss:// or unix:// (the same)
  --rounds N       repetitions of every scenario; a verdict takes 5
  --seconds S      measured time of one scenario in one round (claims: not for the
                   suites that measure a cold start; nor is --warmup)
  --warmup S       discarded time before it
  --seed N         seed of keys, values and orders
  --out DIR        folder in which the run's own folder is made (default: results;
                   compare writes comparison.html and the like only if it is given)
  --resume DIR     go on with the run or the ledger in this folder, which was
                   interrupted (run, claims)
  --quick          at most 30 s for each target: fewer rounds and shorter times, for a first look
  --no-stand-in    fail if the declared server is not to be had, rather than use another
  --as memtier     print one scenario in the shape of memtier_benchmark's JSON, and write nothing (report)
  --scenario ID    the scenario, where the result has several (report --as)
  --force          load a database that holds keys of others, too; compare runs of
                   unequal workloads, too (compare)
  --prometheus [HOST:]PORT
                   serve metrics on http://127.0.0.1:PORT/metrics, or on HOST, while it lasts
                   (run, versus, claims, search); port 0 takes a free one
  --json           print result.json, or the like of it, on standard output
  --quiet          no plan and no progress
  --help, --version

Several numbers in the config's target.threads make run a comparison of as many servers, which poolbench starts.

Exit codes
  0 done   1 the run failed   2 config, result or command line wrong   3 target not reached or started
  99 a threshold of the config was crossed   130 interrupted: partial results are written
`;
