// id: JS-OUT-006
// class: output
// tries: have output made of something that is no text
// expect: value "safe"

Array.prototype.join = () => ({ toString: () => "a text", toJSON: () => ({ not: "a text" }) });
console.write("x");
return "safe";
