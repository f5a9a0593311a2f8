local log = require "ofox.base.log"

describe("the log", function()
  local function env(value)
    return function(name) return name == "OFOX_LOG" and value or nil end
  end

  it("hears what OFOX_LOG asks for", function()
    local HEARD = {
      debug = "debug info warn error", info = "info warn error", warn = "warn error", error = "error",
      [" DEBUG\n"] = "debug info warn error", off = "", [""] = "", yes = "",
    }
    for value, wanted in pairs(HEARD) do
      local heard = {}
      for _, level in ipairs { "debug", "info", "warn", "error" } do
        if log.enabled({ log_threshold = log.threshold(env(value)) }, level) then heard[#heard + 1] = level end
      end
      assert.equal(wanted, table.concat(heard, " "))
    end
    assert.is_false(log.enabled({ log_threshold = log.threshold(env(nil)) }, "error"))
  end)

  it("goes to the program's logger instead, at all levels; false is silent", function()
    local heard = {}
    local settings = { log_threshold = 1, logger = function(...) heard[#heard + 1] = { ... } end }
    log.write(settings, "debug", "m", { a = 1 })
    log.write(settings, "error", "n")
    assert.same({ { "debug", "m", { a = 1 } }, { "error", "n", {} } }, heard)
    assert.is_false(log.enabled({ log_threshold = 1, logger = false }, "error"))
  end)

  it("hands an error of the logger on", function()
    local failure = {}
    local ok, err = pcall(log.write, { logger = function() error(failure) end }, "info", "m")
    assert.is_false(ok)
    assert.equal(failure, err)
  end)

  it("writes one line, its fields in order and nothing that breaks it", function()
    assert.equal('ofox info: retry a=1 b="x y" c="" d="say \\"hi\\"" e=\\x1b[0m\\x0a',
      log.line("info", "retry", { b = "x y", a = 1, c = "", d = 'say "hi"', e = "\27[0m\n" }))
    assert.equal("ofox warn: two\\x0alines", log.line("warn", "two\nlines"))
  end)
end)
