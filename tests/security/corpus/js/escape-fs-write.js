// id: JS-ESC-021
// class: escape
// tries: write a file that nobody granted
// expect: value "safe"

try { await fs.write("/tmp/llmspell-attack", "x"); return "ESCAPED" } catch { return "safe" }
