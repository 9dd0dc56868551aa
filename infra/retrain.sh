#!/usr/bin/env bash
# CI retraining: bring the data, re-run what is stale, hold the result against the main branch on the same rows.
#
# Usage: infra/retrain.sh NAME [MAIN]      (MAIN: the branch to compare with, default origin/main)
# On a branch it writes .perennial/NAME/retrain/: comment.md for the pull request, report.html, and the curves of both
# branches. On the main branch itself it then pushes the outputs, registers the candidate and lets the gate decide.
# PERENNIAL_REPORT_URL says where that folder can be seen; of GitHub and GitLab jobs it is known. PERENNIAL_CPU_HOUR_COST,
# say "0.048 EUR", adds money to CPU minutes. Exit codes are perennial's: 0 done, 3 REJECT.
set -euo pipefail
name=${1:?usage: infra/retrain.sh NAME [MAIN]}
main=${2:-origin/main}
cd "$(git rev-parse --show-toplevel)"
bin=.venv/bin
[ -x "$bin/perennial" ] || bin=$(dirname "$(command -v perennial)")
export PATH="$(cd "$bin" && pwd):$PATH" DVC_NO_ANALYTICS=1
folder=.perennial/$name/retrain
rm -rf "$folder"
mkdir -p "$folder"

link=${PERENNIAL_REPORT_URL:-}
if [ -z "$link" ] && [ -n "${GITHUB_RUN_ID:-}" ]; then
  link="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID#artifacts"
elif [ -z "$link" ] && [ -n "${CI_JOB_URL:-}" ]; then
  link="$CI_JOB_URL/artifacts/browse/$folder"
fi

echo "== data"
dvc pull --quiet --allow-missing || echo "the remote has not everything; what is missing is made again"
[ -d "data/$name/raw" ] || perennial fetch "$name"

echo "== stages"
perennial plan "$name" --output "$folder/plan.json"
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
  { printf '<!-- perennial %s -->\n## %s: nothing to compare with\n\n%s The figures of this branch:\n\n```\n' "$name" "$name" "$alone"
    perennial show "$name"
    printf '```\n'; } > "$folder/comment.md"
else
  perennial compare "$name" --with "$room/main" --plan "$folder/plan.json" --link "$link" --output "$folder"
fi
cat "$folder/comment.md"

if [ "$(git rev-parse HEAD)" = "$(git rev-parse --verify --quiet "$main^{commit}" || true)" ] || [ "${PERENNIAL_RELEASE:-0}" = 1 ]; then
  echo "== register and decide"
  dvc push --quiet
  perennial register "$name"
  perennial promote "$name"
fi
