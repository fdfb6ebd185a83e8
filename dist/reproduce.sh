#!/usr/bin/env bash
# Builds the last commit twice, as two strangers would, and compares the archives byte by byte:
# folders of different names (one with a space), umasks and cargo homes; as root, users too.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap '[ $? = 0 ] || { echo "left for a look: $work" >&2; exit 1; }; rm -rf "$work"' EXIT
chmod 755 "$work"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
one=$work/one two="$work/the other place"
mkdir "$one" "$two"
git archive HEAD | tee >(tar -x -C "$one") | tar -x -C "$two"

# The second builder's own toolchain and cargo home, filled before: no network, other paths. Hard
# links where they can be.
sysroot=$(rustc --print sysroot)
cp -rl "$sysroot" "$work/rust" 2>/dev/null || cp -r "$sysroot" "$work/rust"
cargo fetch --quiet --locked
mkdir "$work/home"
cp -r "${CARGO_HOME:-$HOME/.cargo}/registry" "$work/home/"

as=()
if [ "$(id -u)" = 0 ]; then
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chown -R 65534:65534 "$two" "$work/home"
else
    echo 'not root: both builds are by the same user'
fi

(umask 022 && make -C "$one" dist)
(umask 077 && "${as[@]}" env HOME="$work/home" CARGO_HOME="$work/home" CARGO_NET_OFFLINE=true \
    PATH="$work/rust/bin:/usr/bin:/bin" make -C "$two" dist)

for file in "$one"/dist/*.tar.gz "$one/dist/SHA256SUMS"; do
    cmp "$file" "$two/dist/$(basename "$file")"
done
echo 'the same, byte for byte'
