--- Words that went, and what is said instead. A row is {word, instead} and
-- where the word went from: 'names' (identifiers and files), 'comments', or
-- both; 'but' lists names that stay, as a public one has to.
return {
  { "exchange", "driver (serves the state machine), call (what is asked for), attempt", names = true, comments = true },
  { "route", "template (what does not change between requests)", names = true },
  { "served", "transports", names = true },
  { "merge", "collect, accumulate", names = true, comments = true },
  { "blame", "failure", names = true },
  { "lparts", "the name of what it holds: lheaders, ltimes, ltext …", names = true, comments = true },
  { "jscan", "json_scan", names = true, comments = true },
  { "jtext", "json_text", names = true, comments = true },

  -- A comment names the actor.
  { "somebody", "the actor: caller, program, task, transport, server, call", comments = true },
  { "nobody", "the actor: no caller, no program, no task …", comments = true },
  { "anybody", "the actor: any caller, any program, any task …", comments = true },
  { "whoever", "the actor: the caller that, the task that …", comments = true },
}
