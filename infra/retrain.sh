#!/usr/bin/env bash
# CI retraining: bring the data, re-run what is stale, hold the result against the main branch on the same rows.
#
# Usage: infra/retrain.sh NAME [MAIN]      (MAIN: the branch to compare with, default origin/main)
# On a branch it writes retrain.md, the comment for the pull request. On the main branch itself it then pushes the
# outputs, registers the candidate and lets the gate decide. Exit codes are perennial's: 0 done, 3 REJECT.
set -euo pipefail
name=${1:?usage: infra/retrain.sh NAME [MAIN]}
main=${2:-origin/main}
cd "$(git rev-parse --show-toplevel)"
bin=.venv/bin
[ -x "$bin/perennial" ] || bin=$(dirname "$(command -v perennial)")
export PATH="$(cd "$bin" && pwd):$PATH" DVC_NO_ANALYTICS=1

echo "== data"
dvc pull --quiet --allow-missing || echo "the remote has not everything; what is missing is made again"
[ -d "data/$name/raw" ] || perennial fetch "$name"

echo "== stages"
dvc repro "explain@$name"

echo "== against $main"
room=$(mktemp -d)
trap 'git worktree remove --force "$room/main" >/dev/null 2>&1 || true; rm -rf "$room"' EXIT

# The main branch's bundles and figures in a worktree that shares this checkout's cache: links and copies, no downloads.
bring_main() (
  theirs=("train@$name" "baseline@$name" "evaluate@$name")
  git worktree add --quiet --detach "$room/main" "$main" && cd "$room/main" \
    && dvc cache dir --local "$OLDPWD/.dvc/cache" >/dev/null \
    && { dvc checkout --quiet "${theirs[@]}" 2>/dev/null || dvc pull --quiet "${theirs[@]}"; }
)

alone=""
if ! git cat-file -e "$main:contracts/$name.yaml" 2>/dev/null; then
  alone="$main has no such use case yet."
elif ! bring_main; then
  alone="What $main made of it is neither in this cache nor on a DVC remote that was pushed to."
fi
if [ -n "$alone" ]; then
  echo "nothing to compare with: $alone"
  { printf '## %s: nothing to compare with\n\n%s The figures of this branch:\n\n```\n' "$name" "$alone"
    perennial show "$name"
    printf '```\n'; } > retrain.md
else
  perennial compare "$name" --with "$room/main" --output retrain.md
fi
cat retrain.md

if [ "$(git rev-parse HEAD)" = "$(git rev-parse --verify --quiet "$main^{commit}" || true)" ] || [ "${PERENNIAL_RELEASE:-0}" = 1 ]; then
  echo "== register and decide"
  dvc push --quiet
  perennial register "$name"
  perennial promote "$name"
fi
