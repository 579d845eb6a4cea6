// id: JS-ESC-026
// class: escape
// tries: replace a function of a bridge for the next one who uses it
// expect: value "safe"

"use strict";
try { core.uuid = () => "forged"; return "ESCAPED" } catch {}
try { Object.defineProperty(core, "uuid", { value: () => "forged" }); return "ESCAPED" } catch {}
return require("core").uuid().length === 36 ? "safe" : "ESCAPED";
