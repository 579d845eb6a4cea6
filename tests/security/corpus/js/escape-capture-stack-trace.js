// id: JS-ESC-030
// class: escape
// tries: read frames of the glue out of a captured stack
// expect: value "safe"

const holder = {};
data.clone({ get a() { Error.captureStackTrace(holder); return 1 } });
return /glue|llmspell/.test(holder.stack) ? "ESCAPED" : "safe";
