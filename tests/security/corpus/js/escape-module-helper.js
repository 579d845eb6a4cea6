// id: JS-ESC-045
// class: escape
// tries: use the helper of the module to reach the glue
// expect: value "safe"

const names = typeof __llmspell === "object" ? Reflect.ownKeys(__llmspell).map(String).sort().join() : "";
return names === "default,each,exports,import,m,meta,open,wait" ? "safe" : "ESCAPED";
