#!/bin/sh
# Copies the binary that `make` built to PREFIX, with its man page and completions, or takes them away
# again. Builds nothing, so that root needs no Rust. The full Ably CLI is called `ably` as well: what is not
# ours is neither replaced nor removed, and NAME=ably-revoke-token installs beside it.
# `make install` and `make uninstall` call it, and dist/package.sh, to lay out what it packs.
# Argument: install or uninstall. Variables: BIN, NAME, PREFIX, DESTDIR; RUNS_HERE, a binary that can make the
# pages where BIN is for another machine.
set -eu
umask 022

root=$DESTDIR$PREFIX
program=$root/bin/$NAME
# ably-auth-revoke-token.1 is what `man ably auth` and the page itself speak of; ably.1 leads there.
manual=$root/share/man/man1/$NAME.1 alias=
[ "$NAME" != ably ] || { alias=$manual manual=$root/share/man/man1/ably-auth-revoke-token.1; }
bash=$root/share/bash-completion/completions/$NAME
zsh=$root/share/zsh/site-functions/_$NAME
fish=$root/share/fish/vendor_completions.d/$NAME.fish

# No link, and it says itself that it is ours.
is_ours() {
    [ -f "$1" ] && [ ! -L "$1" ] || return 1
    if [ "$1" != "$program" ]; then grep -q ably-revoke-token "$1"; return; fi
    timeout 5 "$1" --version </dev/null 2>/dev/null | grep -q '^ably-revoke-token '
}

each() { # COMMAND: for each file that there is
    for file in "$program" "$manual" ${alias:+"$alias"} "$bash" "$zsh" "$fish"; do
        if [ -e "$file" ] || [ -L "$file" ]; then "$@"; fi
    done
}

refuse() {
    is_ours "$file" && return
    echo "error: $file is not of this program (the full Ably CLI is called ably, too)" >&2
    echo "install beside it with NAME=ably-revoke-token, or remove it first" >&2
    exit 1
}

remove() {
    if is_ours "$file"; then rm "$file"; else echo "left as it is: $file is not of this program" >&2; fi
}

if [ "$1" = uninstall ]; then
    each remove
    exit
fi

[ -x "$BIN" ] || { echo "error: there is no $BIN: run make first" >&2; exit 1; }
made_by=${RUNS_HERE:-$BIN}
"$made_by" --version >/dev/null || { echo "error: RUNS_HERE must name an ably for this machine" >&2; exit 1; }
each refuse
install -D -m 755 "$BIN" "$program"
mkdir -p "${manual%/*}" "${bash%/*}" "${zsh%/*}" "${fish%/*}"
roff() { echo "$1" | sed 's/-/\\\\-/g'; }
title=$(roff "$(basename "$manual" .1)")
"$made_by" --generate man | sed "s/^ably.*token \\\\- /$title \\\\- /
    s/ably auth/$(roff "$NAME") auth/; s/ably \\\\-/$(roff "$NAME") \\\\-/" >"$manual"
[ -z "$alias" ] || echo '.so man1/ably-auth-revoke-token.1' >"$alias"
"$made_by" --generate bash | sed "s/^\(complete .*\) ably$/\1 $NAME/" >"$bash"
"$made_by" --generate zsh | sed "s/\(compdef\( _ably\)*\) ably/\1 $NAME/" >"$zsh"
"$made_by" --generate fish | sed "s/^complete -c ably/complete -c $NAME/" >"$fish"
# By this line is_ours knows them.
for file in "$bash" "$zsh" "$fish"; do echo '# ably-revoke-token' >>"$file"; done
for file in "$manual" ${alias:+"$alias"}; do echo '.\" ably-revoke-token' >>"$file"; done

other=$(command -v "$NAME" || true)
if [ -z "$DESTDIR" ] && [ -n "$other" ] && [ "$other" != "$program" ]; then
    echo "note: $NAME in your PATH is $other, not $program" >&2
fi
