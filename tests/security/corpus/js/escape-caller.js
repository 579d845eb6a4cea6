// id: JS-ESC-027
// class: escape
// tries: climb the stack of a function that the glue calls
// expect: value "safe"

let climbed = false;
function up() { try { climbed = climbed || up.caller !== null && up.caller !== undefined } catch {} return 1 }
data.clone({ get a() { return up() } });
return climbed ? "ESCAPED" : "safe";
