# The input's packages whose name and version $linked lists; if $toolchain is not empty, those in
# $linked that the input lacks as well.
($linked | split("\n") | map(split("|") | { key: .[0], value: .[1] }) | from_entries) as $license
| (.packages | map(select($license["\(.name) \(.version)"]).id)) as $ids
| def linked(id): id as $id | $ids | index($id);
  def toolchain($name): $license | to_entries[] | select(.key | startswith($name + " ")) | {
    name: $name, version: (.key | split(" ")[1]), license: .value, source: "toolchain",
    id: "toolchain+\(.key)", manifest_path: "/toolchain/\($name)/Cargo.toml", edition: "2021",
    dependencies: [], features: {}, authors: [], categories: [], keywords: [],
    targets: [{ kind: ["lib"], crate_types: ["lib"], name: $name, src_path: "/toolchain/\($name)" }] };
  def edge($package): { name: $package.name, pkg: $package.id, dep_kinds: [{ kind: null, target: null }] };
  def node($package; $deps): {
    id: $package.id, deps: $deps, dependencies: ($deps | map(.pkg)), features: [] };
  .resolve.root as $root
| .packages |= map(select(linked(.id)))
| .resolve.nodes |= map(select(linked(.id))
    | .deps |= map(select(linked(.pkg)) | .dep_kinds |= map(select(.kind == null)) | select(.dep_kinds != []))
    | .dependencies = (.deps | map(.pkg)))
| if $toolchain == "" then . else
    toolchain("std") as $std | toolchain("musl") as $musl
    | .packages += [$std, $musl]
    | .resolve.nodes |= map(if .id == $root then node({ id: $root }; .deps + [edge($std)]) else . end)
        + [node($std; [edge($musl)]), node($musl; [])]
  end
