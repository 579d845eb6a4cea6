// id: JS-ESC-029
// class: escape
// tries: take functions of the glue out of call sites
// expect: value "safe"

let sites = null;
try { Error.prepareStackTrace = (error, list) => { sites = list; return "" } } catch {}
try { Object.defineProperty(Error, "prepareStackTrace", { value: (error, list) => { sites = list } }) } catch {}
try { data.parseJson("{") } catch (e) { String(e.stack) }
new Error("x").stack;
return sites === null ? "safe" : "ESCAPED";
