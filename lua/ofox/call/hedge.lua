--- The hedge of a call: a second attempt, which is a call of its own to the core and
-- to the transport, while the first has not begun to answer. Whichever answers first
-- becomes the run's call. When and whether is decided in src/call/hedge.c.
local hedge = {}

--- The first attempt wants a hedge. There is none if its account would keep it back.
---@param run ofox.Run  its methods ask and send are called for the hedge
function hedge.start(run)
  local call, transport, template = run.call, run.transport, run.template
  local twin = call:twin(transport:now())
  if not twin then return end
  if template.asks then
    local asking = { template = template, call = twin, models = run.models, transport = transport }
    if not run.ask(setmetatable(asking, { __index = run })) then return end
  end
  if not twin:prepare() or not call:pair(twin) then return end
  run.twin = twin
  run:send(twin)
end

--- Something may have changed: if one of both has answered, or has failed, the other
-- or the one goes on alone.
---@param run ofox.Run  with a twin
function hedge.judge(run)
  local first, twin, transport = run.call, run.twin, run.transport
  local alone = first:alone(twin)
  if alone == nil then return end
  local loser = alone and twin or first
  run.call, run.twin = alone and first or twin, loser
  run.call:settle(loser, transport:now())
  transport:cancel(loser)
  run.twin = nil
  if run.recorder then run.recorder:ended(loser) end
end

return hedge
