#!/usr/bin/env python3
"""Tries dist/ably-rules.toml with real scanners: every form of a key and a token that the program's
own finder knows is found, no decoy is, and from the scanner's report the program makes the same
targets and keys as from the texts themselves.

tests/rules.py ABLY SCANNER...
where ABLY is the program and each SCANNER a betterleaks or a gitleaks.
"""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

RULES = Path(__file__).resolve().parent.parent / "dist/ably-rules.toml"
SECRET = "AbCdEfGhIjKlMnOpQrStUvWxYz0bcdef-_jklmnopqr"
SHORT = "s3cr3t-marker-9f2c"
SIGNATURE = "3cret-_5ignature-m4rker-0KxPqZ3-abcdefghijk"


def url_safe(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def standard(text):
    return base64.b64encode(text.encode()).decode()


def jwt(client, header='{"alg":"HS256","kid":"APP1.key1"}', before=""):
    payload = f'{{{before}"x-ably-clientId":"{client}"}}'
    return f"{url_safe(header)}.{url_safe(payload)}.{SIGNATURE}"


def keys():
    """Texts with a key, by the name of that key."""
    full = [
        lambda key: f"key {key} here",
        lambda key: f"ABLY_API_KEY={key}",
        lambda key: f'export ABLY_API_KEY="{key}"',
        lambda key: f"'{key}'.",
        lambda key: f"new Ably.Realtime({{ key: '{key}' }});",
        lambda key: json.dumps({"a": key}),
        lambda key: json.dumps({"a": json.dumps({"b": f"\n{key}\n"})}),
        lambda key: f"ably:\n  key: {key}\n",
        lambda key: f"GET /time?key={key}&v=2 HTTP/1.1",
        lambda key: f"GET /time?key={key.replace(':', '%3A')}&v=2 HTTP/1.1",
        lambda key: f"next=%2Ftime%3Fkey%3D{key.replace(':', '%3A')}%26v%3D2",
        lambda key: f"next=%252Ftime%253Fkey%253D{key.replace(':', '%253a')}%2526",
        lambda key: '"' + key.replace(":", "\\u003a") + '"',
        lambda key: f"https://{key}@rest.ably.io/time",
        lambda key: f"\x1b[1;32m{key}\x1b[0m",
        lambda key: f"Authorization: Basic {standard(key)}\r\n",
    ]
    short = [
        lambda key: f"ABLY_API_KEY={key}",
        lambda key: f'ABLY_API_KEY: "{key}"',
        lambda key: f'"ablyKey": "{key}"',
        lambda key: f"new Ably.Rest('{key}')",
        lambda key: f"GET /time?key={key}&v=2",
        lambda key: f"&key%3D{key.replace(':', '%3a')}&",
    ]
    forms = [(form, SECRET) for form in full] + [(form, SHORT) for form in short]
    names = [f"xVLy{n:02}.1aBc{n:02}" for n in range(len(forms))]
    return {name: form(f"{name}:{secret}") for name, (form, secret) in zip(names, forms)}


def tokens():
    """Texts with a token, by the client that it was issued to."""
    blanks = ["", " ", "\n", "\n  ", "\r\n", "\t"]
    headers = [f'{{{blank}"kid":{blank}"APP1.key1"}}' for blank in blanks]
    forms = [lambda client, header=header: jwt(client, header) for header in headers]
    # Claims of other lengths before it move Ably's to each alignment.
    forms += [lambda client, a=a: jwt(client, before=f'"{a}":1,') for a in ["a", "ab", "abc"]]
    forms += [
        lambda client: f"Authorization: Bearer {jwt(client)}\r\n",
        lambda client: f"Authorization: Bearer {standard(jwt(client))}\r\n",
        lambda client: f"'{jwt(client)}'.",
        lambda client: f"GET /?accessToken={jwt(client)}&v=2 HTTP/1.1",
        lambda client: f"?accessToken={jwt(client).replace('.', '%2E')}&v=2",
        lambda client: json.dumps({"a": f"\n{jwt(client)}\n"}),
        lambda client: '{"a":"' + jwt(client).replace(".", "\\u002e") + '"}',
        lambda client: jwt(client).rsplit(".", 1)[0] + " and more",
        lambda client: jwt(client) + jwt(client, '{"kid":"APP1.key1"}'),
        lambda client: jwt(client)[:-20] + jwt(client, '{"kid":"APP1.key1"}'),
        lambda client: jwt(client) + "-" + jwt(client, '{"kid":"APP1.key1"}'),
    ]
    return {f"client-{n:02}": form(f"client-{n:02}") for n, form in enumerate(forms)}


def decoys():
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    other = f'{url_safe(json.dumps({"alg": "RS256", "kid": "a.b"}))}.{url_safe(json.dumps({"sub": "1"}))}.c2ln'
    return [
        "at 12.30:45 and 2026-11-23T10:00:00.123:45",
        "rest.ably.io:443 main.realtime.ably.net:8443",
        "at com.example.Foo.bar(Foo.java:123) at io.ably.lib.Foo.bar(Foo.java:1234)",
        f"registry.io/app.name@sha256:{digest} app.sha256:{digest}",
        f"git@github.com:{SECRET}/x.git git@github.com:owner/repository.git",
        "fe80::1:2.3:4 01:23:45:67:89:AB ::ffff:1.2.3.4",
        f"alice@example.com:{SECRET}",
        f"a.b.c:{SECRET} a.b:{SECRET}x a.b:{SECRET[1:]} a.b:{SECRET}=",
        "clientId=com.example.mobile:ios-0123456789abcdef key=mobile.ios:alice",
        f"Authorization: Basic {standard('first.last:Passw0rd-of-2026')}",
        f"Bearer {other} {standard(other)}",
    ]


def scan(scanner, folder, report):
    version = subprocess.run([scanner, "--version"], capture_output=True, text=True)
    arguments = ["-c", RULES, "--exit-code=0", "--no-banner"]
    if re.search(r"\b8\.\d", version.stdout + version.stderr):
        own = ["dir", folder, "-f", "json", "-r", report, "--max-decode-depth=5"]
    else:
        own = [folder, "-o", report, "--max-decode-depth=5"]
    done = subprocess.run([scanner, *own, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return report.read_text()


def told(ably, text, home):
    """What the program would revoke, and what it says, given a text."""
    environment = {"PATH": os.environ["PATH"], "HOME": home, "ABLY_API_KEY": "APP1.key1:0ther-s3cret-77"}
    command = [ably, "auth", "revoke-token", "--from-token", "-", "--dry-run", "--json"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    bodies = [record["request"]["body"] for record in records if "request" in record]
    return sorted(target for body in bodies for target in body["targets"]), done.stdout


def check(ably, scanner, folder):
    kinds = {"key": keys(), "token": tokens(), "decoy": dict(enumerate(decoys()))}
    reports = {}
    for kind, texts in kinds.items():
        where = folder / kind
        where.mkdir()
        for name, text in texts.items():
            (where / f"{name}.txt").write_text(text)
        reports[kind] = scan(scanner, where, folder / f"{kind}.json")
        # The file is named in a field of another name by each scanner.
        missed = [text for name, text in texts.items() if f"{name}.txt" not in reports[kind]]
        hits = [] if kind == "decoy" else missed
        assert not hits, f"{kind} not found by {scanner}: {hits}"
        if kind == "decoy":
            found = [text for text in texts.values() if text not in missed]
            assert not found, f"taken for a secret by {scanner}: {found}"
    home = str(folder)
    from_texts, _ = told(ably, "\n".join(kinds["token"].values()), home)
    from_report, _ = told(ably, reports["token"], home)
    assert len(from_texts) == len(kinds["token"]), from_texts
    assert from_report == from_texts, set(from_texts) ^ set(from_report)
    for name, text in kinds["key"].items():
        (folder / "one").mkdir(exist_ok=True)
        (folder / "one" / "one.txt").write_text(text)
        _, words = told(ably, scan(scanner, folder / "one", folder / "one.json"), home)
        assert f"ably auth keys revoke {name}" in words, f"{name} in {text!r}: {words}"
    return {kind: len(texts) for kind, texts in kinds.items()}


def main():
    ably, *scanners = sys.argv[1:]
    if not scanners:
        sys.exit(__doc__)
    for scanner in scanners:
        with tempfile.TemporaryDirectory() as folder:
            counts = check(ably, scanner, Path(folder))
        print(f"{scanner}: {counts['key']} keys, {counts['token']} tokens, {counts['decoy']} decoys: as it should")


main()
