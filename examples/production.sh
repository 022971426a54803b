#!/usr/bin/env bash
# Runs docs/production.md on this machine, with three nats-servers on loopback in place of three hosts.
# usage: examples/production.sh    (after "npm run build"; needs nats-server, openssl and a free block of ports)
set -euo pipefail
cd "$(dirname "$0")/.."

PORT=${PORT:-24220} # clients at PORT+1 to PORT+3, the servers among themselves at PORT+101 to PORT+103
NATS_SERVER=${ZESTER_NATS_SERVER:-$(PATH=$PATH:/usr/sbin:/usr/local/bin command -v nats-server)}
# FROM_SOURCE=1: this checkout's sources instead of what was built
if [ -n "${FROM_SOURCE:-}" ]; then
  node=(node --import tsx) main=src/cli/main.ts library=$PWD/src/index.ts
else
  node=(node) main=dist/cli/main.js library=$PWD/dist/index.js
fi
zester() { "${node[@]}" "$main" "$@"; }
connect() { timeout 60 "${node[@]}" "$dir/connect.mjs" "$library" "$1" "${servers[@]}"; }
say() { printf '\n== %s\n' "$*"; }

dir=$(mktemp -d)
pids=()
end() {
  [ ${#pids[@]} -eq 0 ] || { kill "${pids[@]}" 2>/dev/null || true; wait "${pids[@]}" 2>/dev/null || true; }
  rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT TERM

export ZESTER_HOME=$dir/home
servers=(tls://localhost:$((PORT + 1)) tls://localhost:$((PORT + 2)) tls://localhost:$((PORT + 3)))

say "a certificate authority and a certificate, as yours would be"
cd "$dir"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=example-ca -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=nats -keyout tls.key -out tls.csr 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' >ext
openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile ext -out tls.crt 2>/dev/null
export ZESTER_TLS_CA=$dir/ca.crt
cd - >/dev/null

say "1. the trust domain"
zester init --operator acme --account plant-7 --servers "${servers[@]}"

say "2. the configuration of each server"
zester server config --out "$dir/conf" --data-dir "$dir/data" \
  --tls-cert "$dir/tls.crt" --tls-key "$dir/tls.key" --tls-ca "$dir/ca.crt" \
  --cluster "n1=127.0.0.1:$((PORT + 1)):$((PORT + 101))" "n2=127.0.0.1:$((PORT + 2)):$((PORT + 102))" \
  "n3=127.0.0.1:$((PORT + 3)):$((PORT + 103))"
start() { # start NUMBER
  mkdir -p "$dir/data/n$1"
  "$NATS_SERVER" -c "$dir/conf/n$1.conf" -l "$dir/n$1.log" &
  pids[$1]=$!
}
for i in 1 2 3; do start $i; done

say "3. the account, to every server, each confirming by its name"
for i in $(seq 60); do
  zester account push --quiet >"$dir/push" 2>&1 && zester doctor --quiet >"$dir/doctor" 2>&1 && break
  [ "$i" -lt 60 ] || { cat "$dir/push" "$dir/doctor" "$dir"/n?.log || true; exit 1; }
  sleep 0.5
done
cat "$dir/push"

say "4. what is checked"
# of servers that start together, one may stay outside JetStream's meta group until it is restarted: doctor names it
for attempt in 1 2 3 4; do
  zester doctor && break
  [ "$attempt" -lt 4 ] || exit 1
  for name in $(zester doctor --json 2>/dev/null | node -e '
    const { findings } = JSON.parse(require("fs").readFileSync(0, "utf8"));
    for (const { check, severity, subject } of findings)
      if (check === "jetstream" && severity === "error" && /^n[123]$/.test(subject)) console.log(subject);'); do
    say "restarting $name, as doctor says"
    kill "${pids[${name#n}]}" && wait "${pids[${name#n}]}" 2>/dev/null || true
    start "${name#n}"
  done
  sleep 2
done

say "5. a peel"
zester creds bootstrap web-server-01 --expiry 24h --out "$dir/web-server-01.creds"
zester permissions lint "$dir/web-server-01.creds"
zester doctor --creds "$dir/web-server-01.creds" --json >"$dir/doctor.json"
cat >"$dir/connect.mjs" <<'END'
const [library, credsPath, ...servers] = process.argv.slice(2);
const { connectPeel } = await import(library);
try {
  const nc = await connectPeel({ servers, credsPath, peelId: 'web-server-01', tls: { caFile: process.env.ZESTER_TLS_CA } });
  console.log(`web-server-01 is connected to ${nc.getServer()}`);
  await nc.drain();
} catch (error) {
  console.log(error.message);
  process.exit(error.code === 'ERR_CONNECT_REFUSED' ? 3 : 1);
}
END
connect "$dir/web-server-01.creds"

say "6. the identity seeds, offline"
zester keys export-identity "$dir/offline" --yes
zester creds bootstrap web-server-02 --out "$dir/web-server-02.creds" --quiet

say "7. a stolen credential, locked out on every server"
zester revoke web-server-01 --yes
code=0
connect "$dir/web-server-01.creds" || code=$?
[ "$code" -eq 3 ] || { echo "web-server-01 is revoked, and was not refused" >&2; exit 1; }

say "8. one server down: said by name, and no outage"
kill "${pids[3]}" && wait "${pids[3]}" 2>/dev/null || true
zester doctor | grep -A1 n3
zester expirations --within 7d

say "done"
