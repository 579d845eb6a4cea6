// id: JS-ESC-005
// class: escape
// tries: find the glue by indirect evaluation
// expect: value "safe"

const names = (0, eval)("Reflect.ownKeys(globalThis).map(String)");
return names.some((name) => /llmspell|glue|^host$|^core_/.test(name)) ? "ESCAPED" : "safe";
