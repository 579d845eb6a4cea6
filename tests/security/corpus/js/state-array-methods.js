// id: JS-STA-009
// class: state
// tries: bend Array.prototype for the next run
// expect: value "safe"

Array.prototype.join = () => "bent"; Array.prototype.map = () => []; String.prototype.slice = () => "bent";
Iterator.prototype.map = () => 1; Object.keys = () => [];
return "safe";
