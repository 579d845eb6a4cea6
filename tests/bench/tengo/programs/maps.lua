local function run(count)
  local map = {}
  local stats = { hits = 0, misses = 0, last = 0 }
  local seed = 42
  for _ = 1, count do
    seed = (seed * 1103515245 + 12345) % 2147483648
    local key = "k" .. seed % 5000
    if map[key] == nil then
      map[key] = 1
      stats.misses = stats.misses + 1
    else
      map[key] = map[key] + 1
      stats.hits = stats.hits + 1
    end
    stats.last = seed
  end
  return stats.hits - stats.misses + stats.last
end
return run(500000)
