// id: JS-STA-005
// class: state
// tries: change params for another run
// expect: value "safe"

if (params.left) return "ESCAPED"; params.left = 1; return "safe";
