# lamon: everything that a person types. `make` lists it.

CARGO ?= cargo
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# cargo-nextest runs the tests of all programs side by side; plain `cargo test` one program after the other.
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)
# Most tests wait for programs, so half as many again as there are cores run at once.
AT_ONCE = $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores + (cores + 1) / 2)))

.DEFAULT_GOAL := help
.PHONY: help deps deps-test build page windows windows-agent windows-missing deps-windows static static-agent static-missing deps-static \
    macos-check deps-deb deps-dist deb dist test demo chaos bench bench-rts2 fuzz fuzz-corpus deps-fuzz deny audit fmt fmt-check clippy doc \
    arm arm-agent arm-missing deps-arm check-config

help: ## List these targets
	@echo 'make <target>:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

deps: ## Install what building needs (Debian, Ubuntu; elsewhere say what is needed)
	@$(call install,$(call missing_to_build),libzmq3-dev (ZeroMQ with its headers) pkg-config make Node.js (18 or newer) with npm and a C and C++ compiler)

deps-test: deps-deb ## Install what the tests need as well
	@$(call install,$(call missing_to_build)$(call missing_to_test),libzmq3-dev (ZeroMQ with its headers) pkg-config make Node.js (18 or newer) with npm a C and C++ compiler netcat tmux openssl chromium groff mmdebstrap iproute2, Python with pyzmq and the server programs of MariaDB (mariadbd and mariadb-install-db) with Galera)

build: deps page ## Build every program, for debugging
	$(CARGO) build --locked --workspace --bins

# The web page. Its files are made anew when a source is newer than they are.
PAGE := lamon-apps/web/page

page: deps $(PAGE)/dist/index.html ## Build the web page that is put into lamon-web

$(PAGE)/dist/index.html: $(wildcard $(PAGE)/*.json $(PAGE)/*.ts $(PAGE)/index.html $(PAGE)/src/* $(PAGE)/src/*/* $(PAGE)/public/*) | deps
	cd $(PAGE) && npm ci --no-audit --no-fund && npm run build

# $(call std_for,target): the standard library that rustup added for it, nothing where it did not.
std_for = $(wildcard $(shell rustc --print target-libdir --target $(1) 2>/dev/null)/libstd-*)

# The agent for Windows. rustup's toolchain builds it where its target was added (rustup target add x86_64-pc-windows-gnu); else
# that of Debian's packages does, with the standard library, for which Debian has no package. It builds in a folder of its own, so
# that two compilers do not take turns in one. What is small is copied to a hundred computers sooner, and nothing on Windows reads
# the names in it.
WINDOWS := x86_64-pc-windows-gnu
WINDOWS_AGENT := target/windows/$(WINDOWS)/release/lamon-agent.exe
windows_std = $(call std_for,$(WINDOWS))
windows_cargo = $(if $(windows_std),$(CARGO) build,RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo build -Z build-std=std,panic_abort)

windows: deps-windows windows-agent ## Build lamon-agent.exe for Windows, by a cross compiler (2 GB of packages)
	@ls -l $(WINDOWS_AGENT)

windows-agent:
	CARGO_PROFILE_RELEASE_STRIP=symbols CARGO_PROFILE_RELEASE_OPT_LEVEL=s $(windows_cargo) --locked --release --target $(WINDOWS) --target-dir target/windows -p lamon-agent --bin lamon-agent

# What `make windows` would install.
windows-missing:
	@echo '$(strip $(missing_for_windows))'

deps-windows:
	@$(call install,$(missing_for_windows),a C compiler for Windows (x86_64-w64-mingw32-gcc) wine and the target $(WINDOWS) of rustup)

# The agent for any Linux: one file that needs nothing of the system it is copied to, with musl as its C library. rustup's target has
# musl with it (rustup target add x86_64-unknown-linux-musl); Debian's Rust takes that of musl-dev, and LLVM's unwinder, from which
# musl lacks one function that is called before an abort only.
STATIC := x86_64-unknown-linux-musl
STATIC_AGENT := target/static/$(STATIC)/release/lamon-agent
static_std = $(call std_for,$(STATIC))
static_cargo = $(if $(static_std),$(CARGO) build,$(static_debian) /usr/bin/cargo build -Z build-std=std,panic_abort)
static_debian = RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=cc \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS='-C link-self-contained=yes -C link-arg=-Wl,--defsym=__fprintf_chk=abort -L native=$(CURDIR)/target/static/crt'
static_crt = $(foreach file,rcrt1.o crti.o crtn.o libc.a,/usr/lib/x86_64-linux-musl/$(file)) \
    $(foreach file,crtbeginS.o crtendS.o,$(shell cc -print-file-name=$(file))) $(llvm_unwind)
llvm_unwind = $(lastword $(wildcard /usr/lib/llvm-*/lib/libunwind.a))

