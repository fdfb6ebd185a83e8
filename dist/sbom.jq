# A CycloneDX SBOM of the output of dist/metadata.sh. $target, $time (RFC 3339) and $lock, the text
# of Cargo.lock, which has the checksums.
($lock | split("[[package]]\n") | map(
    [match("(name|version|checksum) = \"([^\"]*)\""; "g").captures | { key: .[0].string, value: .[1].string }]
    | from_entries | select(.checksum) | { key: "\(.name) \(.version)", value: .checksum }) | from_entries) as $sha256
| def purl: "\(if .source == "toolchain" then "pkg:generic" else "pkg:cargo" end)/\(.name)@\(.version | gsub("\\+"; "%2B"))";
  def component: {
    type: (if .source then "library" else "application" end), "bom-ref": purl, name, version, purl: purl,
    licenses: [{ expression: .license }] }
    + (if .description then { description: (.description | gsub("\\s+"; " ") | ltrimstr(" ") | rtrimstr(" ")) } else {} end)
    + (if .authors != [] then { author: (.authors | join(", ")) } else {} end)
    + (if .repository then { externalReferences: [{ type: "vcs", url: .repository }] } else {} end)
    + ($sha256["\(.name) \(.version)"] as $sum
        | if $sum then { hashes: [{ alg: "SHA-256", content: $sum }] } else {} end);
  (.packages | map({ key: .id, value: purl }) | from_entries) as $purl
| .resolve.root as $root
| {
    bomFormat: "CycloneDX", specVersion: "1.5", version: 1,
    metadata: {
        timestamp: $time,
        component: (.packages[] | select(.id == $root) | component),
        properties: [{ name: "cdx:rustc:target_triple", value: $target }] },
    components: (.packages | map(select(.id != $root) | component) | sort_by(.purl)),
    dependencies: (.resolve.nodes
        | map({ ref: $purl[.id], dependsOn: (.deps | map($purl[.pkg]) | unique) }) | sort_by(.ref))
}
