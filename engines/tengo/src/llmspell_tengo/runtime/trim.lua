-- Run first in a new state: take away what a Tengo program has no use for, and what must not be found.

local loaded = package.loaded
for name in pairs(loaded) do
  loaded[name] = nil
end
for name in pairs(package) do
  package[name] = nil
end
for _, name in ipairs({ "io", "os", "package", "require", "python", "dofile", "loadfile", "print", "warn" }) do
  _G[name] = nil
end