static: deps-static static-agent ## Build lamon-agent for any Linux of the last ten years, as one static file
	@ls -l $(STATIC_AGENT)

static-agent:
	@[ -n '$(static_std)' ] || { mkdir -p target/static/crt && ln -sf $(static_crt) target/static/crt/; }
	CC_x86_64_unknown_linux_musl=musl-gcc CARGO_PROFILE_RELEASE_STRIP=symbols $(static_cargo) --locked --release --target $(STATIC) --target-dir target/static -p lamon-agent --bin lamon-agent

# What `make static` would install.
static-missing:
	@echo '$(strip $(missing_for_static))'

deps-static:
	@$(call install,$(missing_for_static),musl with its compiler (musl-gcc) and the target $(STATIC) of rustup)

# The same for boards: ARM of 64 bit, and of 32 bit since the first Raspberry Pi. Zig has a C library for each, and a compiler and a
# linker, which cargo-zigbuild calls. It comes as a package of Python's, which is unpacked here alone. Both are of versions that go together.
ARM := aarch64-unknown-linux-musl arm-unknown-linux-musleabihf
ARM_AGENTS := $(ARM:%=target/static/%/release/lamon-agent)
ZIG := target/zig/ziglang/zig
ZIG_VERSION := 0.17.1
ZIGBUILD_VERSION := 0.24.1
# $(call arm_build,target)
arm_build = CARGO_ZIGBUILD_ZIG_PATH='$(CURDIR)/$(ZIG)' CARGO_PROFILE_RELEASE_STRIP=symbols \
    $(if $(call std_for,$(1)),,CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1) \
    cargo-zigbuild rustc $(if $(call std_for,$(1)),,-Z build-std=std,panic_abort) --locked --release --target $(1) \
    --target-dir target/static -p lamon-agent --bin lamon-agent -- -C link-self-contained=no

arm: deps-arm arm-agent ## Build lamon-agent for boards with ARM processors, 64 and 32 bit, as static files
	@ls -l $(ARM_AGENTS)

arm-agent:
	$(foreach target,$(ARM),$(call arm_build,$(target)) &&) true

# What `make arm` would install.
arm-missing:
	@echo '$(strip $(missing_for_arm))'

deps-arm:
	@$(call install,$(filter-out cargo-zigbuild ziglang,$(missing_for_arm)),pip for Python 3 qemu-user and the targets $(ARM) of rustup)
	@command -v cargo-zigbuild >/dev/null 2>&1 || $(install_tool) cargo-zigbuild@$(ZIGBUILD_VERSION)
	@[ -x $(ZIG) ] || PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --target target/zig ziglang==$(ZIG_VERSION)

# Without Apple's tools nothing can be linked or run for macOS, but types are known: Debian's Rust has the standard library's sources.
# What is written in C (in ring) is not compiled; the stand-ins say that it was.
MACOS ?= aarch64-apple-darwin
macos-check: ## Check the types of lamon-agent for macOS, where Debian's newer Rust is (make static installs it)
	RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 SDKROOT=/ CC_$(subst -,_,$(MACOS))=true AR_$(subst -,_,$(MACOS))=true \
	    /usr/bin/cargo check -Z build-std=std,panic_abort --locked --target $(MACOS) --target-dir target/macos -p lamon-agent

