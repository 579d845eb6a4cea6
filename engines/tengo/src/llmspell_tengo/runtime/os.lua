-- The module os: the bridge of that name in the form Tengo knows it, with constants, open files and commands.

local R = ...

local type, next, ipairs, setmetatable, rawget, rawset = type, next, ipairs, setmetatable, rawget, rawset
local error, sub = error, string.sub
local kind_of, convert, names = R.kind_of, R.convert, R.names
local L, DATA, MAP = R.L, R.DATA, R.MAP

local DIRECTORY <const> = 1 << 31

local constants = {
  o_rdonly = 0,
  o_wronly = 1,
  o_rdwr = 2,
  o_append = 0x400,
  o_create = 0x40,
  o_excl = 0x80,
  o_sync = 0x101000,
  o_trunc = 0x200,
  seek_set = 0,
  seek_cur = 1,
  seek_end = 2,
  mode_dir = DIRECTORY,
  mode_append = 1 << 30,
  mode_exclusive = 1 << 29,
  mode_temporary = 1 << 28,
  mode_symlink = 1 << 27,
  mode_device = 1 << 26,
  mode_named_pipe = 1 << 25,
  mode_socket = 1 << 24,
  mode_setuid = 1 << 23,
  mode_setgui = 1 << 22,
  mode_char_device = 1 << 21,
  mode_sticky = 1 << 20,
  mode_type = DIRECTORY | 1 << 27 | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19,
  mode_perm = 511,
  path_separator = R.chars[47],
  path_list_separator = R.chars[58],
  dev_null = "/dev/null",
}

-- What a script has no way to, and why
local own_process = "a spell has no process of its own to change"
local unsupported = {
  args = "a spell's arguments are its params",
  chdir = own_process,
  setenv = own_process,
  unsetenv = own_process,
  clearenv = own_process,
  chmod = "permissions are not a script's to change",
  chown = "owners are not a script's to change",
  lchown = "owners are not a script's to change",
  link = "a script makes no links",
  symlink = "a script makes no links",
  readlink = "links are followed, not read",
  find_process = "a script does not see processes",
  start_process = "use exec, which runs a program to its end",
}

-- how many arguments each function takes, as the reference counts them
local arguments = {
  read_file = { "string" },
  stat = { "string" },
  mkdir = { "string", "int" },
  mkdir_all = { "string", "int" },
  remove = { "string" },
  remove_all = { "string" },
  rename = { "string", "string" },
  truncate = { "string", "int" },
  getenv = { "string" },
  lookup_env = { "string" },
  environ = {},
  expand_env = { "string" },
  exec_look_path = { "string" },
  getwd = {},
  temp_dir = {},
  hostname = {},
  getpid = {},
  getppid = {},
  getuid = {},
  geteuid = {},
  getgid = {},
  getegid = {},
  getgroups = {},
  getpagesize = {},
}

local function failed(v)
  return kind_of(v) == "error"
end

local function coded(code, message)
  return R.error_value(setmetatable({ code = code, message = message }, MAP))
end

local function refuse(name, why)
  return function()
    return coded("unsupported", "os." .. name .. " is not supported: " .. why)
  end
end

-- an immutable map of functions and values
local function made(members)
  for name, value in next, members do
    if type(value) == "function" then
      names[value] = "user-function:" .. name
    end
  end
  return R.immutable(setmetatable(members, MAP))
end

