# make            build for Lua 5.4; LUA=5.1|5.2|5.3|jit for the others
# make demo       install what is missing (Debian, root), build, show it
# make test       the same, then run everything that must hold
# make check      format, warnings, linters, rules of the house
# make clean      remove build/

LUA ?= 5.4
BUILD = build/$(LUA)
OBJ = $(BUILD)/obj

# Debian's places; LuaRocks' names, so that its values can be handed on.
ifeq ($(LUA),jit)
LUA_INCDIR ?= /usr/include/luajit-2.1
LUA_BIN ?= luajit
else
LUA_INCDIR ?= /usr/include/lua$(LUA)
LUA_BIN ?= lua$(LUA)
endif
CURL_INCDIR ?=
CURL_LIBDIR ?=

CC ?= cc
WARN = -Wall -Wextra -pedantic -Wshadow -Wconversion -Wundef \
  -Wstrict-prototypes -Wmissing-prototypes -Wdeclaration-after-statement \
  -Wpointer-arith -Wwrite-strings -Wcast-align -Wnested-externs -Wvla
OUR_CFLAGS = -std=c99 -O2 -g -fPIC -fvisibility=hidden $(WARN) \
  -I$(LUA_INCDIR) $(CURL_INCDIR:%=-I%)
OUR_LDFLAGS = -shared $(CURL_LIBDIR:%=-L%)
ifeq ($(shell uname),Darwin)
OUR_LDFLAGS += -undefined dynamic_lookup
endif

LEAVES = buf utf8 base64 redact json when headers errors delta retry
FLOW = call
CORE = $(LEAVES) $(FLOW) lcore lparts ljson lerrors lretry lcall
ENGINE = $(LEAVES) $(FLOW) poller engine lengine

CORE_O = $(CORE:%=$(OBJ)/%.o)
ENGINE_O = $(ENGINE:%=$(OBJ)/%.o)

all: $(BUILD)/ofox/core.so $(BUILD)/ofox/engine.so

$(BUILD)/ofox/core.so: $(CORE_O)
	@mkdir -p $(@D)
	$(CC) $(OUR_LDFLAGS) -o $@ $(CORE_O) $(LDFLAGS) -lm

$(BUILD)/ofox/engine.so: $(ENGINE_O)
	@mkdir -p $(@D)
	$(CC) $(OUR_LDFLAGS) -o $@ $(ENGINE_O) $(LDFLAGS) -lcurl -lm

$(OBJ)/%.o: src/%.c $(wildcard src/*.h) Makefile
	@mkdir -p $(@D)
	$(CC) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

clean:
	rm -rf build

.PHONY: all clean
