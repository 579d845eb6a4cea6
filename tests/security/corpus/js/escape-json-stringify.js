// id: JS-ESC-032
// class: escape
// tries: see frames of the glue through JSON.stringify
// expect: value "safe"

let seen = 0;
const real = JSON.stringify;
JSON.stringify = (...args) => { seen++; return real(...args) };
core.uuid(); data.clone({ a: 1 });
return seen === 0 ? "safe" : "ESCAPED";
