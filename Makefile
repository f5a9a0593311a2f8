# make            build for Lua 5.4; LUA=5.1|5.2|5.3|jit for the others; V=1
#                 shows the commands; REDIS=1 builds ofox.redis, too
# make deps       install what building needs (Debian, root), or name it
# make demo       install what is missing (Debian, root), build, show it
# make picture    draws doc/demo.svg: what is seen of the demo
# make test       the same, then run everything that must hold, on all Luas
# make check      format, warnings, linters, rules of the house
# make peers     official clients against our simulator, ofox against another's
# make guard      instructions of ten fixed works, against the record
# make house      draws doc/house.svg
# make asan       the specs under AddressSanitizer and UBSan
# make torture    every request for memory fails in turn (ARGS="-v chat")
# make valgrind   the specs of calls and transport under memcheck
# make cov        lines of src/ that the specs reach, on Lua 5.4
# make bench      what calls cost, beside other clients; QUICK=1, RECORD=1, DRAW=1
# make fuzz       each fuzzer for SECONDS (30)
# make install    into PREFIX (/usr/local), with REDIS=1 ofox.redis, too; make
#                 uninstall: out of it again
# make rockspec   the release's rockspecs, from the others
# make dist       tarballs of a release; make dist-check: whether they work
# make clean      remove build/

LUA ?= 5.4
ifeq ($(filter $(LUA),5.1 5.2 5.3 5.4 jit),)
$(error ofox: LUA=$(LUA) is none of 5.1 5.2 5.3 5.4 jit)
endif
BUILD = build/$(LUA)
OBJ = $(BUILD)/obj
# What is compiled of the floors below src/lua is the same for all Luas.
COMMON = $(if $(filter build/$(LUA),$(BUILD)),build/common,$(BUILD)/common)

# Debian's places; LuaRocks' names, so that its values can be handed on.
ifeq ($(LUA),jit)
LUA_INCDIR ?= /usr/include/luajit-2.1
LUA_LIB = luajit-5.1
LUA_BIN ?= luajit
else
LUA_INCDIR ?= /usr/include/lua$(LUA)
LUA_LIB = lua$(LUA)
LUA_BIN ?= lua$(LUA)
endif
CURL_INCDIR ?=
CURL_LIBDIR ?=
HIREDIS_INCDIR ?=
HIREDIS_LIBDIR ?=

# One line for each file; V=1 shows the commands, make -s nothing.
ifeq ($(V)$(findstring s,$(firstword -$(MAKEFLAGS))),)
QUIET_CC = @echo "  CC $<";
QUIET_LINK = @echo "  LINK $@";
endif

CC ?= cc
WARN = -Wall -Wextra -pedantic -Wshadow -Wconversion -Wundef \
  -Wstrict-prototypes -Wmissing-prototypes -Wdeclaration-after-statement \
  -Wpointer-arith -Wwrite-strings -Wcast-align -Wnested-externs -Wvla
OUR_CFLAGS = -std=c99 -O2 -g -fPIC -fvisibility=hidden $(WARN) \
  -Isrc -I$(LUA_INCDIR) $(CURL_INCDIR:%=-I%)
