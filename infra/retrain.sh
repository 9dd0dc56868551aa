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
if git rev-parse --verify --quiet "$main^{commit}" >/dev/null && git show "$main:contracts/$name.yaml" >/dev/null 2>&1; then
  git worktree add --quiet --detach "$room/main" "$main"
  # the worktree shares this checkout's cache, so the main branch's outputs are links and copies, not downloads
  ( cd "$room/main" && dvc cache dir --local "$OLDPWD/.dvc/cache" >/dev/null \
      && { dvc checkout --quiet "train@$name" "baseline@$name" "evaluate@$name" || dvc pull --quiet "evaluate@$name" "train@$name" "baseline@$name"; } )
  perennial compare "$name" --with "$room/main" --output retrain.md
else
  printf '## %s: nothing to compare with\n\n%s has no such use case yet.\n' "$name" "$main" > retrain.md
fi
cat retrain.md

if [ "$(git rev-parse HEAD)" = "$(git rev-parse --verify --quiet "$main^{commit}" || true)" ] || [ "${PERENNIAL_RELEASE:-0}" = 1 ]; then
  echo "== register and decide"
  dvc push --quiet
  perennial register "$name"
  perennial promote "$name"
fi
