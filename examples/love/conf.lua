-- The game's settings, which LÖVE loads first; with --headless there is no window, for a machine without a screen.
function love.conf(t)
  t.identity, t.version = "ofox-game", "11.4"
  t.window.title = "Somebody to talk to"
  for _, name in ipairs { "audio", "sound", "physics", "joystick", "touch", "video" } do t.modules[name] = false end
  for _, word in ipairs(arg) do
    if word == "--headless" then t.modules.window, t.modules.graphics = false, false end
  end
end
