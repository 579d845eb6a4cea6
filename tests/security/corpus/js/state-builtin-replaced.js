// id: JS-STA-004
// class: state
// tries: replace built-ins for another run
// expect: value "safe"

if (Math.left || JSON.left) return "ESCAPED"; Math.left = JSON.left = 1; Math.max = JSON.parse = () => "forged"; return "safe";