# Packages. cargo-deb is built once, without the optimization across crates that its own releases want: that takes half as long.
install_tool = $(CARGO) install --locked --config profile.release.lto=false --config profile.release.codegen-units=16
TOOLS := lamon-agent lamon-sensord lamon-collector lamon lamon-mon lamon-notify lamon-web rts2c
DIST := target/dist
VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1)

deps-deb: deps
	@$(CARGO) deb --version >/dev/null 2>&1 || $(install_tool) cargo-deb

deps-dist: deps-deb
	@$(CARGO) cyclonedx --version >/dev/null 2>&1 || $(install_tool) cargo-cyclonedx

deb: page deps-deb ## Make packages for Debian and Ubuntu in target/dist (release build; DEBFULLNAME and DEBEMAIL say by whom)
	$(CARGO) build --locked --release $(TOOLS:%=--bin %) --bin lamon-pages
	@rm -f $(DIST)/*.deb
	@mkdir -p $(DIST)
	@CARGO='$(CARGO)' packaging/deb.sh release $(DIST) >/dev/null
	@! command -v lintian >/dev/null 2>&1 || lintian --fail-on error,warning $(DIST)/*.deb
	@cd $(DIST) && du -h --apparent-size *.deb

dist: deb deps-dist ## The same, archives for other systems, checksums, and what everything was built of (SBOM), in target/dist
	@rm -f $(WINDOWS_AGENT) $(STATIC_AGENT) $(ARM_AGENTS)
	@[ -n '$(strip $(missing_for_windows))' ] || $(MAKE) --no-print-directory windows-agent
	@[ -n '$(strip $(missing_for_static))' ] || $(MAKE) --no-print-directory static-agent
	@[ -n '$(strip $(missing_for_arm))' ] || $(MAKE) --no-print-directory arm-agent
	@CARGO='$(CARGO)' packaging/dist.sh $(VERSION) $(DIST) '$(TOOLS)'
	@cd $(DIST) && du -h --apparent-size *

test: deps-test page fmt-check clippy doc ## Check everything: form, lints, documents, configuration, every test
	$(CARGO) build --locked --workspace --bins --examples
	@[ -n '$(strip $(missing_for_windows))' ] || $(MAKE) --no-print-directory windows-agent
	@[ -n '$(strip $(missing_for_static))' ] || $(MAKE) --no-print-directory static-agent
	@[ -n '$(strip $(missing_for_arm))' ] || $(MAKE) --no-print-directory arm-agent
	@[ -n '$(strip $(missing_for_macos))' ] || $(MAKE) --no-print-directory macos-check
	@$(MAKE) --no-print-directory check-config
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --locked --workspace --no-fail-fast --test-threads $(AT_ONCE)
	$(CARGO) test --locked --workspace --doc
else
	$(CARGO) test --locked --workspace --no-fail-fast
endif
	@[ -z '$(strip $(missing_for_windows))' ] || echo 'The agent for Windows was not built and run: make windows installs what that needs.'
	@[ -z '$(strip $(missing_for_static))' ] || echo 'The static agent was not built and run: make static installs what that needs.'
	@[ -z '$(strip $(missing_for_arm))' ] || echo 'The agents for ARM were not built and run: make arm installs what that needs.'
	@[ -z '$(strip $(missing_for_macos))' ] || echo 'The agent for macOS was not checked: make static installs what that needs.'
	@[ -n "$$RTS2_BINDIR" ] || echo 'RTS2_BINDIR is not set: the cases under real RTS2 programs were not run.'

demo: deps page ## See this computer as RTS2 sees it and in a browser, live, until Ctrl-C
	@$(CARGO) build --locked --workspace --bins
	@target/debug/demo

chaos: deps-test ## Kill, cut, fill and tear the family 50 times each and count (release build; CHAOS="--only hub-killed --times 5")
	$(CARGO) build --locked --release --workspace --bin lamon-agent --bin lamon-collector --bin lamon-sensord --bin chaos
	target/release/chaos $(CHAOS)

bench: deps-test ## Measure what it costs and takes, in one table, a quarter of an hour (release build; BENCH=--quick for a short look)
	$(CARGO) build --locked --release --workspace --bin lamon-agent --bin lamon-sensord --bin lamon-collector --bin bench
	target/release/bench $(BENCH)
	$(MAKE) --no-print-directory bench-rts2 BENCH=$(filter --quick,$(BENCH))

bench-rts2: ## The same for RTS2 devices alone; beside the original where RTS2_BINDIR says where it is
	$(CARGO) build --locked --release -p rts2-bench
	target/release/rts2-bench $(BENCH)

# What is fuzzed, and how long each: what reads bytes of strangers, and the RTS2 protocol.
FUZZ_TARGETS := $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs rts2dev/fuzz/fuzz_targets/*.rs)))
FUZZ_SECONDS ?= 600
# cargo-fuzz wants a nightly compiler for its sanitizer; this lets the stable one do it.
FUZZ := RUSTC_BOOTSTRAP=1 $(CARGO) fuzz
# In the shell: the folder that has $target.
fuzz_folder := $$(dirname $$(dirname $$(ls fuzz/fuzz_targets/$$target.rs rts2dev/fuzz/fuzz_targets/$$target.rs 2>/dev/null)))

fuzz: deps-fuzz ## Fuzz what reads bytes of strangers (FUZZ_SECONDS=600 for each of FUZZ_TARGETS)
	@for target in $(FUZZ_TARGETS); do \
	    folder=$(fuzz_folder); words=$$(cd $$folder && ls *.dict 2>/dev/null); \
	    mkdir -p $$folder/target/corpus/$$target; \
	    echo "fuzzing $$target of $$folder for $(FUZZ_SECONDS) s"; \
	    (cd $$folder && $(FUZZ) run $$target target/corpus/$$target corpus/$$target -- $${words:+-dict=$$words} \
	        -max_len=4096 -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1) || exit; \
	done

fuzz-corpus: deps-fuzz ## Add what fuzzing found to the small corpus that the tests replay
	@for target in $(FUZZ_TARGETS); do \
	    folder=$(fuzz_folder); \
	    rm -rf $$folder/target/small && mkdir -p $$folder/target/corpus/$$target $$folder/target/small; \
	    (cd $$folder && $(FUZZ) run $$target target/small corpus/$$target target/corpus/$$target -- \
	        -set_cover_merge=1 -use_counters=0 -max_len=2048) || exit; \
	    rm -rf $$folder/corpus/$$target && mv $$folder/target/small $$folder/corpus/$$target; \
	done

deps-fuzz:
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install cargo-fuzz --locked

deny: ## Check licences, sources and versions of what is used (installs cargo-deny)
	@command -v cargo-deny >/dev/null 2>&1 || $(CARGO) install cargo-deny --locked
	$(CARGO) deny check licenses bans sources

audit: ## Look for known weaknesses in what is used (downloads RustSec's database)
	@command -v cargo-deny >/dev/null 2>&1 || $(CARGO) install cargo-deny --locked
	$(CARGO) deny check advisories

fmt: ## Bring all code into its form
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all --check

clippy: page ## Check all code by its lints; a warning is an error
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

doc: page ## Build the documents of all code; a warning is an error
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps

check-config: ## Check the configuration files that are shipped, with the programs that were built
	@for file in etc/*.toml; do \
	    case $$file in \
	        etc/agent*.toml) program=lamon-agent ;; \
	        etc/hub*.toml) program=lamon-sensord ;; \
	        etc/notify*.toml) program=lamon-notify ;; \
	        etc/web*.toml) program=lamon-web ;; \
	        *) continue ;; \
	    esac; \
	    [ -e "$$file" ] || continue; \
	    echo "target/debug/$$program check -c $$file"; \
	    target/debug/$$program check -c "$$file" >/dev/null || exit; \
	done

# Debian's packages of what is not there; nothing where all is.
missing_to_build = $(shell \
	{ command -v c++ && command -v cc; } >/dev/null 2>&1 || echo g++ gcc; \
	command -v pkg-config >/dev/null 2>&1 || echo pkg-config; \
	command -v node >/dev/null 2>&1 || echo nodejs; \
	command -v npm >/dev/null 2>&1 || echo npm; \
	pkg-config --exists libzmq 2>/dev/null || [ -e /usr/include/zmq.h ] || echo libzmq3-dev)
# mariadb-server-core has the server's programs and starts no server of the system; galera-4 is the library of its clusters.
missing_to_test = $(shell \
	command -v groff >/dev/null 2>&1 || echo ' groff-base'; \
	command -v dpkg-shlibdeps >/dev/null 2>&1 || echo ' dpkg-dev'; \
	command -v mmdebstrap >/dev/null 2>&1 || echo ' mmdebstrap'; \
	[ -x /usr/sbin/ip ] || echo ' iproute2'; \
	command -v curl >/dev/null 2>&1 || echo ' curl'; \
	command -v nc >/dev/null 2>&1 || echo ' netcat-openbsd'; \
	command -v tmux >/dev/null 2>&1 || echo ' tmux'; \
	python3 -c 'import zmq' 2>/dev/null || /usr/bin/python3 -c 'import zmq' 2>/dev/null || echo ' python3-zmq'; \
	[ -n "$$CHROMIUM" ] || command -v chromium >/dev/null 2>&1 || echo ' chromium'; \
	command -v openssl >/dev/null 2>&1 || echo ' openssl'; \
	{ PATH="$$PATH:/usr/sbin:/usr/libexec" command -v mariadbd && command -v mariadb-install-db; } >/dev/null 2>&1 \
	    || echo ' mariadb-server-core'; \
	ls /usr/lib*/galera*/libgalera_smm.so /usr/lib/libgalera_smm.so /usr/local/lib/libgalera_smm.so 2>/dev/null | grep -q . \
	    || echo ' galera-4')

