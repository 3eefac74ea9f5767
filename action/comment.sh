# Writes the report into the comment of this name on the pull request: the first run creates it, later ones replace it.
set -eo pipefail

marker="<!-- poolbench: ${NAME//[^[:alnum:]._-]/-} -->"
body=$(mktemp)
# GitHub refuses a comment of more than 65,536 characters.
{ echo "$marker" && head -c 60000 "$REPORT"; } >"$body"

write() {
  local comments="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" ids id
  ids=$(gh api --paginate "$comments" --jq ".[] | select(.body | startswith(\"$marker\")) | .id") || return
  id=$(head -n 1 <<<"$ids")
  if [ -n "$id" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F "body=@$body" >/dev/null
  else
    gh api "$comments" -F "body=@$body" >/dev/null
  fi
}

# A pull request from a fork may not write.
write || echo "::warning::poolbench: the report could not be written as a comment (it needs the permission pull-requests: write); the summary of the job has it"
