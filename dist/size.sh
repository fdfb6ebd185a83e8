#!/bin/sh
# Prints how many lines each room of `src` has, and how many of them are code, both without tests; then
# the bytes of the binary given. Fails over the numbers below. Raise one only in a commit that says for
# which section of the contract. `make size` calls it.
set -eu
most_lines=12900
most_bytes=2400000

cd "$(dirname "$0")/../src"
printf '%7s %7s %7s  %s\n' lines code files room
# The tests of a file have one of their own, tests.rs, or begin with the first #[cfg(test)] at the start of a line, and end it.
find . -name '*.rs' ! -name tests.rs | LC_ALL=C sort | xargs awk -v most="$most_lines" '
    FNR == 1 { tests = 0; split(FILENAME, path, "/"); room = path[2] ~ /\.rs$/ ? "main, plan, ground floor" : path[2]; files[room]++ }
    /^#\[cfg\(test\)\]/ { tests = 1 }
    tests { next }
    { lines[room]++ }
    !/^[ \t]*($|\/\/)/ { code[room]++ }
    END {
        row = "%7d %7d %7d  %s\n"
        for (room in files) {
            printf row, lines[room], code[room], files[room], room | "sort -rn"
            sum += lines[room]; sum_code += code[room]; sum_files += files[room]
        }
        close("sort -rn")
        printf row, sum, sum_code, sum_files, "src without tests; at most " most " lines"
        if (sum > most) exit 1
    }' || { echo "src has grown: see dist/size.sh" >&2; exit 1; }

cd ..
bytes=$(wc -c <"$1")
echo "$bytes bytes, $1; at most $most_bytes"
[ "$bytes" -le "$most_bytes" ] || { echo "the binary has grown: see dist/size.sh" >&2; exit 1; }
