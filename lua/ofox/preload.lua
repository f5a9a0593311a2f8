--- Loads all of ofox, including libcurl, where its files cannot be read later.
local reserve = require "ofox.base.reserve"
local try = require "ofox.base.try"

for _, name in ipairs { "client", "task.task", "doctor", "scrape" } do require("ofox." .. name) end
reserve.load_all()
try(require "ofox.base.native", "engine") -- the first call reports what is wrong with it
