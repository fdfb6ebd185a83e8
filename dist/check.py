#!/usr/bin/env python3
"""Compares what a release archive says of itself with what is linked (dist/linked.sh).

Arguments: the unpacked archive's folder. Standard input: the list. The dependency list inside the
binary, the SBOM and the notices must each name every part, and the first two nothing else.
"""

import json
import pathlib
import struct
import sys
import zlib


def section(elf, name):
    """The bytes of a section of a 64-bit little-endian ELF file."""
    table, = struct.unpack_from("<Q", elf, 0x28)
    size, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    rows = [struct.unpack_from("<IIQQQQ", elf, table + size * n) for n in range(count)]
    for row in rows:
        start = rows[names][4] + row[0]
        if elf[start : elf.index(0, start)] == name:
            return elf[row[4] : row[4] + row[5]]
    sys.exit("check: no list of dependencies inside the binary")


def names(packages):
    return {f"{package['name']} {package['version']}" for package in packages}


root = pathlib.Path(sys.argv[1])
document = root / "share/doc/ably-revoke-token"
linked = {line.split("|")[0] for line in sys.stdin.read().splitlines()}
inside = json.loads(zlib.decompress(section((root / "bin/ably").read_bytes(), b".dep-v0")))
sbom = json.loads((document / "sbom.cdx.json").read_text())
notices = (document / "THIRD-PARTY-NOTICES").read_text()

lists = {
    "the list inside the binary": names(inside["packages"]),
    "sbom.cdx.json": names(sbom["components"] + [sbom["metadata"]["component"]]),
}
wrong = [f"{where}: {part}" for where, parts in lists.items() for part in sorted(parts ^ linked)]
listed, *texts = notices.split("-" * 72 + "\n")
covered = " ".join(texts[0::2]).replace("\n", " ")
for part in sorted(linked):
    if part.startswith("ably-revoke-token "):
        continue
    if f"\n{part} " not in listed or f"{part}," not in f"{covered.replace(' ' * 2, ',')},":
        wrong.append(f"THIRD-PARTY-NOTICES: {part}")
if wrong:
    sys.exit("check: what is linked and what is listed differ:\n" + "\n".join(wrong))
