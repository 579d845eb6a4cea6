// id: JS-ESC-033
// class: escape
// tries: see frames of the glue through JSON.parse
// expect: value "safe"

let seen = 0;
JSON.parse = () => { seen++; return {} };
const got = data.clone({ a: 1 });
return seen === 0 && got.a === 1 ? "safe" : "ESCAPED";
