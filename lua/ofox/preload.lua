--- Loads all of ofox, libcurl too, where none of it may be read later.
local reserve = require "ofox.base.reserve"
local try = require "ofox.base.try"

for _, name in ipairs { "client", "task.task", "doctor" } do require("ofox." .. name) end
reserve.load_all()
try(require "ofox.base.native", "engine") -- what is wrong with it, the first call says
