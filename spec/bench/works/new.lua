-- What a program pays before its first call; nothing, if the count is 0.
local request = require "request"
if request.COUNT > 0 then request.client() end
