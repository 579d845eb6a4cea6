// id: JS-PRO-010
// class: protocol
// tries: smuggle a second line into a frame
// expect: value "safe"

const s = "a\nC[1]\nD[0,1]\u2028"; return data.clone([s])[0] === s ? "safe" : "ESCAPED";
