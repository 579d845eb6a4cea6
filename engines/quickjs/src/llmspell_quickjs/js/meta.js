// import.meta: which file it is, as in Node and Deno. A source that is no file has nothing but its name.
(function (core) {
  "use strict";
  const { create, cut, weakGet, weakSet } = core;
  const known = new core.saved.WeakMap();

  function of(module) {
    const made = weakGet(known, module);
    if (made !== undefined) return made;
    const meta = create(null);
    const name = module.key;
    meta.url = name;
    if (name[0] === "/") {
      let end = name.length - 1;
      while (name[end] !== "/") end--;
      meta.url = "file://" + core.part("percent").encode(name, ' "#<>?`{}^%');
      meta.filename = name;
      meta.dirname = end === 0 ? "/" : cut(name, 0, end);
    }
    meta.main = module.isMain;
    weakSet(known, module, meta);
    return meta;
  }

  return core.record({ of });
});
