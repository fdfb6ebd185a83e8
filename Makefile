# The release binary is static: musl, no libc of the host, nothing beside it.
TARGET ?= x86_64-unknown-linux-musl
# What ships. The first is this machine's: its binary makes the man page and the completions.
TARGETS := x86_64-unknown-linux-musl aarch64-unknown-linux-musl
PREFIX ?= /usr/local
BIN := target/$(TARGET)/release/ably
CARGO := cargo
# qemu-user does not know TCGETS2, by which the hidden prompt reads the terminal's modes.
CORE := examples:: usage:: keys:: confirmation:: wire:: judgement:: output:: --skip prompt
BUILD := --locked --target $(TARGET)
# How the binary is linked, and it alone: tests unwind. The linker comes with Rust, so that every
# machine links alike; relative relocations are packed (65 KB less; musl's start-up code reads
# them), and unwind tables are left out (230 KB less), since a panic aborts.
export LINK_FLAGS := -Clinker=rust-lld -Clink-arg=-zpack-relative-relocs -Clink-arg=--no-eh-frame-hdr -Clink-arg=-Tdist/discard.ld

.PHONY: all build demo test test-core bench lint install clean target targets dist check-dist reproduce size deny

all: build

build: target
	$(CARGO) rustc --release $(BUILD) --bin ably -- $(LINK_FLAGS)
	@ls -l $(BIN)

# Adds the Rust target where rustup does not have it yet.
target:
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)

# A first look: revokes tokens at a stand-in for Ably on this machine.
demo: build
	@ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) run --quiet $(BUILD) --example demo

# Every test that runs the program runs the release binary.
test: build
	ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) test $(BUILD) $(TEST_OPTIONS)

# The core of the tests against the binary in ABLY_BIN, under the emulator in ABLY_RUNNER if set.
test-core: target
	$(CARGO) test $(BUILD) --test behaviour -- $(CORE)

# Speed, memory and size beside curl's. Needs curl and hyperfine; GNU time for the memory.
bench: build
	@ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) run --release --quiet $(BUILD) --example bench

lint: target
	$(CARGO) fmt --check
	$(CARGO) clippy $(BUILD) --all-targets -- -D warnings

# Licences, sources and duplicates of the crates in the binary; see deny.toml.
deny:
	@command -v cargo-deny >/dev/null || { echo "missing: cargo install --locked cargo-deny"; exit 1; }
	$(CARGO) deny --locked check bans licenses sources

install: build
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/ably

targets:
	@command -v rustup >/dev/null || exit 0; for target in $(TARGETS); do \
		rustup target list --installed | grep -qx $$target || rustup target add $$target; done

# The archives of a release and their checksums, in dist/.
dist: targets
	dist/package.sh $(TARGETS)

check-dist:
	dist/check.sh $(TARGETS)

# Builds the last commit twice, by different people in different places, and compares.
reproduce: targets
	dist/reproduce.sh

# The binary's size, and what it is made of.
size: build
	@stat -c '%s bytes, %n' $(BIN)
	@command -v cargo-bloat >/dev/null || { echo "for the parts: cargo install --locked cargo-bloat"; exit 0; }; \
	for by in "--crates -n 12" "-n 20"; do \
		$(CARGO) bloat --release $(BUILD) --target-dir target/size \
			--config 'profile.release.strip=false' $$by; done

clean:
	$(CARGO) clean
	rm -f dist/*.tar.gz dist/SHA256SUMS
