-- What a first call to the gateway needs, and whether it is there. It takes no key along and costs nothing.
local HERE = arg[0]:match("^(.*)[/\\]") or "."
package.path = HERE .. "/../../lua/?.lua;" .. HERE .. "/../../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local report = ofox.doctor()
print(report)
os.exit(report.ok and 0 or 1)
