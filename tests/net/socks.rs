//! SOCKS proxies.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::*;

#[test]
fn a_socks_proxy_resolves_names_or_is_given_addresses() {
    let server = Ably::start_on(Loopback::Both);
    let (main, local) = (format!("={MAIN}:443"), format!("127.0.0.1:{}", server.port()));
    let port = server.port();
    let by_name = format!("localhost:{port}");
    let (v4, v6) = (format!("127.0.0.1:{port}"), format!("[::1]:{port}"));
    let login = format!("socks5h://us%40er:{PASSWORD}@");
    let cases = [
        ("HTTPS_PROXY", "socks5h://", MAIN, &main),
        ("all_proxy", "SOCKS5H://", MAIN, &main),
        ("ALL_PROXY", &*login, MAIN, &main),
        ("ALL_PROXY", "socks5h://", &*by_name, &format!("={by_name}")),
        ("ALL_PROXY", "socks5://", &*by_name, &local),
        ("ALL_PROXY", "socks5://", &*v4, &v4),
        ("ALL_PROXY", "socks5h://", &*v4, &v4),
        ("ALL_PROXY", "socks5h://", &*v6, &v6),
    ];
    for (variable, scheme, endpoint, target) in cases {
        let proxy = Socks::to(server.address());
        if scheme == login {
            proxy.demand("us@er", PASSWORD);
        }
        let program = to_main(&server).args(["--endpoint", endpoint, "--verbose"]);
        let run = program.env(variable, proxy.url(scheme)).run();
        run.exits(0).hides(PASSWORD).says(&format!("from {variable}"));
        assert_eq!(proxy.targets(), [target.as_str()], "{scheme} {endpoint}");
    }
}

#[test]
fn a_name_that_is_resolved_here_is_the_hosts_and_not_the_proxys() {
    let server = Ably::unreached();
    let proxy = Socks::to(server.address());
    let program = to_main(&server).args(["--endpoint", "nowhere.invalid", "--timeout", "2"]);
    let run = program.env("ALL_PROXY", proxy.url("socks5://")).run();
    run.exits(1).says("the host name nowhere.invalid").says("socks5h://");
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn a_socks_proxy_that_does_not_connect_leaves_everything_unsent() {
    let somewhere = nobody();
    let cases: Vec<(Manners, &str)> = vec![
        (Manners::Works, "refused"),
        (Manners::Replies(2), "ruleset"),
        (Manners::Replies(5), "refused"),
        (Manners::Replies(7), "not supported"),
        (Manners::Replies(99), "unknown"),
        (Manners::Says(b"\x05\xff"), "credentials"),
        (Manners::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no SOCKS"),
        (Manners::Says(b""), "closed the connection"),
        (Manners::Says(b"\x05\x00\x05"), "closed the connection"),
        (Manners::Hangs, "in time"),
        (Manners::Drips, "in time"),
    ];
    each(&cases, |(manners, told)| {
        let proxy = Socks::start(somewhere, *manners);
        leads_nowhere(&proxy.url(&format!("socks5h://user:{PASSWORD}@")), told);
        let final_word = matches!(manners, Manners::Replies(2 | 7))
            || matches!(*told, "credentials" | "no SOCKS");
        let hanging = *told == "in time";
        let tries = proxy.connections() / 2;
        assert!(hanging || tries == if final_word { 1 } else { 4 }, "{manners:?}: {tries}");
    });
}

/// OpenSSH's own: `ssh -D` through a server on this machine. `None` where it is not installed, or this
/// user may not log in.
fn ssh() -> Option<(Daemon, Daemon)> {
    let [sshd, ssh, keygen] = ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen"];
    if [sshd, ssh, keygen].iter().any(|path| !Path::new(path).exists()) {
        eprintln!("skipped: OpenSSH is not installed");
        return None;
    }
    if !rustix::process::geteuid().is_root() {
        // Whether another user may log in depends on the machine; root's run shows the tunnel.
        return None;
    }
    let (folder, here) = (Folder::new(), Folder::new());
    fs::create_dir_all("/run/sshd").unwrap();
    for (folder, name) in [(&folder, "host"), (&here, "login")] {
        let mut make = Command::new(keygen);
        make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.file(name));
        assert!(make.status().unwrap().success());
    }
    let keys = folder.write("authorized_keys", here.read("login.pub"));
    let address = nobody();
    let settings = format!(
        "ListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
         StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n",
        folder.file("host").display(),
        keys.display()
    );
    let mut server = Command::new(sshd);
    server.arg("-D").arg("-f").arg(folder.write("sshd_config", settings));
    let server = Daemon::start(server, address, folder);
    let tunnel = nobody();
    let mut client = Command::new(ssh);
    client.args(["-N", "-F", "/dev/null", "-D", &tunnel.to_string(), "-o", "BatchMode=yes"]);
    client.args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
    client.args(["-p", &address.port().to_string(), "-i"]).arg(here.file("login"));
    client.arg("root@127.0.0.1");
    Some((server, Daemon::start(client, tunnel, here)))
}

/// One of Debian's.
fn microsocks() -> Option<Daemon> {
    let path = "/usr/bin/microsocks";
    installed(path)?;
    let address = nobody();
    let mut command = Command::new(path);
    command.args(["-i", "127.0.0.1", "-p", &address.port().to_string()]);
    command.args(["-u", "user", "-P", PASSWORD]);
    Some(Daemon::start(command, address, Folder::new()))
}

#[test]
fn real_proxies_tunnel_names_and_addresses() {
    let through = |server: &Ably, url: &str, endpoint: &str| {
        let program = revoke_alice().trusting(server).keyed().args(["--endpoint", endpoint]);
        program.args(["--timeout", "5"]).env("ALL_PROXY", url).run()
    };
    let (bastion, small) = (ssh(), microsocks());
    let bastion = bastion.as_ref().map(|(_, client)| (client.address, String::new()));
    let small = small.as_ref().map(|proxy| (proxy.address, format!("user:{PASSWORD}@")));
    for (address, login) in bastion.into_iter().chain(small) {
        let server = Ably::start_on(Loopback::Both);
        let mut done = 0;
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            for scheme in ["socks5h", "socks5"] {
                let url = format!("{scheme}://{login}{address}");
                let run = through(&server, &url, &format!("{host}:{}", server.port()));
                run.exits(0).hides(PASSWORD);
                done += 1;
                assert_eq!(server.request_count(), done);
            }
        }
        let nowhere = nobody().to_string();
        let run = through(&server, &format!("socks5h://{login}{address}"), &nowhere);
        run.exits(1).says("nothing was sent").hides(PASSWORD);
        if !login.is_empty() {
            let endpoint = server.endpoint();
            let run = through(&server, &format!("socks5h://user:wrong@{address}"), &endpoint);
            run.exits(1).says("credentials");
        }
    }
}
