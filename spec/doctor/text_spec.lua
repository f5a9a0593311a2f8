-- The doctor's words, in both languages.
local doctor = require "support.doctor"
local text = require "ofox.doctor.text"

local LIST, LACKS, NO_KEY, PAGE = doctor.LIST, doctor.LACKS, doctor.NO_KEY, doctor.PAGE
local examine, expect = doctor.examine, doctor.expect

setup(doctor.own_environment)
teardown(doctor.give_back)
before_each(doctor.clear_environment)

describe("the doctor's words", function()
  local function blanks(sentence)
    local list = {}
    for name in sentence:gmatch("{(%w+)}") do list[#list + 1] = name end
    table.sort(list)
    return list
  end

  it("are there in both languages, with the same blanks", function()
    for id, row in pairs(text.rows) do
      for _, both in ipairs { row, row.advice } do
        assert.is_string(both.en, id)
        assert.is_string(both.zh, id)
        assert.is_nil(both.en:find("[\128-\255\n]") and both.en:gsub("…", ""):find("[\128-\255\n]"), id)
        assert.same(blanks(both.en), blanks(both.zh), id)
      end
      if row.advice then
        assert.matches("^%u.*%.$", row.advice.en, nil, id)
        assert.matches("。$", row.advice.zh, nil, id)
      end
    end
  end)

  it("are Chinese where that is asked for", function()
    local report = examine({ PAGE, LIST, LACKS, NO_KEY }, { base_url = "https://gw.test" }, "zh")
    for _, one in ipairs(report) do
      if one.check ~= "versions" and one.check ~= "models" then assert.matches("[\228-\233]", one.message) end
      if one.advice then assert.matches("[\228-\233]", one.advice) end
    end
    expect(report, "models", "error", nil, "请把 base_url 设为 https://gw.test/v1")
  end)

  it("stay on their line whatever a server says", function()
    local rude = { status = 503, body = { error = { message = "a\r\nb\27[2J\226\128\174c" } } }
    local report = examine { rude, LACKS, NO_KEY }
    assert.is_nil(tostring(report):find("[\r\27]"))
    local _, ends = tostring(report):gsub("\n", "")
    assert.equal(#report - 1, ends)
  end)
end)
