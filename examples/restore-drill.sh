#!/usr/bin/env bash
# Runs the drill of docs/backup.md: kills everything, deletes every disk, restores a backup, and sees every peel come back.
# usage: examples/restore-drill.sh [PEELS]    (after "npm run build"; needs nats-server and a free port)
set -euo pipefail
cd "$(dirname "$0")/.."

PEELS=${1:-5}
PORT=${PORT:-24320}
# FROM_SOURCE=1: this checkout's sources instead of what was built
if [ -n "${FROM_SOURCE:-}" ]; then node=(node --import tsx) main=src/cli/main.ts; else node=(node) main=dist/cli/main.js; fi
zester() { "${node[@]}" "$main" "$@"; }
say() { printf '\n== %s\n' "$*"; }

dir=$(mktemp -d)
declare -A pids=()
end() {
  [ ${#pids[@]} -eq 0 ] || { kill "${pids[@]}" 2>/dev/null || true; wait "${pids[@]}" 2>/dev/null || true; }
  rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT TERM
start() { # start NAME COMMAND…
  "${node[@]}" "$main" "${@:2}" >>"$dir/$1.log" 2>&1 &
  pids[$1]=$!
}
# shows the logs, and fails, when a command does not succeed within a minute
until_true() {
  for _ in $(seq 120); do "$@" >"$dir/last" 2>&1 && return 0; sleep 0.5; done
  cat "$dir"/*.log "$dir/last"
  return 1
}
connected() { [ "$(zester peel list --connected --json | node -e '
  console.log(JSON.parse(require("fs").readFileSync(0, "utf8")).peels.length)')" = "$PEELS" ]; }

export ZESTER_HOME=$dir/home ZESTER_SERVERS=nats://127.0.0.1:$PORT

say "a fleet: a server, a master, $PEELS peels, and one that is revoked"
zester init --operator acme --account plant-7 >/dev/null
start server server --port "$PORT"
# a server answers: a master does not wait for the first one
until_true zester account show
start master master --policy manual
# a master answers
until_true zester peel list
zester peel add stolen --out "$dir/stolen.creds" >/dev/null
zester peel revoke stolen --yes >/dev/null
for i in $(seq "$PEELS"); do
  zester peel add "web-$i" --out "$dir/web-$i.creds" >/dev/null
  start "web-$i" peel run --creds "$dir/web-$i.creds"
done
until_true connected
zester peel list

say "a backup, encrypted to a key that is kept elsewhere"
if command -v age-keygen >/dev/null; then age-keygen -o "$dir/key.txt" 2>/dev/null
else
  (umask 077 && node --input-type=module -e '
    import { generateX25519Identity } from "age-encryption"; console.log(await generateX25519Identity());' >"$dir/key.txt")
fi
chmod 600 "$dir/key.txt"
recipient=$(node --input-type=module -e '
  import { readFileSync } from "node:fs"; import { identityToRecipient } from "age-encryption";
  console.log(await identityToRecipient(/AGE-SECRET-KEY-\S+/.exec(readFileSync(process.argv[1], "utf8"))[0]));' "$dir/key.txt")
zester backup --out "$dir/fleet.age" -r "$recipient"
zester backup verify "$dir/fleet.age" -i "$dir/key.txt"

say "the disaster: master and server are killed, and their disks deleted"
kill -9 "${pids[master]}" "${pids[server]}"
wait "${pids[master]}" "${pids[server]}" 2>/dev/null || true
# the nats-server is a child of the command
until_true bash -c "! (exec 3<>/dev/tcp/127.0.0.1/$PORT) 2>/dev/null"
rm -rf "$dir/home"

say "the restore: the home, a server on it, what the server keeps, a master"
zester restore "$dir/fleet.age" -i "$dir/key.txt" --home-only
start server server --port "$PORT"
until_true zester account show
zester restore "$dir/fleet.age" -i "$dir/key.txt"
start master master --policy manual

say "all $PEELS peels are back"
until_true connected
zester peel list
zester peel list --json | node -e '
  const { peels } = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const stolen = peels.find(({ id }) => id === "stolen");
  if (stolen?.state !== "revoked" || stolen.connected) throw new Error("the revoked peel is back");'
say "done"