# wine64 runs the agent in the tests.
missing_for_windows = $(shell \
	command -v x86_64-w64-mingw32-gcc >/dev/null 2>&1 || echo gcc-mingw-w64-x86-64-win32; \
	[ -e /usr/lib/wine/wine64 ] || command -v wine64 >/dev/null 2>&1 || command -v wine >/dev/null 2>&1 || echo wine64; \
	[ -n "$(windows_std)" ] || { $(debian_rust); })
missing_for_static = $(shell \
	command -v musl-gcc >/dev/null 2>&1 || echo musl-tools; \
	[ -n "$(static_std)" ] || { $(debian_rust); [ -n "$(llvm_unwind)" ] || echo libunwind-14-dev; })
missing_for_arm = $(shell \
	command -v cargo-zigbuild >/dev/null 2>&1 || echo cargo-zigbuild; \
	[ -x $(ZIG) ] || { echo ziglang; python3 -m pip --version >/dev/null 2>&1 || echo python3-pip; }; \
	command -v qemu-arm >/dev/null 2>&1 || command -v qemu-arm-static >/dev/null 2>&1 || echo qemu-user; \
	[ $(words $(foreach target,$(ARM),$(call std_for,$(target)))) = $(words $(ARM)) ] || { $(debian_rust); })
missing_for_macos = $(shell $(debian_rust))

# A Rust of Debian's that builds its standard library for other systems: what of it is missing.
debian_rust = /usr/bin/rustc --version 2>/dev/null | grep -q ' 1\.\(9[5-9]\|[1-9][0-9][0-9]\)' || echo rustc-web; \
	/usr/bin/cargo --version 2>/dev/null | grep -q ' 1\.\(9[5-9]\|[1-9][0-9][0-9]\)' || echo cargo-web; \
	[ -e /usr/lib/rustlib/src/rust/library ] || echo rust-web-src

# $(call install,packages,in words for other systems)
define install
	packages='$(strip $(1))'; \
	if [ -z "$$packages" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null 2>&1; then \
	    echo 'Something is missing. Please install: $(2).' >&2; \
	    exit 1; \
	fi; \
	echo "installing $$packages"; \
	$(SUDO) apt-get update && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$packages
endef
