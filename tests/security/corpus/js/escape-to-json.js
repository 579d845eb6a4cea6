// id: JS-ESC-034
// class: escape
// tries: see or forge what crosses by toJSON on prototypes
// expect: value "safe"

Array.prototype.toJSON = () => "forged";
String.prototype.toJSON = () => "forged";
Number.prototype.toJSON = () => "forged";
const got = data.clone({ a: ["x", 1] });
delete Array.prototype.toJSON;
return got.a[0] === "x" && got.a[1] === 1 ? "safe" : "ESCAPED";
