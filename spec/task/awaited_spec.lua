local assert = require "luassert"
local awaited = require "ofox.task.awaited"

describe("what tasks wait for", function()
  local function due_tasks(now)
    local tasks, most = {}, 9
    local moment = awaited.due(now)
    while moment and most > 0 do
      tasks[#tasks + 1], most = moment.what, most - 1
      awaited.passed(moment)
      moment = awaited.due(now)
    end
    return tasks
  end

  it("[E10] a moment that a task gave up for another is not due for ever", function()
    local task = {}
    awaited.moment(task, 1)
    awaited.moment(task, 2)
    assert.same({}, due_tasks(1))
    assert.same({ task }, due_tasks(2))
    assert.is_nil(task.moment)
  end)

  it("one that was forgotten before it was due is not due", function()
    local task = {}
    awaited.moment(task, 1)
    awaited.forget(task)
    assert.same({}, due_tasks(1))
  end)

  it("[E10] one that is forgotten while it is due has passed all the same", function()
    local task = {}
    awaited.moment(task, 1)
    local moment = awaited.due(1)
    awaited.forget(task)
    awaited.passed(moment)
    assert.is_nil(awaited.due(1))
  end)
end)
