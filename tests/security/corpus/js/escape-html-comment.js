// id: JS-ESC-049
// class: escape
// tries: hide the end of the function in an HTML-like comment
// expect: value "safe"

<!-- }); globalThis.outside = true; (function () {
return typeof outside === "undefined" ? "safe" : "ESCAPED";
