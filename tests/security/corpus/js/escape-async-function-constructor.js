// id: JS-ESC-003
// class: escape
// tries: reach a wider scope through the AsyncFunction constructor
// expect: value "safe"

const A = (async () => {}).constructor;
return (await A("return typeof std + typeof os + typeof process")()) === "undefinedundefinedundefined" ? "safe" : "ESCAPED";
