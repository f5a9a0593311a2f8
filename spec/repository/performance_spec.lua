-- What make bench has recorded is what the pages show, and the picture is drawn
-- from it.
-- test: once: the pages are drawn by one Lua
local assert = require "luassert"
local proc = require "support.proc"

local path = package.path
package.path = "./spec/bench/?.lua;" .. path
local growth = require "growth"
local measure = require "measure"
local pages = require "pages"
local plot = require "plot"
local results = require "results"
local rounds = require "rounds"
local tables = require "tables"
local rows = require "rows"
package.path = path

local RECORDED = results.read()

-- A copy with another figure of ofox's calls.
local function changed()
  local copy = results.rounded(RECORDED)
  copy.rows["among 64 CPU"].ofox = { 7, 77.7 }
  return copy
end

describe("the recorded results", function()
  for _, page in ipairs(pages.list) do
    it("are what " .. page.path .. " shows", function()
      assert.equal(pages.text(page, RECORDED), proc.read(page.path))
      assert.not_equal(pages.text(page, changed()), proc.read(page.path))
    end)
  end

  it("are what the picture shows", function()
    assert.equal(plot.draw(RECORDED), proc.read(pages.PICTURE))
    assert.not_equal(plot.draw(changed()), proc.read(pages.PICTURE))
  end)

  it("are of the rows that there are, and of all of them", function()
    local known = {}
    for _, row in ipairs(rows.list) do
      known[row.id] = true
      assert.is_table(RECORDED.rows[row.id], row.id)
      assert.is_table(RECORDED.rows[row.id].ofox, row.id)
    end
    for id in pairs(RECORDED.rows) do assert.is_true(known[id], id) end
    for _, series in ipairs(growth.series) do assert.equal(#series.sizes, #RECORDED.growth[series.id].ofox) end
  end)

  it("are written as they are read", function()
    assert.equal(results.write(RECORDED), proc.read(results.PATH))
    assert.same(RECORDED, results.rounded(RECORDED))
    assert.same({ "a", x = { 1.235e6, 65536, 0.0001235 } },
      results.rounded { "a", x = { 1234567.8, 65536, 0.00012346 } })
  end)
end)

describe("a report", function()
  it("has the median of the rounds, and the median of the ratios within them", function()
    assert.same({ floor = { 2, 1 }, other = { 6, 3 }, alone = { 5 } },
      rounds.summary({ floor = { 1, 2, 4 }, other = { 5, 6, 12 }, alone = { 4, 6 }, none = {} }, "floor"))
    assert.same({ other = { 2 } }, rounds.summary({ other = { 2 } }, "floor"))
  end)

  it("shows figures and ratios with the digits that say something", function()
    local shown = {}
    for i, value in ipairs { 0.0123, 3.456, 14.25, 99.96, 9999.4, 9999.6, 1234567 } do
      shown[i] = tables.figure(value)
    end
    assert.same({ "0.0123", "3.46", "14.3", "100", "9999", "10 k", "1.23 M" }, shown)
    assert.same({ "1.00", "9.99", "10", "119" },
      { tables.ratio(1), tables.ratio(9.994), tables.ratio(9.996), tables.ratio(118.5) })
  end)

  it("knows how each row is measured", function()
    for _, row in ipairs(rows.list) do assert.is_function(measure[row.run.by], row.id) end
  end)

  it("takes a row's own figure of what rows share", function()
    assert.equal(5, rows.figure({ take = "memory" }, { value = 1, memory = 5 }))
    assert.equal(0.5, rows.figure({ divide = 2 }, { value = 1 }))
    assert.is_nil(rows.figure({}, nil))
  end)
end)
