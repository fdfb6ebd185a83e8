# The release binary is static: musl, no libc of the host, nothing beside it.
TARGET ?= x86_64-unknown-linux-musl
PREFIX ?= /usr/local
BIN := target/$(TARGET)/release/ably
CARGO := cargo
BUILD := --locked --target $(TARGET)

.PHONY: all build demo test lint install clean target

all: build

build: target
	$(CARGO) build --release $(BUILD)
	@ls -l $(BIN)

# Adds the Rust target where rustup does not have it yet.
target:
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)

# A first look: revokes tokens at a stand-in for Ably on this machine.
demo: build
	@ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) run --quiet $(BUILD) --example demo

# Every test that runs the program runs the release binary.
test: build
	ABLY_BIN=$(CURDIR)/$(BIN) $(CARGO) test $(BUILD)

lint: target
	$(CARGO) fmt --check
	$(CARGO) clippy $(BUILD) --all-targets -- -D warnings

install: build
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/ably

clean:
	$(CARGO) clean
