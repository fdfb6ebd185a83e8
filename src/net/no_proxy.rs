//! Which hosts go without a proxy: the entries of `NO_PROXY` and what each covers. Which variable
//! counts is up to `proxy.rs`.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::net::authority::{Authority, HTTPS};

/// An entry of `NO_PROXY`.
#[derive(Debug)]
pub(crate) struct Exempt {
    rule: Rule,
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
enum Rule {
    Everything,
    Network(IpNet),
    /// A name with all names below it, in lower case, without dots at its ends.
    Domain(String),
}

/// Without the entries that make no sense.
pub(crate) fn exemptions(list: &str) -> Vec<Exempt> {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    entries.filter_map(|entry| rule(entry).map(|(rule, port)| Exempt { rule, port })).collect()
}

fn rule(entry: &str) -> Option<(Rule, Option<u16>)> {
    if entry == "*" {
        return Some((Rule::Everything, None));
    }
    if entry.contains('/') {
        return Some((Rule::Network(network(entry)?), None));
    }
    // `.example.com` and `*.example.com` are `example.com`, as in curl.
    let name = entry.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(entry);
    let Authority { host, port } = Authority::parse(name.strip_prefix('.').unwrap_or(name)).ok()?;
    let rule = match host.parse::<IpAddr>() {
        Ok(ip) => Rule::Network(ip.to_canonical().into()),
        Err(_) => Rule::Domain(host.trim_end_matches('.').to_owned()),
    };
    Some((rule, port))
}

/// Networks with the brackets of an IPv6 address too; `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
fn network(entry: &str) -> Option<IpNet> {
    let net: IpNet = entry.replace(['[', ']'], "").parse().ok()?;
    let bits = net.prefix_len().checked_sub(96);
    match (net.addr().to_canonical(), bits) {
        (IpAddr::V4(ip), Some(bits)) if net.addr().is_ipv6() => IpNet::new(ip.into(), bits).ok(),
        _ => Some(net),
    }
}

impl Exempt {
    pub(crate) fn covers(&self, to: &Authority) -> bool {
        if self.port.is_some_and(|own| own != to.port.unwrap_or(HTTPS)) {
            return false;
        }
        match (&self.rule, to.host.parse::<IpAddr>()) {
            (Rule::Everything, _) => true,
            (Rule::Network(network), Ok(ip)) => network.contains(&ip.to_canonical()),
            (Rule::Domain(domain), Err(_)) => {
                let above = to.host.trim_end_matches('.').strip_suffix(domain.as_str());
                above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use proptest::prelude::*;

    use crate::net::proxy::Proxies;

    fn exempt(list: &str, host: &str, port: u16) -> bool {
        let proxies = Proxies::from_env(|name| match name {
            "https_proxy" => Some("proxy:3128".to_owned()),
            "NO_PROXY" => Some(list.to_owned()),
            _ => None,
        });
        let host = match host.parse::<Ipv6Addr>() {
            Ok(ip) => format!("[{ip}]"),
            Err(_) => host.to_owned(),
        };
        proxies.route(&format!("{host}:{port}")).unwrap().is_none()
    }

    #[test]
    fn no_proxy_takes_names_suffixes_addresses_networks_and_ports() {
        for (list, host) in [
            ("*", "any.example"),
            ("other, *", "1.2.3.4"),
            ("example.com", "example.com"),
            ("example.com", "a.example.com"),
            (".example.com", "a.b.EXAMPLE.com"),
            (".example.com", "example.com"),
            ("*.example.com", "a.example.com"),
            ("EXAMPLE.com.", "example.com"),
            ("example.com", "example.com."),
            ("x,,y\texample.com\n", "example.com"),
            ("x y;z example.com", "example.com"),
            ("localhost", "localhost"),
            ("net", "main.realtime.ably.net"),
            (" localhost ", "localhost"),
            ("10.0.0.0/8,127.0.0.0/30", "127.0.0.1"),
            ("example.com:443", "a.example.com"),
            ("10.1.2.3", "10.1.2.3"),
            ("10.1.2.3:443", "10.1.2.3"),
            ("10.0.0.0/8", "10.255.1.1"),
            ("10.9.9.9/8", "10.1.1.1"),
            ("0.0.0.0/0", "8.8.8.8"),
            ("10.1.2.3/32", "::ffff:10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("::1", "::1"),
            ("[::1]", "[::1]"),
            ("[::1]:443", "::1"),
            ("0:0:0:0:0:0:0:1", "::1"),
            ("2001:db8::/32", "[2001:db8:ffff::1]"),
            ("[2001:db8::]/32", "2001:db8::1"),
            ("::/0", "::1"),
        ] {
            assert!(exempt(list, host, 443), "{list} should cover {host}");
        }
    }

    #[test]
    fn no_proxy_covers_nothing_else() {
        for (list, host) in [
            ("", "example.com"),
            ("ample.com", "example.com"),
            ("a.example.com", "example.com"),
            ("example.com:8443", "example.com"),
            ("example.com:x", "example.com"),
            ("com.", "example.org"),
            ("4", "1.2.3.4"),
            ("10.0.0.0/33", "10.0.0.1"),
            ("10.0.0.0/-1", "10.0.0.1"),
            ("10.0.0.0/+8", "10.0.0.1"),
            ("10.0.0.0/", "10.0.0.1"),
            ("10.0.0/8", "10.0.0.1"),
            ("10.0.0", "10.0.0.1"),
            (",", "example.com"),
            ("example.com.example", "example.com"),
            ("/8", "10.0.0.1"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/8", "10.example.com"),
            ("::/0", "10.0.0.1"),
            ("::/129", "::1"),
            ("2001:db8::/32", "2001:db9::1"),
            (".", "example.com"),
            ("*.", "example.com"),
            ("**", "example.com"),
            ("exa*.com", "example.com"),
        ] {
            assert!(!exempt(list, host, 443), "{list:?} should not cover {host}");
        }
    }

    proptest! {
        #[test]
        fn a_domain_covers_itself_and_what_is_below_it(
            domain in "[a-z]{1,5}(\\.[a-z]{1,5}){0,2}", below in "[a-z]{1,5}", dot in "\\.?", more in "[a-z]",
        ) {
            let entry = format!("{dot}{domain}");
            let (sub, beside) = (format!("{below}.{domain}"), format!("{more}{domain}"));
            prop_assert!(exempt(&entry, &domain, 443));
            prop_assert!(exempt(&entry, &sub, 443));
            prop_assert!(!exempt(&entry, &beside, 443));
        }

        #[test]
        fn a_network_covers_what_shares_its_bits(network: u128, host: u128, bits in 0_u32..=128) {
            let (net, ip) = (Ipv6Addr::from_bits(network), Ipv6Addr::from_bits(host));
            prop_assume!(net.to_ipv4_mapped().is_none() && ip.to_ipv4_mapped().is_none());
            let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
            let expected = network & mask == host & mask;
            prop_assert_eq!(exempt(&format!("{net}/{bits}"), &ip.to_string(), 443), expected);
            let inside = Ipv6Addr::from_bits((network & mask) | (host & !mask));
            if inside.to_ipv4_mapped().is_none() {
                let entry = format!("{net}/{bits}");
                prop_assert!(exempt(&entry, &inside.to_string(), 443));
            }
        }
    }
}
