// id: JS-ESC-020
// class: escape
// tries: read a file that nobody granted
// expect: value "safe"

try { await fs.read("/etc/passwd"); return "ESCAPED" } catch { return "safe" }
