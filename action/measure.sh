# Runs the config, and compares the result with those of earlier runs. The report goes into the summary of the job. Ends with 0:
# poolbench's exit code is an output, so that later steps also run.
set -eo pipefail

poolbench() {
  node "$GITHUB_ACTION_PATH/dist/main/cli.js" "$@"
}

read -ra configs <<<"$CONFIG"
read -ra options <<<"$OPTIONS"
gates=()
if [ -n "$FAIL_IF" ]; then gates=(--fail-if "$FAIL_IF"); fi

out=$(mktemp -d "$RUNNER_TEMP/poolbench-XXXXXX")
report="$out/report.md"
code=0
if [ "${#configs[@]}" -gt 1 ]; then
  poolbench versus "${configs[@]}" "${options[@]}" "${gates[@]}" --out "$out/run" || code=$?
else
  poolbench run "${configs[@]}" "${options[@]}" --out "$out/run" || code=$?
fi
folder=$(find "$out" -mindepth 2 -maxdepth 2 -path "$out/run/*" -type d -print -quit)

if [ "${#gates[@]}" -gt 0 ] && [ -z "$BASELINE" ] && [ "${#configs[@]}" -eq 1 ]; then
  echo "::warning::poolbench: fail-if needs a baseline, or several configs, so nothing was judged"
fi
if [ -n "$BASELINE" ] && [ "${#configs[@]}" -gt 1 ]; then
  echo "::warning::poolbench: several configs are compared with each other, so the baseline was not used"
fi
if [ -n "$BASELINE" ] && [ -f "$folder/result.json" ]; then
  earlier=()
  while IFS= read -r result; do earlier+=("$result"); done < <(find "$BASELINE" -name result.json | sort)
  if [ "${#earlier[@]}" -eq 0 ]; then
    echo "::notice::poolbench: $BASELINE has no result.json, so there is nothing to compare with"
  else
    compared=0
    poolbench compare "${earlier[@]}" "$folder/result.json" "${gates[@]}" --out "$out/compared" || compared=$?
    # A crossed threshold (99) is the least severe failure.
    if [ "$compared" -ne 0 ] && { [ "$code" -eq 0 ] || [ "$code" -eq 99 ]; }; then code=$compared; fi
  fi
fi

for file in "$out"/compared/*/comparison.md "$folder/comparison.md" "$folder/report.md"; do
  if [ -f "$file" ]; then cat "$file" >>"$report"; fi
done
if [ ! -f "$report" ]; then
  echo "poolbench measured nothing and ended with exit code $code. The log of the job has its message." >"$report"
fi
# GitHub refuses a summary of more than 1 MiB.
head -c 1000000 "$report" >>"$GITHUB_STEP_SUMMARY"
printf '%s\n' "code=$code" "folder=$folder" "report=$report" >>"$GITHUB_OUTPUT"
