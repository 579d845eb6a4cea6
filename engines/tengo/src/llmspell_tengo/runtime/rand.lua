-- The module rand. The generator is xoshiro256** seeded by splitmix64: good numbers, but not Go's sequences.

local R = ...

local setmetatable, rawget, rawset, type = setmetatable, rawget, rawset, type
local log, sqrt, char, concat = math.log, math.sqrt, string.char, table.concat

local function seeded(state, seed)
  for index = 1, 4 do
    seed = seed + 0x9E3779B97F4A7C15
    local z = seed
    z = (z ~ z >> 30) * 0xBF58476D1CE4E5B9
    z = (z ~ z >> 27) * 0x94D049BB133111EB
    state[index] = z ~ z >> 31
  end
  state.spare = nil
end

local function rotated(x, by)
  return x << by | x >> 64 - by
end

local function bits(state)
  if not state[1] then
    seeded(state, R.internal("entropy"))
  end
  local s0, s1, s2, s3 = state[1], state[2], state[3], state[4]
  local result = rotated(s1 * 5, 7) * 9
  local t = s1 << 17
  s2 = s2 ~ s0
  s3 = s3 ~ s1
  state[2] = s1 ~ s2
  state[1] = s0 ~ s3
  state[3] = s2 ~ t
  state[4] = rotated(s3, 45)
  return result
end

local function int63(state)
  return bits(state) >> 1
end

local function float(state)
  return (bits(state) >> 11) * 0x1p-53
end

-- below n, without bias
local function below(state, n)
  if n <= 0 then
    R.fail("invalid argument to Int63n")
  end
  local largest = math.maxinteger - (math.maxinteger % n + 1) % n
  local v
  repeat
    v = int63(state)
  until v <= largest
  return v % n
end

-- Box and Muller's polar method makes two at a time
local function normal(state)
  local spare = state.spare
  if spare then
    state.spare = nil
    return spare
  end
  while true do
    local u, v = 2 * float(state) - 1, 2 * float(state) - 1
    local s = u * u + v * v
    if s > 0 and s < 1 then
      local factor = sqrt(-2 * log(s) / s)
      state.spare = v * factor
      return u * factor
    end
  end
end

local function permutation(state, n)
  if n < 0 then
    R.fail("runtime error: makeslice: len out of range")
  end
  local list = {}
  for index = 0, n - 1 do
    local other = below(state, index + 1)
    list[index] = list[other]
    list[other] = index
    if index % 1000 == 999 then
      R.spend(1000)
    end
  end
  return R.list(n, list)
end

local function random_bytes(state, data)
  local size = #rawget(data, R.DATA)
  local out = {}
  R.spend(size // 4)
  for index = 1, size do
    out[index] = char(bits(state) >> 56)
  end
  rawset(data, R.DATA, concat(out))
  return size
end

local function members_of(state)
  local members = {}
  local function define(name, kinds, f)
    members[name] = R.module_function(name, kinds, function(...)
      return f(state, ...)
    end)
  end
  define("int", {}, int63)
  define("float", {}, float)
  define("intn", { "int" }, below)
  define("exp_float", {}, function()
    return -log(1 - float(state))
  end)
  define("norm_float", {}, normal)
  define("perm", { "int" }, permutation)
  define("seed", { "int" }, seeded)
  define("read", { "exact_bytes" }, random_bytes)
  return members
end

local members = members_of({})
members.rand = R.module_function("rand", { "int" }, function(seed)
  local state = {}
  seeded(state, seed)
  local own = members_of(state)
  for name, f in next, own do
    R.names[f] = "user-function:" .. name
  end
  return R.immutable(setmetatable(own, R.MAP))
end)
R.define_module("rand", members)
