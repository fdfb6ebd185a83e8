//! `make install` and `make uninstall`, beside the full Ably CLI, which is called `ably` too.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::*;

fn make(target: &str, destination: &Folder, more: &[&str]) -> Option<Run> {
    let make = installed("/usr/bin/make")?.args(["--silent", "-C"]);
    let make = make.arg(std::env::current_dir().unwrap()).arg(target).args(more);
    let destination = format!("DESTDIR={}", destination.path().display());
    Some(make.arg(format!("BIN={}", binary().display())).arg(destination).run())
}

/// The files and links below a folder, by their path from there.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else {
            found.push(entry.display().to_string());
        }
    }
    found.sort();
    found
}

const BIN: &str = "usr/local/bin/ably";

/// The full CLI as npm installs it, as somebody else's program, and as what npm leaves behind.
fn others(destination: &Folder) -> [Box<dyn Fn() + '_>; 3] {
    let path = destination.file(BIN);
    let run_js = destination.file("usr/local/lib/node_modules/@ably/cli/bin/run.js");
    let program = |at: &Path| {
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, "#!/bin/sh\necho @ably/cli/1.2.1 linux-x64 node-v20\n").unwrap();
        fs::set_permissions(at, Permissions::from_mode(0o755)).unwrap();
    };
    let (link, place) = (path.clone(), path.clone());
    [
        Box::new(move || {
            program(&run_js);
            symlink("../lib/node_modules/@ably/cli/bin/run.js", &link).unwrap();
        }),
        Box::new(move || program(&place)),
        Box::new(move || symlink("nowhere", &path).unwrap()),
    ]
}

#[test]
fn another_program_of_the_name_is_neither_replaced_nor_removed() {
    let destination = Folder::new();
    fs::create_dir_all(destination.file(BIN).parent().unwrap()).unwrap();
    for other in others(&destination) {
        other();
        let before = files(destination.path());
        let changed = || fs::symlink_metadata(destination.file(BIN)).unwrap().modified().unwrap();
        let then = changed();
        let Some(run) = make("install", &destination, &[]) else { return };
        run.exits(2).says("NAME=ably-revoke-token").says(BIN);
        assert_eq!(files(destination.path()), before);
        make("uninstall", &destination, &[]).unwrap().exits(0).says("is not of this program");
        assert_eq!(files(destination.path()), before);

        // Under a name of its own it lives beside it.
        let own = ["NAME=ably-revoke-token"];
        make("install", &destination, &own).unwrap().exits(0).says_nothing();
        let version = Program::at(destination.file("usr/local/bin/ably-revoke-token"));
        version.arg("--version").run().exits(0).prints("ably-revoke-token ");
        let manual = destination.read("usr/local/share/man/man1/ably-revoke-token.1");
        assert!(manual.contains(r"ably\-revoke\-token auth"), "{manual}");
        assert!(!manual.contains("B ably auth"), "{manual}");
        make("uninstall", &destination, &own).unwrap().exits(0).says_nothing();
        assert_eq!(files(destination.path()), before);
        assert_eq!(changed(), then);
        fs::remove_file(destination.file(BIN)).unwrap();
    }
}

#[test]
fn what_is_installed_is_replaced_and_removed_again() {
    let destination = Folder::new();
    for _ in 0..2 {
        let Some(run) = make("install", &destination, &[]) else { return };
        run.exits(0).says_nothing();
    }
    let installed = files(destination.path());
    assert_eq!(installed.len(), 6, "{installed:?}");
    assert_eq!(fs::read(destination.file(BIN)).unwrap(), fs::read(binary()).unwrap());
    // A page that somebody else put there since.
    let page = destination.write("usr/local/share/zsh/site-functions/_ably", "#compdef ably\n");
    make("uninstall", &destination, &[]).unwrap().exits(0).says("_ably is not of this program");
    assert_eq!(files(destination.path()), [page.display().to_string()]);
}

/// bash, zsh and fish complete a program of another name.
#[test]
fn completions_are_for_the_name_that_was_given() {
    let destination = Folder::new();
    let Some(run) = make("install", &destination, &["NAME=revoke"]) else { return };
    run.exits(0);
    let share = destination.file("usr/local/share");
    let bash = share.join("bash-completion/completions/revoke");
    let asked = format!("source {}; complete -p revoke; complete -p ably", bash.display());
    if let Some(shell) = installed("/usr/bin/bash") {
        let run = shell.args(["--norc", "-c", &asked]).run();
        run.prints(" revoke\n").says("ably: no completion");
    }
    let fish = share.join("fish/vendor_completions.d/revoke.fish");
    let asked = format!("source {}; complete -C 'revoke --client-i'", fish.display());
    if let Some(shell) = installed("/usr/bin/fish") {
        // It asks the program, which it finds by its name.
        let path = format!("{}:/usr/bin:/bin", destination.file("usr/local/bin").display());
        let shell = shell.env("PATH", path).args(["--no-config", "-c", &asked]);
        shell.run().exits(0).prints("--client-id");
    }
    let zsh = fs::read_to_string(share.join("zsh/site-functions/_revoke")).unwrap();
    assert!(zsh.starts_with("#compdef revoke\n") && zsh.contains("compdef _ably revoke"), "{zsh}");
}
