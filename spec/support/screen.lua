--- A screen that nobody looks at and a keyboard that nobody sits at: Xvfb, and
-- keys pressed in it by XTEST, so that a program there gets real ones.
-- Only for LuaJIT, whose ffi calls Xlib.
local ffi = require "ffi"
local socket = require "socket"
local proc = require "support.proc"

ffi.cdef [[
  typedef struct _XDisplay Display;
  typedef unsigned long XID;
  Display *XOpenDisplay(const char *name);
  int XCloseDisplay(Display *display);
  XID XDefaultRootWindow(Display *display);
  int XQueryTree(Display *display, XID window, XID *root, XID *parent, XID **children, unsigned int *count);
  int XFree(void *data);
  int XSetInputFocus(Display *display, XID window, int revert_to, unsigned long time);
  int XSync(Display *display, int discard);
  unsigned long XStringToKeysym(const char *name);
  unsigned char XKeysymToKeycode(Display *display, unsigned long keysym);
  int XTestFakeKeyEvent(Display *display, unsigned int keycode, int is_press, unsigned long delay);
]]

local screen = {}
screen.__index = screen

local NAMES = { [" "] = "space", ["\n"] = "Return", ["\27"] = "Escape", ["\b"] = "BackSpace" }

--- Starts one.
---@param directory string  where it may write
---@return table screen  with name, of the variable DISPLAY
function screen.start(directory)
  local said = directory .. "/display"
  proc.write(said, "")
  local child = proc.daemon("Xvfb -displayfd 1 -screen 0 1024x768x24 -nolisten tcp", said)
  local due = socket.gettime() + 20
  local number
  repeat
    socket.select(nil, nil, 0.01)
    number = (proc.read(said) or ""):match("^(%d+)\n") or (proc.read(said) or ""):match("\n(%d+)\n")
  until number or socket.gettime() > due
  assert(number, "Xvfb did not start")
  local x = ffi.load "X11.so.6"
  local display = x.XOpenDisplay(":" .. number)
  assert(display ~= nil, "no connection to Xvfb")
  return setmetatable({ name = ":" .. number, child = child, x = x, test = ffi.load "Xtst.so.6", display = display },
    screen)
end

function screen:stop()
  self.x.XCloseDisplay(self.display)
  self.child:stop()
end

-- The only window there, or nil.
local function window_of(self)
  local root, parent, count = ffi.new "XID[1]", ffi.new "XID[1]", ffi.new "unsigned int[1]"
  local children = ffi.new "XID *[1]"
  self.x.XQueryTree(self.display, self.x.XDefaultRootWindow(self.display), root, parent, children, count)
  local window = count[0] > 0 and children[0][count[0] - 1] or nil
  if children[0] ~= nil then self.x.XFree(children[0]) end
  return window
end

--- Types letters of lower case, spaces, "\n", "\b" and "\27" into the window
-- that is there, or will be within a few seconds.
---@param text string
function screen:type(text)
  local x, display = self.x, self.display
  local due = socket.gettime() + 10
  local window = window_of(self)
  while not window and socket.gettime() < due do
    socket.select(nil, nil, 0.01)
    window = window_of(self)
  end
  assert(window, "there is no window")
  x.XSetInputFocus(display, window, 1, 0)
  for char in text:gmatch(".") do
    local code = x.XKeysymToKeycode(display, x.XStringToKeysym(NAMES[char] or char))
    self.test.XTestFakeKeyEvent(display, code, 1, 0)
    self.test.XTestFakeKeyEvent(display, code, 0, 0)
  end
  x.XSync(display, 0)
end

return screen
