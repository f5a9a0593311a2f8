-- The guard of what ofox costs (.ci/guard): what it makes of its counts, of
-- callgrind's files and of its record. The counting itself is CI's.
-- test: once: the guard is run by Lua 5.4 alone
local assert = require "luassert"
local proc = require "support.proc"
local profile = require "bench.guard_profile"
local record = require "bench.guard_record"
local verdict = require "bench.guard_verdict"

local RECORD = "spec/bench/record.lua"

describe("the guard's verdict", function()
  local function of(was, is)
    local rows, passed, wants_record = verdict.of({ call = was }, { { name = "call", count = is } })
    return rows[1].word, passed, wants_record
  end

  it("fails over 3 % more", function()
    assert.same({ "more", false, false }, { of(100000, 103001) })
    assert.same({ "more", false, false }, { of(8.8, 9.1) })
    assert.same({ "more", false, false }, { of(1, 100) })
  end)

  it("passes within 3 %", function()
    for _, count in ipairs { 103000, 100001, 100000, 99999, 97000 } do
      assert.same({ "", true, false }, { of(100000, count) })
    end
    assert.same({ "", true, false }, { of(8.8, 9.0) })
  end)

  it("asks for a new record over 3 % less, and passes", function()
    assert.same({ "less", true, true }, { of(100000, 96999) })
    assert.same({ "less", true, true }, { of(27, 9) })
  end)

  it("fails for one work among others that are well or cheaper", function()
    local rows, passed, wants_record = verdict.of({ call = 100, text = 100, new = 100 },
      { { name = "call", count = 90 }, { name = "text", count = 104 }, { name = "new", count = 100 } })
    assert.same({ "less", "more", "" }, { rows[1].word, rows[2].word, rows[3].word })
    assert.is_false(passed)
    assert.is_true(wants_record)
  end)

  it("asks for a record of a work that it does not know", function()
    local rows, passed, wants_record = verdict.of({ call = 100 }, { { name = "text", count = 5 } })
    assert.same({ "new", true, true }, { rows[1].word, passed, wants_record })
  end)

  it("passes where there is no record", function()
    local rows, passed, wants_record = verdict.of(nil, { { name = "call", count = 100 } })
    assert.same({ "", true, true }, { rows[1].word, passed, wants_record })
    assert.equal("call                    100", verdict.line(rows[1]))
  end)

  it("says the difference", function()
    local rows = verdict.of({ call = 100000, calls = 8.8, text = 4000, sent = 26.9 }, {
      { name = "call", count = 104000 }, { name = "calls", count = 8.5 }, { name = "text", count = 4000 },
      { name = "sent", count = 27.0 },
    })
    assert.equal("call                 104000       100000    +4.0 %  more", verdict.line(rows[1]))
    assert.equal("calls                   8.5          8.8    -3.4 %  less", verdict.line(rows[2]))
    assert.equal("text                   4000         4000    +0.0 %", verdict.line(rows[3]))
    assert.equal("sent                     27         26.9    +0.4 %", verdict.line(rows[4]))
  end)
end)

describe("the guard's profile", function()
  local function count(text) return profile.read(text:gmatch "([^\n]*)\n") end

  -- lua calls ofox, which calls libc and libcurl; libcurl calls libc, too, and
  -- ofox back. Each object is named once, then by its number.
  local PROFILE = [[
# callgrind format
events: Ir
summary: 1066666

ob=(1) /usr/bin/lua5.4
fn=(1) _start
0 1
cob=(2) /lib/libc.so.6
cfn=(2) __libc_start_main@@GLIBC_2.34
calls=1 0
* 999999

fn=(3) main
+3 10
cob=(3) /x/build/5.4/ofox/engine.so
cfn=(4) engine_step
calls=5 12
* 700000
cob=(2)
cfn=(5) dlopen@@GLIBC_2.34
calls=1 0
* 50000
-2 20

ob=(3)
fn=(4)
12 300
cob=(2)
cfn=(6) memcpy
calls=3 +4
+1 4000
cfn=(7) on_body
calls=1 0
* 8
cob=(4) /lib/libcurl.so.4
cfn=(8) curl_multi_socket_action
calls=1 0
* 600000
* 50

ob=(4)
fn=(8)
0 500000
cob=(2)
cfn=(6)
calls=9 0
0 90000
cob=(3)
cfn=(7)
calls=1 0
0 8

ob=(3)
fn=(7)
7 8

ob=(2)
fn=(6)
3 94000

]]

  it("counts ofox, the interpreter and what they call, but libcurl", function()
    local counted, left = count(PROFILE)
    assert.equal(1 + 10 + 20 + 300 + 4000 + 50 + 8, counted)
    assert.equal(500000 + 90000, left)
  end)

  it("counts the modules of other Luas and packages", function()
    for _, object in ipairs { "/usr/lib/x86_64-linux-gnu/liblua5.4-cjson.so.0.0.0", "/usr/bin/luajit-2.1.0",
      "/usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so", "/usr/local/lib/lua/5.4/ofox/core.so" } do
      assert.equal(7, (count("ob=(1) " .. object .. "\nfn=(1) f\n1 7\n")), object)
    end
    for _, object in ipairs { "/usr/lib/libcurl.so.4", "/usr/lib/libcurl-gnutls.so.4.8.0", "/usr/lib/libc.so.6",
      "/usr/lib/libssl.so.3", "???" } do
      assert.equal(0, (count("ob=(1) " .. object .. "\nfn=(1) f\n1 7\n")), object)
    end
  end)
end)

describe("the guard's record", function()
  it("is written as it is read, and in one order", function()
    local records = { ["Lua 5.4.4, \"x\""] = { ["system calls"] = 8.8, call = 258194, new = 39310733 }, a = { b = 1 } }
    for i = 1, 9 do records["key " .. i] = { call = i } end
    local text = record.text(records)
    assert.is_truthy(text:find('"Lua 5.4.4, .*"key 1".*"key 2".*"key 8".*"key 9"'))
    assert.same(records, assert((rawget(_G, "loadstring") or load)(text))())
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write(text)
    file:close()
    assert.same(records, record.read(name))
    assert.equal(text, record.text(record.read(name)))
    os.remove(name)
    assert.same({}, record.read(name))
  end)

  it("knows every work of the guard, and no other", function()
    local names = {}
    local works = proc.read(".ci/guard"):match "local WORKS = (%b{})"
    for name in works:gmatch '{ name = "([^"]+)", ' do names[#names + 1] = name end
    table.sort(names)
    assert.equal(11, #names)
    for key, counts in pairs(record.read(RECORD)) do
      local recorded = {}
      for name, number in pairs(counts) do
        assert.is_true(number > 0)
        recorded[#recorded + 1] = name
      end
      table.sort(recorded)
      assert.same(names, recorded, key)
    end
    assert.equal(proc.read(RECORD), record.text(record.read(RECORD)))
  end)
end)
