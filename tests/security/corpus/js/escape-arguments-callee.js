// id: JS-ESC-028
// class: escape
// tries: climb the stack through arguments
// expect: value "safe"

let got;
data.clone({ get a() { try { got = arguments.callee.caller } catch (e) { got = undefined } return 1 } });
return got === undefined || got === null ? "safe" : "ESCAPED";
