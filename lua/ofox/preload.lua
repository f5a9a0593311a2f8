--- Loads all of ofox, libcurl too, where none of it may be read later.
local try = require "ofox.base.try"

for _, name in ipairs { "client", "task.task", "doctor" } do require("ofox." .. name) end
try(require "ofox.base.native", "engine") -- what is wrong with it, the first call says
