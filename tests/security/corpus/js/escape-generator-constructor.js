// id: JS-ESC-004
// class: escape
// tries: reach a wider scope through the GeneratorFunction constructor
// expect: value "safe"

const G = function* () {}.constructor;
return G("yield typeof __llmspell_host + typeof host")().next().value === "undefinedundefined" ? "safe" : "ESCAPED";
