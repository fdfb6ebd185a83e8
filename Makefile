# The release binary is static: musl, no libc of the host, nothing beside it.
TARGET ?= $(shell uname -m)-unknown-linux-musl
# What ships. The first is this machine's: its binary makes the man page and the completions.
TARGETS := x86_64-unknown-linux-musl aarch64-unknown-linux-musl
PREFIX ?= /usr/local
BIN := target/$(TARGET)/release/ably
SHARE := target/share
# A binary that runs here, which makes the pages. They are the same for every target.
RUNS_HERE ?= $(BIN)
CARGO := cargo
DOCKER ?= docker
PLATFORM ?= linux/$(if $(filter aarch64,$(shell uname -m)),arm64,amd64)
VERSION = $(shell sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' Cargo.toml)
# qemu-user does not know TCGETS2, by which the hidden prompt reads the terminal's modes.
CORE := cli::examples:: cli::usage:: keys::sources:: revoke::wire:: terminal::question:: terminal::output:: --skip prompt --skip never_opens
BUILD := --locked --target $(TARGET)
# Builds what a recipe goes on with. Cargo is heard on a terminal, or where it fails.
QUIETLY = [ -t 2 ] || export CARGO_TERM_QUIET=true; $(MAKE) --silent build >/dev/null &&
.PHONY: all build pages demo live test test-core bench lint install uninstall deb clean dist check-dist image \
	reproduce size deny

all: build pages

build:
	@dist/build.sh $(TARGET)
	@ls -l $(BIN)

# What is installed beside the binary.
pages: build
	@dist/pages.sh $(TARGET) $(RUNS_HERE) $(SHARE)

# A first look: revokes tokens at a stand-in for Ably on this machine, which stays up with KEEP=1.
demo:
	@$(QUIETLY) ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) run --quiet $(BUILD) --example demo

# Tries it with the real Ably, in an app of its own in Ably's sandbox, or with the key in ABLY_API_KEY.
live:
	@$(QUIETLY) ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) run --quiet $(BUILD) --example live

# Every test that runs the program runs the release binary. They wait more than they compute.
test: build
	RUST_TEST_THREADS=8 ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) test $(BUILD) $(TEST_OPTIONS)

# The core of the tests against the binary in ABLY_BIN, under the emulator in ABLY_RUNNER if set.
test-core:
	$(CARGO) test $(BUILD) --test behaviour -- $(CORE)

# Speed, memory and size beside curl's. Needs curl and hyperfine; GNU time and valgrind for all of it.
bench:
	@$(QUIETLY) ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) run --profile bench --quiet $(BUILD) --example bench

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy $(BUILD) --all-targets -- -D warnings

# Licences of what is linked into the binary; sources and duplicates of that and of what builds it.
deny:
	@command -v cargo-deny >/dev/null || { echo "missing: cargo install --locked cargo-deny"; exit 1; }
	@command -v jq >/dev/null || { echo "missing: jq (apt-get install jq)"; exit 1; }
	@for target in $(TARGETS); do \
		dist/metadata.sh $$target >target/metadata.json && \
		$(CARGO) deny --locked --metadata-path target/metadata.json check licenses || exit 1; done
	$(CARGO) deny --locked check bans sources

# Copies what `make` built and nothing else, so that root needs no Rust.
install:
	@[ -x $(BIN) ] && [ -d $(SHARE) ] || { echo "nothing is built for $(TARGET): run make first" >&2; exit 1; }
	install -D -m 755 $(BIN) "$(DESTDIR)$(PREFIX)/bin/ably"
	for file in $$(cd $(SHARE) && find */ -type f); do \
		install -D -m 644 $(SHARE)/$$file "$(DESTDIR)$(PREFIX)/share/$$file" || exit 1; done

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/ably"
	for file in man/man1/ably.1 man/man1/ably-auth-revoke-token.1 bash-completion/completions/ably \
		zsh/site-functions/_ably fish/vendor_completions.d/ably.fish doc/ably-revoke-token; do \
		rm -rf "$(DESTDIR)$(PREFIX)/share/$$file"; done

# A package for Debian and its kin, in target/debian.
deb: all
	@command -v cargo-deb >/dev/null || { echo "missing: cargo install --locked cargo-deb"; exit 1; }
	$(CARGO) deb --locked --no-build --target $(TARGET)

# The archives of a release and their checksums, in dist/.
dist:
	dist/package.sh $(TARGETS)

check-dist:
	dist/check.sh $(TARGETS)

# An image of what `make dist` made. SOURCE: the address of the repository.
image:
	$(DOCKER) build --platform $(PLATFORM) --tag ably-revoke-token:$(VERSION) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git rev-parse HEAD) --build-arg SOURCE=$(SOURCE) dist

# Builds the last commit twice, by different people in different places, and compares.
reproduce:
	dist/reproduce.sh

# Lines of src by room, and the binary's bytes; fails where they are over the budget.
size: build
	@dist/size.sh $(BIN)

clean:
	$(CARGO) clean
	rm -f dist/*.tar.gz dist/SHA256SUMS
