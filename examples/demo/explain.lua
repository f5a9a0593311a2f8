--- What is said where the demo ends before its time.

---@param stage table
---@param problem any  what was raised: an error of ofox, Ctrl-C, or a fault of the demo
---@return integer status  to exit with
return function(stage, problem)
  local ofox = package.loaded.ofox -- nil where it could not be loaded
  local err = ofox and ofox.errors.is(problem) and problem or nil
  -- ofox raises an error where it waits, the interpreter a string elsewhere
  if err and err.code == "interrupted" or tostring(problem):find "interrupted!$" then
    stage:say("stopped", "stop")
    return 130
  end
  stage:say("failed: " .. tostring(problem), "fail")
  if err then stage:say("hint: " .. err:hint(), nil, "grey") end
  return 1
end
