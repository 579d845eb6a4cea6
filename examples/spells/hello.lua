-- /// spell
-- name = "hello"
-- description = "Say hello."
--
-- [parameters.name]
-- default = "world"
-- description = "Who is greeted"
-- ///

print("Hello, " .. params.name .. "!")
