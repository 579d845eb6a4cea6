// id: JS-ESC-052
// class: escape
// tries: pollute what the next run gets as params
// expect: value "safe"

params.__proto__.forged = 1;
return ({}).forged === undefined ? "safe" : "ESCAPED";