local function info(told)
  if failed(told) then
    return told
  end
  local modified = told.modified
  return made({
    name = told.name,
    size = told.size,
    mode = told.directory and DIRECTORY or 0,
    mtime = R.new_time(modified // 1000000000, modified % 1000000000, "UTC", 0),
    directory = told.directory,
  })
end

-- Files

-- a file reads into bytes the script already has
local function read_into(thing, called, buffer)
  if kind_of(buffer) ~= "bytes" then
    R.bad_argument(called, "first", "bytes", buffer)
  end
  local old = rawget(buffer, DATA)
  local data = R.ask(thing, "read", 1, #old)
  if failed(data) then
    return data
  end
  local new = rawget(data, DATA)
  if #new == 0 and #old > 0 then
    return coded("eof", "EOF")
  end
  rawset(buffer, DATA, new .. sub(old, #new + 1))
  return #new
end

local function file(thing, name)
  if failed(thing) then
    return thing
  end
  local target = R.target_of(thing)
  local function method(method_name, kinds, f)
    return R.module_function(method_name, kinds, f or function(...)
      return R.ask(target, method_name, #kinds, ...)
    end)
  end
  return made({
    name = method("name", {}, function()
      return name
    end),
    read = function(n, buffer)
      if n ~= 1 then
        R.bad_count("user-function:read")
      end
      return read_into(target, "user-function:read", buffer)
    end,
    write = method("write", { "bytes" }, function(data)
      return R.ask(target, "write", 1, R.new_bytes(data))
    end),
    write_string = method("write_string", { "string" }, function(s)
      return R.ask(target, "write", 1, R.new_bytes(s))
    end),
    seek = method("seek", { "int", "int" }),
    stat = method("stat", {}, function()
      return info(R.ask(target, "stat", 0))
    end),
    readdirnames = method("readdirnames", { "int" }),
    sync = method("sync", {}),
    close = method("close", {}),
    chdir = refuse("chdir", own_process),
    chmod = refuse("chmod", unsupported.chmod),
    chown = refuse("chown", unsupported.chown),
  })
end

-- Programs

local function outcome(told, ...)
  if failed(told) then
    return told
  elseif told.status ~= 0 then
    local value = { code = "exit_status", message = "exit status " .. told.status, status = told.status }
    value.errors = told.errors
    return R.error_value(setmetatable(value, MAP))
  end
  local data = ""
  for _, part in ipairs({ ... }) do
    data = data .. rawget(told[part], DATA)
  end
  return ... and R.new_bytes(data) or true
end

local function command(name, args)
  local directory = ""
  local function execute()
    return R.ask("os", "execute", 3, name, args, directory)
  end
  return made({
    run = R.module_function("run", {}, function()
      return outcome(execute())
    end),
    output = R.module_function("output", {}, function()
      return outcome(execute(), "output")
    end),
    combined_output = R.module_function("combined_output", {}, function()
      return outcome(execute(), "output", "errors")
    end),
    set_dir = R.module_function("set_dir", { "string" }, function(to)
      directory = to
    end),
    set_path = R.module_function("set_path", { "string" }, function(to)
      name = to
    end),
    set_env = refuse("exec().set_env", "a program sees the variables that the policy grants"),
    start = refuse("exec().start", "a program runs to its end: use run"),
    wait = refuse("exec().wait", "a program runs to its end: use run"),
    process = refuse("exec().process", "a script does not see processes"),
  })
end

-- The module

-- thing: the bridge as the host describes it
function R.os_module(thing)
  local members = { __module_name__ = "os" }
  members.platform, members.arch = R.internal("platform"), R.internal("architecture")
  for name, value in next, constants do
    members[name] = value
  end
  for name, why in next, unsupported do
    members[name] = refuse(name, why)
  end
  for name, kinds in next, arguments do
    members[name] = R.module_function(name, kinds, function(...)
      return R.ask("os", name, #kinds, ...)
    end)
  end
  members.stat = R.module_function("stat", { "string" }, function(name)
    return info(R.ask("os", "stat", 1, name))
  end)

  local function open(name, flag, perm)
    return file(R.ask("os", "open_file", 3, name, flag, perm), name)
  end
  members.open_file = R.module_function("open_file", { "string", "int", "int" }, open)
  members.open = R.module_function("open", { "string" }, function(name)
    return open(name, constants.o_rdonly, 0)
  end)
  members.create = R.module_function("create", { "string" }, function(name)
    return open(name, constants.o_wronly | constants.o_create | constants.o_trunc, 438)
  end)

  members.exec = function(n, name, ...)
    if n == 0 then
      R.bad_count("user-function:exec")
    end
    local args, given = {}, { ... }
    for index = 1, n - 1 do
      args[index - 1] = convert.string("user-function:exec", index + 1, given[index])
    end
    return command(convert.string("user-function:exec", 1, name), R.list(n - 1, args))
  end
  members.exit = function(n, status)
    if n > 1 then
      R.bad_count("user-function:exit")
    end
    error("\1k\1exit:" .. (n == 0 and 0 or convert.int("user-function:exit", 1, status)), 0)
  end
  return made(members)
end
