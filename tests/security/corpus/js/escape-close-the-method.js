// id: JS-ESC-048
// class: escape
// tries: close the method the file is checked in
// expect: error ScriptSyntaxError

}}); globalThis.outside = true; ({ a() {
