"""Accept pending peels over "zester api" (docs/api.md), and print what happens to the fleet. Python's standard library only.

    zester api create-token inventory --role approver --out api.token
    python3 api_client.py http://127.0.0.1:4280 api.token inventory.json

inventory.json maps the ID of each host that may join to the fingerprint of its key: {"web-01": "1a2b-3c4d-…"}.
"""
import json
import sys
import urllib.error
import urllib.parse
import urllib.request


class ApiError(Exception):
    """What the interface refused with: a stable code, and a message for people."""

    def __init__(self, code, message):
        super().__init__(f"{message} [{code}]")
        self.code = code


class Api:
    def __init__(self, url, token):
        self._url = f"{url}/api/v1"
        self._token = token

    def _open(self, method, path, body=None):
        request = urllib.request.Request(self._url + path, method=method)
        request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            # the stream of events has a line every 15 seconds
            return urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as refused:
            error = json.load(refused)["error"]
            raise ApiError(error["code"], error["message"]) from None

    def ask(self, method, path, body=None):
        with self._open(method, path, body) as answer:
            return json.load(answer)

    def events(self, since):
        """Yields (name, data) of each server-sent event, from a position on; it ends with the connection."""
        with self._open("GET", f"/events?since={urllib.parse.quote(since)}") as stream:
            name, data = "", []
            for line in stream:
                field, _, value = line.decode().rstrip("\r\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif field == "" and data:  # an empty line ends an event; without data, it was a comment
                    yield name, json.loads("\n".join(data))
                    name, data = "", []


def decide(api, inventory):
    """Accepts the pending peels that the inventory names."""
    for peel in api.ask("GET", "/pending")["peels"]:
        peel_id = peel["id"]
        if peel_id not in inventory:
            print(f"{peel_id}: not in the inventory, left pending", flush=True)
            continue
        body = {"fingerprint": inventory[peel_id], "reason": "in the inventory"}
        try:
            api.ask("POST", f"/peels/{peel_id}/accept", body)
            print(f"{peel_id}: accepted", flush=True)
        except ApiError as error:
            # the fingerprint differs: another host may have requested this ID
            if error.code != "ERR_FLEET_PROOF":
                raise
            print(f"{peel_id}: left pending: {error}", flush=True)


def main(url, token_path, inventory_path):
    with open(token_path) as file:
        api = Api(url, file.read().strip())
    with open(inventory_path) as file:
        inventory = json.load(file)
    # the position first: what changes while peels are decided is sent then
    since = api.ask("GET", "/peels?limit=1")["position"]
    decide(api, inventory)
    for name, data in api.events(since):
        if name == "audit":
            for event in data["events"]:
                print(f"{event['kind']} {event.get('peelId', '')}", flush=True)
        elif name == "reset" or any(peel["state"] == "pending" for peel in data["peels"]):
            decide(api, inventory)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ApiError as error:
        sys.exit(f"refused: {error}")
