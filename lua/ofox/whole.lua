--- Loads all of ofox, libcurl too, where none of it may be read later.
local try = require "ofox.try"

for _, name in ipairs { "client", "task", "doctor" } do require("ofox." .. name) end
try(require "ofox.native", "engine") -- what is wrong with it, the first call says
