#!/usr/bin/env bash
# Writes the licences and copyright notices of everything that is linked into the binary for a
# target: first the list of parts, then each text once, with the parts that it is from.
set -euo pipefail
export LC_ALL=C
shopt -s nullglob
cd "$(dirname "$0")/.."

target=$1
linked=$(dist/linked.sh "$target")
metadata=$(cargo metadata --quiet --locked --format-version 1 --filter-platform "$target")
# Where the sources of a crate lie, by its name and version: a registry, a vendored folder.
declare -A folder
while IFS= read -r manifest; do
    part=$(awk -F'"' '/^\[/ { inside = $0 == "[package]" }
        inside && $1 == "name = " { name = $2 }
        inside && $1 == "version = " { version = $2 }
        END { print name, version }' "$manifest")
    folder[$part]=${manifest%/Cargo.toml}
done < <(grep -o '"manifest_path":"[^"]*"' <<<"$metadata" | cut -d'"' -f4)

declare -A parts text
order=()
keep() { # PART FILE: the text of a file, once whoever has it.
    local sum
    sum=$(tr -d '\r' <"$2" | sha256sum)
    [ -n "${text[$sum]:-}" ] || { text[$sum]=$2; order+=("$sum"); }
    parts[$sum]+="${parts[$sum]:+, }$1"
}

# Rust comes with the notices of its library; those of platforms that are not this one stay out.
std=$(rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html
std_text=$(mktemp)
trap 'rm -f "$std_text"' EXIT
if [ -f "$std" ]; then
    sed 's/<[^>]*>//g; s/&#34;/"/g; s/&#39;/'"'"'/g; s/&#60;\|&lt;/</g; s/&#62;\|&gt;/>/g; s/&#38;\|&amp;/\&/g' "$std" |
        awk '/📦/ { skip = /📦 (wasi|wit-|windows|fortanix|hermit|r-efi|moto|vex|dlmalloc|unwinding)/ }
            !skip' | sed 's/📦 //; s/[ \t]*$//' | cat -s >"$std_text"
else
    echo 'The notices of its library are on https://www.rust-lang.org/policies/licenses.' >"$std_text"
fi

while IFS='|' read -r part license; do
    case $part in
        'ably-revoke-token '*) continue ;;
        'std '*) keep "$part" "$std_text" ;;
        'musl '*) keep "$part" dist/licenses/musl.txt ;;
        *)
            [ -n "${folder[$part]:-}" ] || { echo "notices: no sources of $part" >&2; exit 1; }
            found=0
            while IFS= read -r file; do
                keep "$part" "$file"
                found=1
            done < <(find "${folder[$part]}" -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' \
                -o -iname 'copyright*' -o -iname 'notice*' \) ! -name '*.rs' | sort)
            [ $found = 1 ] || { echo "notices: $part ($license) has no licence file" >&2; exit 1; }
            ;;
    esac
done <<<"$linked"
keep 'LLVM libunwind (in std)' dist/licenses/llvm.txt

rule='------------------------------------------------------------------------'
printf 'ably is made of its own code (LICENSE) and of these parts:\n\n'
grep -v '^ably-revoke-token ' <<<"$linked" | tr '|' '\t' | expand -t 40
printf '\nTheir licences and notices follow, each text once, after the names of its parts.\n'
for sum in "${order[@]}"; do
    printf '\n%s\n%s\n%s\n\n' "$rule" "${parts[$sum]}" "$rule" | fold -s -w 100 | sed 's/ *$//'
    tr -d '\r' <"${text[$sum]}"
done
