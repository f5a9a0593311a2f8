-- What the events of a response add up to.
local collected = require "support.collected"
local ofox = require "ofox"

local respond, said = collected.respond, collected.said

describe("[S9] a response whose last event carries less than was streamed:", function()
  local function event(name, fields)
    fields.type = "response." .. name
    return fields
  end
  local function streamed(final)
    return {
      event("created", { response = { id = "r", object = "response", status = "in_progress", model = "m",
        instructions = "be kind", output = {} } }),
      event("output_item.added", { output_index = 0, item = { id = "rs", type = "reasoning", summary = {} } }),
      event("reasoning_summary_part.added", { item_id = "rs", output_index = 0, summary_index = 0,
        part = { type = "summary_text", text = "" } }),
      event("reasoning_summary_text.delta", { item_id = "rs", output_index = 0, summary_index = 0, delta = "h" }),
      event("reasoning_summary_text.delta", { item_id = "rs", output_index = 0, summary_index = 0, delta = "m" }),
      event("output_item.added", { output_index = 1, item = { id = "m", type = "message", role = "assistant",
        status = "in_progress", content = {} } }),
      event("content_part.added", { item_id = "m", output_index = 1, content_index = 0,
        part = { type = "output_text", text = "", annotations = {} } }),
      event("output_text.delta", { item_id = "m", output_index = 1, content_index = 0, delta = "Hel" }),
      event("output_text.delta", { item_id = "m", output_index = 1, content_index = 0, delta = "lo" }),
      event("output_text.annotation.added", { item_id = "m", output_index = 1, content_index = 0, annotation_index = 0,
        annotation = { type = "url_citation", url = "u" } }),
      event("content_part.added", { item_id = "m", output_index = 1, content_index = 1,
        part = { type = "refusal", refusal = "" } }),
      event("refusal.delta", { item_id = "m", output_index = 1, content_index = 1, delta = "n" }),
      event("refusal.delta", { item_id = "m", output_index = 1, content_index = 1, delta = "o" }),
      event("output_item.added", { output_index = 2, item = { id = "fc", type = "function_call", call_id = "c1",
        name = "f", arguments = "" } }),
      event("function_call_arguments.delta", { item_id = "fc", output_index = 2, delta = '{"x"' }),
      event("output_item.added", { output_index = 3, item = { id = "ct", type = "custom_tool_call", call_id = "c2",
        name = "g", input = "" } }),
      event("function_call_arguments.delta", { item_id = "fc", output_index = 2, delta = ":1}" }),
      event("custom_tool_call_input.delta", { item_id = "ct", output_index = 3, delta = "ab" }),
      event("completed", { response = final }),
    }
  end
  local WHOLE = {
    { id = "rs", type = "reasoning", summary = { { type = "summary_text", text = "hm" } } },
    { id = "m", type = "message", role = "assistant", status = "in_progress", content = {
      { type = "output_text", text = "Hello", annotations = { { type = "url_citation", url = "u" } } },
      { type = "refusal", refusal = "no" } } },
    { id = "fc", type = "function_call", call_id = "c1", name = "f", arguments = '{"x":1}' },
    { id = "ct", type = "custom_tool_call", call_id = "c2", name = "g", input = "ab" },
  }
  local function copy(value)
    if type(value) ~= "table" then return value end
    local made = {}
    for key, member in pairs(value) do made[key] = copy(member) end
    return made
  end
  local function final(output)
    return { id = "r", object = "response", status = "completed", model = "m", output = output,
      usage = { input_tokens = 3, output_tokens = 4, total_tokens = 7 } }
  end

  local bare, other_ids = copy(WHOLE), copy(WHOLE)
  bare[1].summary, bare[2].content, bare[3].arguments, bare[4].input = {}, {}, "", nil
  for _, item in ipairs(other_ids) do item.id = item.id .. "2" end
  for name, output in pairs { ["no output"] = {}, ["all of it"] = WHOLE, ["items without what they say"] = bare,
    ["only some items"] = { { id = "fc", type = "function_call", call_id = "c1", name = "f", arguments = "" } },
    ["items with other ids"] = other_ids, ["null"] = ofox.null } do
    it(name, function()
      local res = respond(streamed(final(output)))
      for _, item in ipairs(res.output) do item.id = item.id:gsub("2$", "") end
      assert.same(WHOLE, res.output)
      assert.same({ "completed", "Hello", "be kind", 7 },
        { res.status, res:output_text(), res.instructions, res.usage.total_tokens })
      assert.same({ { x = 1 }, "ab" }, { res:tool_calls()[1].arguments, res:tool_calls()[2].arguments_json })
      assert.equal("hm", require "ofox.answer.response".reasoning(res))
    end)
  end

  it("more than was streamed counts, too", function()
    local more = copy(WHOLE)
    more[2].content[1].text, more[2].status, more[5] = "Hello!", "completed", { id = "x", type = "web_search_call" }
    assert.same(more, respond(streamed(final(more))).output)
  end)

  it("nothing but text was announced", function()
    local res = respond { event("output_text.delta", { item_id = "m", output_index = 0, content_index = 0,
      delta = "Hel" }),
      event("output_text.delta", { item_id = "m", output_index = 0, content_index = 0, delta = "lo" }),
      event("output_text.done", { item_id = "m", output_index = 0, content_index = 0, text = "Hello" }),
      event("output_item.done", { output_index = 0, item = { id = "m", type = "message", role = "assistant",
        content = { { type = "output_text", text = "Hello" } } } }), event("completed",
          { response = { status = "completed" } }) }
    assert.same({ { id = "m", type = "message", role = "assistant", content = { { type = "output_text",
      text = "Hello" } } } },
      res.output)
  end)

  it("what was only said when it was done", function()
    local res = respond { event("output_item.added", { output_index = 0, item = { id = "f", type = "function_call" } }),
      event("function_call_arguments.done", { output_index = 0, item_id = "f", arguments = "{}", name = "f" }),
      event("output_text.done", { output_index = 1, content_index = 0, text = "Hi" }),
      event("completed", { response = { status = "completed", output = {} } }) }
    assert.equal("{}", res.output[1].arguments)
    assert.equal("Hi", res.output[2].content[1].text)
  end)

  it("[S10] the name of an event stands in for its type", function()
    local got = said("responses", {
      { '{"item":{"type":"function_call","name":"f"},"output_index":0}', nil, "response.output_item.added" },
      { '{"output_index":0,"delta":"{"}', nil, "response.function_call_arguments.delta" },
      { '{"output_index":1,"content_index":0,"delta":"r"}', nil, "response.reasoning_text.delta" },
      { '{"output_index":0,"delta":"}"}', nil, "response.function_call_arguments.delta" },
      { '{"response":{"status":"completed"}}', nil, "response.completed" } })
    assert.same({ { type = "function_call", name = "f", arguments = "{}" },
      { type = "reasoning", content = { { type = "reasoning_text", text = "r" } } } }, got.output)
  end)

  it("parts with wild indexes are few", function()
    local got = said("responses", {
      { '{"type":"response.reasoning_text.delta","output_index":1e300,"content_index":7,"delta":"a"}' },
      { '{"type":"response.reasoning_text.delta","output_index":1e300,"content_index":7,"delta":"b"}' },
      { '{"type":"response.refusal.delta","output_index":{},"content_index":-1,"delta":"n"}' },
      { '{"type":"response.refusal.delta","output_index":"x","content_index":-1,"delta":"o"}' } })
    assert.same({ { type = "reasoning", content = { { type = "reasoning_text", text = "ab" } } },
      { type = "message", role = "assistant", content = { { type = "refusal", refusal = "no" } } } }, got.output)
  end)
end)
