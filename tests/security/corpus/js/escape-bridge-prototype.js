// id: JS-ESC-025
// class: escape
// tries: reach something through the prototypes of a bridge
// expect: value "safe"

const seen = [];
for (let o = core; o !== null; o = Object.getPrototypeOf(o)) { seen.push(o); if (seen.length > 5) break }
return seen.length <= 3 && seen.every((o) => typeof o !== "function") ? "safe" : "ESCAPED";
