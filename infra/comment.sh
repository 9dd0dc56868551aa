#!/usr/bin/env bash
# Put the comment of infra/retrain.sh on a pull request of GitHub: one comment a use case, written anew at each push.
#
# Usage: infra/comment.sh NAME NUMBER      (needs gh, GH_TOKEN and GITHUB_REPOSITORY)
set -euo pipefail
name=${1:?usage: infra/comment.sh NAME NUMBER}
number=${2:?usage: infra/comment.sh NAME NUMBER}
file=.perennial/$name/retrain/comment.md
mark="<!-- perennial $name -->"
id=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments" \
  --jq ".[] | select(.body | startswith(\"$mark\")) | .id" | head -n 1)
if [ -n "$id" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$file"
else
  gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" --field "body=@$file"
fi
