"""Run language-model spells written in Lua, JavaScript and Tengo."""
