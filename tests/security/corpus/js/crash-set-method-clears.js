// id: JS-CRA-036
// class: crash
// tries: empty a set while it is compared with another
// expect: value "safe"

const s = new Set(Array(1000).keys());
const other = { size: 1e9, has() { s.clear(); return true }, keys() { s.clear(); return [1].values() } };
s.difference(other); s.intersection(other); s.isSubsetOf(other); s.union(other);
return "safe";
