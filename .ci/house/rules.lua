--- The rules of the house, in the order in which they are told. Each is
-- {name, check}: check(house) gives a list of breaches, "file:line: sentence".
return {
  { name = "each file stands on a floor", check = require "rules.placed" },
  { name = "an include names its floor", check = require "rules.includes" },
  { name = "each require can be read", check = require "rules.readable" },
  { name = "downwards only", check = require "rules.downwards" },
  { name = "no circles", check = require "rules.no_circles" },
  { name = "sizes", check = require "rules.sizes" },
  { name = "one vocabulary", check = require "rules.vocabulary" },
  { name = "who may know what", check = require "rules.knowledge" },
  { name = "sources are listed once", check = require "rules.sources" },
  { name = "loops are kept from a faulty compiler", check = require "rules.uncompiled" },
}