OUR_LDFLAGS = -shared $(CURL_LIBDIR:%=-L%)
# _FORTIFY_SOURCE wants an optimizer, and no sanitizer beside it.
HARDEN = -fstack-protector-strong $(if $(filter -O0 -fsanitize=%,$(CFLAGS)),, \
  -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# Where the compiler can, it optimizes a module as a whole: a call takes 6 %
# less. LTO= turns it off.
LTO = $(eval LTO := $(if $(filter -O0 -fsanitize=%,$(CFLAGS)),,$(shell \
  mkdir -p $(BUILD); echo 'int one(void); int one(void) { return 1; }' | \
  $(CC) -shared -fPIC -flto=auto -xc - -o $(BUILD)/lto.so 2>/dev/null && \
  echo -flto=auto; rm -f $(BUILD)/lto.so)))$(LTO)
FAST = -fno-plt $(LTO)
ifeq ($(shell uname),Darwin)
OUR_LDFLAGS += -undefined dynamic_lookup
else
OUR_LDFLAGS += -Wl,-z,relro -Wl,-z,now
endif
ENGINE_LIBS = -lcurl -lz -lbrotlidec

# The rockspec lists the sources: those of the floors that both modules stand
# on, and each one's own.
listed = $(shell sed -n '/^local $(1) = {/,/^}/p' ofox-scm-1.rockspec \
  ofox-redis-scm-1.rockspec | grep -o 'src/[^"]*')
FLOORS := $(call listed,floors)
CORE := $(FLOORS) $(call listed,core)
ENGINE := $(FLOORS) $(call listed,engine)
REDIS_SOURCES := $(call listed,redis)

objects = $(patsubst src/%.c,$(COMMON)/%.o,$(filter-out src/lua/%,$(1))) \
  $(patsubst src/%.c,$(OBJ)/%.o,$(filter src/lua/%,$(1)))
CORE_O := $(call objects,$(CORE))
ENGINE_O := $(call objects,$(ENGINE))
REDIS_O := $(call objects,$(REDIS_SOURCES))

# Empty, or one sentence about what the compiler will not find: it is asked
# once, before the first compilation, and not where all is built.
UNREADY = $(eval UNREADY := $(shell $(DEPS) headers))$(UNREADY)

# ofox.redis is built where it is asked for; with TLS, where the compiler finds
# hiredis_ssl and OpenSSL. REDIS_TLS= turns it off.
MODULES = $(BUILD)/ofox/core.so $(BUILD)/ofox/engine.so \
  $(if $(REDIS),$(BUILD)/ofox/redis.so)
REDIS_TLS = $(eval REDIS_TLS := $(shell \
  printf '\043include <%s>\n' hiredis/hiredis.h hiredis/hiredis_ssl.h openssl/ssl.h | \
  $(CC) -E $(HIREDIS_INCDIR:%=-isystem %) $(CPPFLAGS) $(CFLAGS) - >/dev/null 2>&1 && echo 1))$(REDIS_TLS)
REDIS_LIBS = $(HIREDIS_LIBDIR:%=-L%) $(if $(REDIS_TLS),-lhiredis_ssl -lssl -lcrypto) -lhiredis

all: $(MODULES)

$(BUILD)/ofox/core.so: $(CORE_O)
	@mkdir -p $(@D)
	$(QUIET_LINK)$(CC) $(OUR_LDFLAGS) -O2 $(LTO) -o $@ $(CORE_O) $(LDFLAGS) -lm -lpthread

$(BUILD)/ofox/engine.so: $(ENGINE_O)
	@mkdir -p $(@D)
	$(QUIET_LINK)$(CC) $(OUR_LDFLAGS) -O2 $(LTO) -o $@ $(ENGINE_O) $(LDFLAGS) $(ENGINE_LIBS) -lm -lpthread

$(BUILD)/ofox/redis.so: $(REDIS_O)
	@mkdir -p $(@D)
	$(QUIET_LINK)$(CC) $(OUR_LDFLAGS) -O2 $(LTO) -o $@ $(REDIS_O) $(LDFLAGS) $(REDIS_LIBS) -lm -lpthread

$(COMMON)/redis/%.o: OUR_CFLAGS += $(HIREDIS_INCDIR:%=-isystem %) $(if $(REDIS_TLS),-DOFOX_REDIS_TLS)

define COMPILE
	$(if $(UNREADY),$(error $(UNREADY)))
	@mkdir -p $(@D)
	$(QUIET_CC)$(CC) $(OUR_CFLAGS) $(HARDEN) $(FAST) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
endef

$(OBJ)/lua/%.o: src/lua/%.c $(wildcard src/*/*.h src/*/*/*.h) Makefile
	$(COMPILE)

$(COMMON)/%.o: src/%.c $(wildcard src/*/*.h src/*/*/*.h) Makefile
	$(COMPILE)

# What must be there to build and run; see .ci/deps.
DEPS = LUA=$(LUA) LUA_INCDIR="$(LUA_INCDIR)" CURL_INCDIR="$(CURL_INCDIR)" \
  REDIS=$(REDIS) HIREDIS_INCDIR="$(HIREDIS_INCDIR)" \
  CC="$(CC)" CPPFLAGS="$(CPPFLAGS)" CFLAGS="$(CFLAGS)" .ci/deps
deps:
	@$(DEPS) build

demo:
	@$(DEPS) demo
	@echo "building for Lua $(LUA)"
	@$(MAKE) -s LUA=$(LUA) all
	@$(LUA_BIN) examples/demo.lua

# What is seen of the demo, in a terminal of 80 columns.
picture: all
	@mkdir -p build
	@.ci/picture/run >build/demo.svg
	@mv build/demo.svg doc/demo.svg

# With LUA given, on that one alone; with FILES, these spec files alone.
test:
	@CC="$(CC)" LUAS="$(LUAS)" .ci/deps test
	@LUAS="$(LUAS)" .ci/test $(FILES)
ifeq ($(origin LUA),command line)
LUAS = $(LUA)
else
LUAS ?= 5.4 5.1 5.2 5.3 jit
endif

check: all
	@.ci/check

peers:
	@.ci/peers

# What calls cost, against the record.
guard: all
	@.ci/guard

# The picture of the house, as its files are now.
house:
	@mkdir -p build
	@.ci/house/run draw >build/house.svg
	@mv build/house.svg doc/house.svg

# A copy of the tree, built with the sanitizers, where the specs run.
asan:
	@.ci/asan $(LUAS)

# A host in C whose memory fails, with core and engine linked in; the specs
# run it, too, with a part of all failures.
TORTURE = spec/c/torture.c spec/c/torture_heap.c spec/c/torture_serve.c
TORTURE_FLAGS = -fsanitize=address,undefined -fno-sanitize-recover=undefined
# What knows nothing of Lua is compiled once for all of them.
BELOW_LUA = $(filter-out src/lua/%,$(ENGINE))
TORTURED = $(BELOW_LUA:src/%.c=build/torture/%.o)
$(BUILD)/torture: $(TORTURE) spec/c/torture.h $(TORTURED) src/*/*.c src/*/*.h \
  src/*/*/*.c src/*/*/*.h Makefile
	@mkdir -p $(@D)
	$(CC) $(OUR_CFLAGS) -O1 $(TORTURE_FLAGS) -o $@ $(TORTURE) \
	  $(sort $(filter src/lua/%,$(CORE) $(ENGINE))) $(TORTURED) \
	  -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free \
	  -l$(LUA_LIB) $(ENGINE_LIBS) -ldl -lm -lpthread

build/torture/%.o: src/%.c $(wildcard src/*/*.h src/*/*/*.h) Makefile
	@mkdir -p $(@D)
	$(CC) $(OUR_CFLAGS) -O1 $(TORTURE_FLAGS) -c -o $@ $<

torture: $(BUILD)/torture
	@$(BUILD)/torture $(ARGS)

valgrind: all
	@.ci/valgrind

cov:
	@.ci/cov

# C programs that check what Lua cannot reach.
build/ctest/%.ok: spec/c/%.c $(BELOW_LUA:src/%.c=$(COMMON)/%.o)
	@mkdir -p $(@D)
	$(CC) $(OUR_CFLAGS) $(CPPFLAGS) -o build/ctest/$* $^ $(ENGINE_LIBS) -lm -lpthread
	build/ctest/$*
	@touch $@

SECONDS_EACH = $(or $(SECONDS),30)
fuzz:
	@.ci/fuzz $(SECONDS_EACH)

# QUICK: only whether all works; RECORD: the results go into the pages; DRAW:
# the pages are written again from what is recorded.
bench:
	@QUICK=$(QUICK) RECORD=$(RECORD) DRAW=$(DRAW) ROUNDS=$(ROUNDS) .ci/bench

PREFIX ?= /usr/local
LUA_VERSION = $(LUA:jit=5.1)
INST_LUADIR ?= $(PREFIX)/share/lua/$(LUA_VERSION)
INST_LIBDIR ?= $(PREFIX)/lib/lua/$(LUA_VERSION)
INST_DOCDIR ?= $(PREFIX)/share/doc/ofox
INST_NVIMDIR ?= $(PREFIX)/share/nvim/site
INSTALL = LUA=$(LUA) LUA_BIN="$(LUA_BIN)" BUILD="$(BUILD)" DESTDIR="$(DESTDIR)" REDIS=$(REDIS) \
  INST_LUADIR="$(INST_LUADIR)" INST_LIBDIR="$(INST_LIBDIR)" \
  INST_DOCDIR="$(INST_DOCDIR)" INST_NVIMDIR="$(INST_NVIMDIR)" .ci/install
install: all
	@$(INSTALL) install

uninstall:
	@$(INSTALL) uninstall

# The core knows the version. A release's rockspec is the other one of its name,
# with a version and a tag.
VERSION = $(shell sed -n 's/^.define OFOX_VERSION "\(.*\)"/\1/p' src/lua/lofox.h)
ROCKSPEC = ofox-$(VERSION)-1.rockspec
REDIS_ROCKSPEC = ofox-redis-$(VERSION)-1.rockspec
version:
	@echo $(VERSION)

rockspec:
	@$(call released,ofox-scm-1.rockspec) >$(ROCKSPEC)
	@$(call released,ofox-redis-scm-1.rockspec) >$(REDIS_ROCKSPEC)
released = sed -e 's/^version = .*/version = "$(VERSION)-1"/' \
  -e 's,^  url = .*,&\n  tag = "v$(VERSION)"\,,' -e 's/== scm-1/== $(VERSION)-1/' $(1)

# Tarballs for a release, in build/dist; and whether they are any good.
dist:
	@.ci/deps dist
	@.ci/dist

dist-check:
	@.ci/deps dist
	@.ci/dist-check

clean:
	rm -rf build

.PHONY: all deps demo picture test check peers guard house asan torture valgrind \
  cov fuzz bench install uninstall version rockspec dist dist-check clean
