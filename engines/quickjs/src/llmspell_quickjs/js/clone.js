// structuredClone: a copy of plain data, dates, regular expressions, errors, maps, sets and binary data, cycles kept.
(function () {
  "use strict";

  function refuse(what) {
    throw new DOMException(what + " could not be cloned", "DataCloneError");
  }

  function structuredClone(value, options) {
    const seen = new Map();
    const transfer = options && options.transfer ? [...options.transfer] : [];
    for (const buffer of transfer) {
      if (!(buffer instanceof ArrayBuffer)) refuse("only an ArrayBuffer can be transferred; this");
      seen.set(buffer, buffer.transfer());
    }

    function copy(item) {
      if (typeof item === "function" || typeof item === "symbol") refuse("a " + typeof item);
      if (typeof item !== "object" || item === null) return item;
      if (seen.has(item)) return seen.get(item);
      const keep = (made) => (seen.set(item, made), made);
      if (Array.isArray(item)) return properties(item, keep(new Array(item.length)));
      if (item instanceof Date) return keep(new Date(item.getTime()));
      if (item instanceof RegExp) return keep(new RegExp(item.source, item.flags));
      if (item instanceof ArrayBuffer) return keep(item.slice(0));
      if (ArrayBuffer.isView(item)) {
        const buffer = copy(item.buffer);
        const length = item instanceof DataView ? item.byteLength : item.length;
        return keep(new item.constructor(buffer, item.byteOffset, length));
      }
      if (item instanceof Map) {
        const made = keep(new Map());
        for (const [key, part] of item) made.set(copy(key), copy(part));
        return made;
      }
      if (item instanceof Set) {
        const made = keep(new Set());
        for (const part of item) made.add(copy(part));
        return made;
      }
      if (Error.isError(item)) return error(item, keep);
      if (item instanceof Number || item instanceof String || item instanceof Boolean || item instanceof BigInt) {
        return keep(Object(item.valueOf()));
      }
      const tag = Object.prototype.toString.call(item);
      if (item instanceof Promise || item instanceof WeakMap || item instanceof WeakSet || item instanceof WeakRef) {
        refuse("a " + tag.slice(8, -1));
      }
      return properties(item, keep({}));
    }

    function properties(from, to) {
      for (const key of Object.keys(from)) {
        const value = copy(from[key]);
        Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
      }
      return to;
    }

    function error(item, keep) {
      const kinds = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
      const Kind = Object.hasOwn(kinds, item.name) ? kinds[item.name] : Error;
      const made = keep(new Kind(item.message));
      if ("cause" in item) {
        Object.defineProperty(made, "cause", { value: copy(item.cause), writable: true, configurable: true });
      }
      made.stack = item.stack;
      return made;
    }

    return copy(value);
  }

  return { structuredClone };
});
