// Why a value cannot cross, told with the place inside of it.
(function (core) {
  "use strict";
  const { hide, limits, origins, record, standing, trail, weakSet } = core;

  function pathOf(depth) {
    let path = "$";
    for (let i = 0; i < depth; i++) {
      const key = trail[i];
      path += typeof key === "number" ? "[" + key + "]" : "." + key;
    }
    return path;
  }

  function cannotCross(message, depth) {
    const path = pathOf(depth);
    const error = new core.TypeError(path === "$" ? message : message + " (at " + path + ")");
    hide(error, "name", "ConversionError");
    hide(error, "code", "conversion");
    weakSet(origins, error, record({ kind: "conversion", path, text: message }));
    return error;
  }

  function tooDeep(value, depth) {
    for (let i = 0; i < depth; i++) {
      if (standing[i] === value) {
        for (let j = i + 1; j < depth; j++) if (standing[j] === value) depth = j;
        return cannotCross("the value contains itself", depth);
      }
    }
    return cannotCross("the value is nested deeper than " + limits.depth + " levels (limit: value depth)", depth);
  }

  return record({ cannotCross, tooDeep });
});
