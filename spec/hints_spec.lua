-- The advice: something to read for every error, in both languages.
local core = require("ofox.base.native")("core")
local errors = require "ofox.errors"
local hints = require "ofox.hints"

-- Calls fn on each row of advice, with a name for it.
local function each_row(fn)
  for type, row in pairs(hints.rows) do
    fn(type, row)
    for code, finer in pairs(row.codes or {}) do fn(type .. "/" .. code, finer) end
    for status, finer in pairs(row.statuses or {}) do fn(type .. "/" .. status, finer) end
    if row.timed then fn(type .. "/timed", row.timed) end
  end
end

local function hint(fields, lang)
  fields.message = "m"
  return errors.new(fields):hint(lang)
end

describe("the hints", function()
  it("have one row per class and none for others", function()
    local types = {}
    for _, class in ipairs(core.classes) do
      types[class.type] = true
      assert.is_table(hints.rows[class.type], class.type)
    end
    for type in pairs(hints.rows) do assert.is_true(types[type], type) end
  end)

  it("say one to three sentences in each language", function()
    each_row(function(name, row)
      assert.is_string(row.en, name)
      assert.is_string(row.zh, name)
      assert.is_nil(row.en:find("[\128-\255\n]"), name .. ": English is plain")
      assert.is_truthy(row.en:find("^%u.*%.$"), name)
      assert.is_true(#row.en >= 30 and #row.en <= 330, name)
      assert.is_truthy(row.zh:find("[\228-\233]"), name .. ": Chinese characters")
      assert.is_truthy(row.zh:find("。$"), name)
      assert.is_nil(row.zh:find("[\228-\233][\128-\191][\128-\191][,;:?!]"), name .. ": full-width punctuation")
      local _, sentences = row.zh:gsub("。", "")
      assert.is_true(sentences <= 3, name)
    end)
  end)

  it("differ from each other", function()
    local seen = {}
    each_row(function(name, row)
      assert.is_nil(seen[row.en], name)
      assert.is_nil(seen[row.zh], name)
      seen[row.en], seen[row.zh] = true, true
    end)
  end)

  it("have finer rows only under codes that exist", function()
    local known = { model_not_found = true, context_length_exceeded = true, content_filter = true,
      endpoint_not_supported = true }
    for _, outcome in ipairs(core.outcomes) do
      known[outcome.type .. "/" .. outcome.code] = true
      assert.is_string(hint { type = outcome.type, code = outcome.code }, outcome.name)
    end
    for type, row in pairs(hints.rows) do
      for code in pairs(row.codes or {}) do assert.is_true(known[code] or known[type .. "/" .. code], code) end
    end
    for _, code in pairs(hints.same) do assert.is_true(known[code]) end
  end)

  for _, row in ipairs {
    { { type = "authentication_error", status = 401 }, "sk-" },
    { { type = "authentication_error", status = 401, code = "invalid_api_key" }, "environment variable" },
    { { type = "authentication_error", code = "missing_api_key" }, "OFOXAI_API_KEY" },
    { { type = "authentication_error", code = "proxy_authentication_required" }, "proxy" },
    { { type = "rate_limit_error", status = 429 }, "wait a little" },
    { { type = "rate_limit_error", status = 429, retry_after = 12 }, "wait 12 seconds" },
    { { type = "rate_limit_error", status = 429, retry_after = 1 }, "wait 1 second," },
    { { type = "rate_limit_error", status = 429, retry_after = 0.634 }, "wait 0.634 seconds," },
    { { type = "rate_limit_error", status = 429, retry_after = 12 }, "higher quota" },
    { { type = "rate_limit_error", code = "insufficient_quota", retry_after = 12 }, "top up" },
    { { type = "rate_limit_error", status = 429 }, "higher quota" },
    { { type = "rate_limit_error", code = "held", retry_after = 12 }, "max_server_delay" },
    { { type = "rate_limit_error", code = "held", retry_after = 12 }, "sends no request" },
    { { type = "rate_limit_error", code = "paced", retry_after = 12 }, "pace" },
    { { type = "rate_limit_error", code = "paced", retry_after = 12 }, "raise deadline" },
    { { type = "upstream_error", status = 502 }, "fallback" },
    { { type = "upstream_error", status = 502 }, "status page" },
    { { type = "billing_error", status = 402 }, "top up" },
    { { type = "permission_error", status = 403, code = "insufficient_quota" }, "top up" },
    { { type = "not_found_error", status = 404 }, "/v1" },
    { { type = "not_found_error", code = "model_not_found" }, "client:models()" },
    { { type = "invalid_request_error", status = 413 }, "32 MB" },
    { { type = "invalid_request_error", status = 405 }, "base_url" },
    { { type = "invalid_request_error", code = "input_moderation_failed" }, "filter" },
    { { type = "response_error", code = "html", status = 200 }, "/v1" },
    { { type = "response_error", code = "redirect", status = 301 }, "base_url" },
    { { type = "response_error", code = "too_large" }, "max_response_bytes" },
    { { type = "stream_error", code = "too_large" }, "max_event_bytes" },
    { { type = "connection_error", code = "dns" }, "DNS" },
    { { type = "connection_error", code = "refused" }, "port" },
    { { type = "timeout_error", code = "connect_timeout" }, "connect_timeout" },
    { { type = "timeout_error", code = "idle_timeout" }, "idle_timeout" },
    { { type = "timeout_error", code = "deadline" }, "deadline" },
    { { type = "tls_error", code = "certificate" }, "ca_file" },
    { { type = "service_unavailable", status = 503 }, "fallback" },
  } do
    it(("of %s %s name %s"):format(row[1].type, row[1].code or row[1].status, row[2]), function()
      assert.is_truthy(hint(row[1]):find(row[2], 1, true), hint(row[1]))
    end)
  end

  it("of a rate limit name the wait, if it is known, and neither headers nor fields", function()
    local err = require "ofox".parse_error(429, { ["retry-after"] = "12" })
    assert.is_truthy(err:hint():find("wait 12 seconds,", 1, true))
    assert.is_truthy(err:hint("zh"):find("请等待 12 秒", 1, true))
    for _, retry_after in ipairs { false, 12, 0, -1, 0 / 0, math.huge, "12", true } do
      for _, lang in ipairs { "en", "zh" } do
        local text = hint({ type = "rate_limit_error", status = 429, retry_after = retry_after or nil }, lang)
        assert.is_nil(text:find("retry_after", 1, true) or text:find("x-", 1, true) or text:find("%s", 1, true), text)
        assert.equal(retry_after == 12, text:find("12", 1, true) ~= nil)
      end
    end
  end)

  it("of an unknown or odd code are those of the class", function()
    for _, code in ipairs { "unheard_of", "", "429", 5, true } do
      assert.are.equal(hints.rows.conflict_error.en, hint { type = "conflict_error", code = code })
      assert.are.equal(hints.rows.timeout_error.en, hint { type = "timeout_error", code = code, status = {} })
    end
  end)

  describe("[P6] of a server that is not OfoxAI's", function()
    local OTHERS = { "http://127.0.0.1:11434/v1/chat/completions", "https://gw.test/v1/models", "https://notofox.ai/v1",
      "https://api.ofox.ai.example.org/v1", "https://api.ofox.ai@evil.test/v1", "http://[::1]:8080/v1" }
    local OURS = { "https://api.ofox.ai/v1/chat/completions", "https://u:p@API.ofox.io:443/v1", "https://ofox.ai" }

    it("name neither its keys nor its hosts", function()
      local function each(row, kind, code, status)
        for _, url in ipairs(OTHERS) do
          for _, lang in ipairs { "en", "zh" } do
            local text = hint({ type = kind, code = code, status = status, url = url }, lang)
            for _, word in ipairs { "ofox.ai", "ofox.io", "sk-" } do
              assert.is_nil(text:find(word, 1, true), text)
            end
          end
        end
        for _, url in ipairs(OURS) do
          assert.equal(row.en, hint { type = kind, code = code, status = status, url = url:gsub("/v1.*", "") })
        end
      end
      for kind, row in pairs(hints.rows) do
        if not (row.timed) then each(row, kind) end
        for code, finer in pairs(row.codes or {}) do each(finer, kind, code) end
        for status, finer in pairs(row.statuses or {}) do each(finer, kind, nil, status) end
      end
    end)

    it("do not miss a /v1 that is there, nor in a page that wants to know who is asking", function()
      local page = "<html><h1>Login required</h1></html>"
      for _, status in ipairs { 401, 403 } do
        local urls = { "https://gw.test/v1/models", "https://gw.test/models", "https://api.ofox.ai/v1/models" }
        for _, url in ipairs(urls) do
          local kind = status == 401 and "authentication_error" or "permission_error"
          local text = hint { type = kind, status = status, body = page, url = url }
          assert.is_nil(text:find("/v1", 1, true), text)
          assert.matches("something in front of it", text, 1, true)
        end
      end
      local text = hint { type = "response_error", code = "html", status = 200, body = page, url = OTHERS[2] }
      assert.is_nil(text:find("/v1", 1, true), text)
      text = hint { type = "response_error", code = "html", status = 200, body = page, url = "https://gw.test/chat" }
      assert.matches("/v1", text, 1, true)
    end)
  end)

  describe("where the answer is a page of the web", function()
    local HTML = hints.rows.response_error.codes.html
    local PAGES = {
      "<!DOCTYPE html><html><title>404</title></html>", "<html>\r\n<head>", "\239\187\191\n <HTML lang='en'>",
      "<!-- made by > hand --><!doctype HTML>", '<?xml version="1.0"?><!-- --> <html>',
    }
    local OTHERS = { "", "<htmlx>", '{"error":"<html>"}', "<error/>", "no <html>", "<!-- <html>", 5, {}, true }

    for _, kind in ipairs { "not_found_error", "invalid_request_error", "authentication_error", "permission_error" } do
      it("doubt base_url: " .. kind, function()
        for _, page in ipairs(PAGES) do
          assert.equal(HTML.en, hint { type = kind, body = page })
          assert.equal(HTML.zh, hint({ type = kind, body = page }, "zh"))
          assert.equal(HTML.en, hint { type = kind, body = page, status = 405 })
        end
        for _, body in ipairs(OTHERS) do
          assert.equal(hints.rows[kind].en, hint { type = kind, body = body }, tostring(body))
        end
      end)
    end

    it("do not where that comes of the right address, too", function()
      local page = PAGES[1]
      for kind, row in pairs(hints.rows) do
        if not row.page then assert.equal(row.en, hint { type = kind, body = page }) end
      end
      local large = hints.rows.invalid_request_error.statuses[413].en
      assert.equal(large, hint { type = "invalid_request_error", status = 413, body = page })
      local auth = hints.rows.authentication_error
      assert.equal(auth.codes.proxy_authentication_required.en,
        hint { type = "authentication_error", status = 407, code = "proxy_authentication_required", body = page })
      assert.equal(auth.en, hint { type = "authentication_error", status = 407, body = page })
      local code = hints.rows.not_found_error.codes.model_not_found.en
      assert.equal(code, hint { type = "not_found_error", status = 404, code = "model_not_found", body = page })
    end)

    it("say /v1 of every answer that is one", function()
      for _, status in ipairs { 400, 401, 403, 404, 405, 410 } do
        local err = errors.parse(status, { ["content-type"] = "text/html" }, PAGES[1])
        for _, lang in ipairs { "en", "zh" } do assert.matches("/v1", err:hint(lang), 1, true) end
        assert.equal(HTML.en, err:hint())
      end
      local err = errors.parse(200, { ["content-type"] = "text/html" }, PAGES[1])
      assert.equal(HTML.en, err and err:hint() or hint { type = "response_error", code = "html" })
    end)
  end)

  it("come in English unless asked for", function()
    local fields = { type = "conflict_error" }
    assert.are.equal(hints.rows.conflict_error.en, hint(fields))
    assert.are.equal(hints.rows.conflict_error.en, hint(fields, "en"))
    assert.are.equal(hints.rows.conflict_error.zh, hint(fields, "zh"))
  end)

  it("refuse other languages at the caller's line", function()
    local err = errors.new { type = "conflict_error", message = "m" }
    for _, lang in ipairs { "fr", "", "codes", "EN", 5, true, {} } do
      local ok, message = pcall(function() return (err:hint(lang)) end)
      assert.is_false(ok)
      assert.is_truthy(message:find('hints_spec%.lua:%d+: err:hint: lang: expected "en" or "zh", got '), message)
    end
    assert.has_error(function() err.hint() end)
    assert.has_error(function() err.hint({}) end)
  end)
end)
