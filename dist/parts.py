#!/usr/bin/env python3
"""Writes what the binary is made of: notices and SBOM into a folder, and the list for scanners.

Arguments: the target, the folder, the list's file. SOURCE_DATE_EPOCH is the SBOM's time. The parts are the
crates that `cargo tree` says are linked (no procedural macros, which run in the compiler alone), Rust's
standard library, and musl.
"""

import datetime
import html
import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

os.chdir(Path(__file__).parent.parent)
target, folder, list_file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])


def run(command):
    return subprocess.run(command.split(), check=True, stdout=subprocess.PIPE, text=True).stdout


def linked():
    """As `cargo metadata` has them, each with the IDs of what it `needs`; the program is the first."""
    tree = run(f"cargo tree --locked --target {target} --edges normal,no-proc-macro --prefix none --no-dedupe")
    names = {tuple(line.split()[:2]) for line in tree.splitlines()}
    metadata = json.loads(run(f"cargo metadata --locked --format-version 1 --filter-platform {target}"))
    found = {part["id"]: part for part in metadata["packages"] if (part["name"], "v" + part["version"]) in names}
    assert len(found) == len(names), "`cargo tree` and `cargo metadata` differ"
    for node in metadata["resolve"]["nodes"]:
        if node["id"] in found:
            normal = (dep["pkg"] for dep in node["deps"] if any(not kind["kind"] for kind in dep["dep_kinds"]))
            found[node["id"]]["needs"] = [id for id in normal if id in found]
    root = found.pop(metadata["resolve"]["root"])
    root["needs"].append("std")
    libc = Path(run(f"rustc --print target-libdir --target {target}").strip(), "self-contained/libc.a")
    rust = {"version": re.search("release: (.*)", run("rustc -vV"))[1], "license": "MIT OR Apache-2.0"}
    musl = {"version": re.search(rb"\b1\.\d+\.\d+\b", libc.read_bytes())[0].decode(), "license": "MIT"}
    others = sorted(found.values(), key=lambda part: (part["name"], part["version"]))
    return [root, *others, {"id": "std", "name": "std", "needs": ["musl"], **rust},
            {"id": "musl", "name": "musl", "needs": [], **musl}]


def audit_list():
    """As cargo-auditable has it: JSON in zlib, but not compressed, so that all versions of zlib are alike."""
    place = {part["id"]: n for n, part in enumerate(parts)}
    packages = [{"name": part["name"], "version": part["version"],
                 "source": "crates.io" if "manifest_path" in part else "toolchain",
                 "dependencies": sorted(place[id] for id in part["needs"])} for part in parts]
    packages[0].update(source="local", root=True)
    data = json.dumps({"packages": packages}, separators=(",", ":")).encode()
    stored = b"\x01" + len(data).to_bytes(2, "little") + (0xFFFF - len(data)).to_bytes(2, "little") + data
    return b"\x78\x01" + stored + zlib.adler32(data).to_bytes(4, "big")


def sbom():
    """CycloneDX 1.5."""
    lock = re.findall(r'name = "(.+)"\nversion = "(.+)"\nsource = .+\nchecksum = "(.+)"', Path("Cargo.lock").read_text())
    sums = {(name, version): checksum for name, version, checksum in lock}

    def component(part):
        return {"type": "application" if part is parts[0] else "library", "bom-ref": part["purl"],
                "name": part["name"], "version": part["version"], "purl": part["purl"],
                "licenses": [{"expression": part["license"].replace("/", " OR ")}],
                "hashes": [{"alg": "SHA-256", "content": content}
                           for content in [sums.get((part["name"], part["version"]))] if content]}

    for part in parts:
        kind = "cargo" if "manifest_path" in part else "generic"
        part["purl"] = f"pkg:{kind}/{part['name']}@{part['version'].replace('+', '%2B')}"
    purl = {part["id"]: part["purl"] for part in parts}
    time = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": component(parts[0]),
                         "properties": [{"name": "cdx:rustc:target_triple", "value": target}]},
            "components": [component(part) for part in parts[1:]],
            "dependencies": [{"ref": part["purl"], "dependsOn": sorted({purl[id] for id in part["needs"]})}
                             for part in parts]}


def texts(part):
    """Licences and copyright notices, as they come with the crate or with Rust."""
    if part["id"] == "musl":
        return [Path("dist/musl-copyright.txt").read_text()]
    if part["id"] == "std":
        rust = Path(run("rustc --print sysroot").strip(), "share/doc/rust")
        library = html.unescape(re.sub("<[^>]*>", "", (rust / "COPYRIGHT-library.html").read_text()))
        # The library's own crates first, then what it uses, each under a box; not what other platforms use.
        others = r"📦 (?:wasi|wit-|windows|fortanix|hermit|r-efi|moto|vex|dlmalloc|unwinding)"
        sections = [text for text in re.split("(?=📦)", library) if not re.match(others, text)]
        unwinder = ("Its unwinder is libunwind of the LLVM project (https://llvm.org), Copyright (c) 2009-2019 by its "
                    "contributors,\nunder the Apache License 2.0, whose text is here too, with these exceptions:\n\n")
        lines = "".join(sections).replace("📦 ", "") + unwinder + (rust / "licenses/LLVM-exception.txt").read_text()
        return [re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", lines))]
    files = sorted(path for path in Path(part["manifest_path"]).parent.rglob("*") if path.is_file()
                   and path.suffix != ".rs" and re.match("licen[cs]e|copying|copyright|notice", path.name, re.I))
    assert files, f"{part['name']} has no licence file"
    return [file.read_text(errors="replace").replace("\r", "") for file in files]


def notices():
    """The parts, then each text once, under the parts that it is from."""
    owners = {}
    for part in parts[1:]:
        for text in texts(part):
            owners.setdefault(text, {})[f"{part['name']} {part['version']}"] = True
    rule = "-" * 72
    yield "ably is made of its own code (LICENSE) and of these parts:\n"
    yield from (f"{part['name']} {part['version']}".ljust(39) + " " + part["license"] for part in parts[1:])
    yield "\nTheir licences and notices follow, each text once, under the names of its parts."
    for text, names in owners.items():
        yield f"\n{rule}\n{', '.join(names)}\n{rule}\n\n{text.strip(chr(10))}"


parts = linked()
list_file.write_bytes(audit_list())
(folder / "sbom.cdx.json").write_text(json.dumps(sbom(), indent=1) + "\n")
(folder / "THIRD-PARTY-NOTICES").write_text("\n".join(notices()) + "\n")
