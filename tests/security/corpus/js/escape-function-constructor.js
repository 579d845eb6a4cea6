// id: JS-ESC-001
// class: escape
// tries: reach a wider scope through the Function constructor
// expect: value "safe"

const g = Function("return this")();
const found = ["process", "require", "std", "os", "Deno", "__llmspell_host", "__llmspell_enter"].filter((k) => k in g);
return found.length ? "ESCAPED" : "safe";
