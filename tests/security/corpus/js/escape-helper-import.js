// id: JS-ESC-046
// class: escape
// tries: import from outside by the helper
// expect: value "safe"

try { await __llmspell.import("/etc/passwd"); return "ESCAPED" } catch { return "safe" }
