// structuredClone after the WHATWG standard: a copy of plain data, dates, regular expressions, errors, maps, sets and
// binary data, cycles kept.
(function (core) {
  "use strict";
  const BOXES = [Boolean, Number, String, BigInt];
  const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const AsyncIterator = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype));

  function refuse(what, trail = []) {
    const path = trail.map((key) => (typeof key === "number" ? "[" + key + "]" : "." + key)).join("");
    const where = path === "" ? "" : " (at $" + path + ")";
    throw new DOMException(what + " could not be cloned" + where, "DataCloneError");
  }

  // Why an object is no data, "" if it is.
  function odd(item) {
    if (core.weakGet(core.handles, item) !== undefined) return "a handle of the host";
    const tag = Object.prototype.toString.call(item).slice(8, -1);
    if (item instanceof Promise) return "a Promise, which is to be awaited first,";
    if (item instanceof WeakMap || item instanceof WeakSet || item instanceof WeakRef || item instanceof Symbol) {
      return "a " + tag;
    }
    if (item instanceof Iterator || AsyncIterator.isPrototypeOf(item)) return "an iterator";
    if (/^(?:URL|URLSearchParams|TextEncoder|TextDecoder)$/.test(tag)) return "a " + tag;
    return "";
  }

  function isDetached(buffer) {
    return buffer.detached === true;
  }

  // The buffers to be given away, all of which can be.
  function transferred(options) {
    if (options === undefined || options === null) return [];
    if (typeof options !== "object") throw new TypeError("the options of structuredClone must be an object");
    const buffers = options.transfer === undefined ? [] : [...options.transfer];
    for (const buffer of buffers) {
      if (!(buffer instanceof ArrayBuffer)) refuse("only an ArrayBuffer can be transferred; this");
      if (isDetached(buffer)) refuse("a detached ArrayBuffer");
    }
    if (new Set(buffers).size < buffers.length) refuse("an ArrayBuffer that is to be transferred twice");
    return buffers;
  }

  function structuredClone(value, options) {
    if (arguments.length === 0) throw new TypeError("structuredClone needs a value");
    const given = transferred(options);
    const seen = new Map();
    const trail = [];

    function copy(item) {
      if (typeof item === "function" || typeof item === "symbol") refuse("a " + typeof item, trail);
      if (typeof item !== "object" || item === null) return item;
      if (seen.has(item)) return seen.get(item);
      const keep = (made) => (seen.set(item, made), made);
      if (Array.isArray(item)) return properties(item, keep(new Array(item.length)));
      if (item instanceof Date) return keep(new Date(Date.prototype.getTime.call(item)));
      if (item instanceof RegExp) return keep(new RegExp(item.source, item.flags));
      if (item instanceof ArrayBuffer) return keep(bytes(item));
      if (ArrayBuffer.isView(item)) return keep(view(item));
      if (item instanceof Map) return entries(item, keep(new Map()));
      if (item instanceof Set) return members(item, keep(new Set()));
      if (Error.isError(item)) return error(item, keep);
      if (item instanceof DOMException) return keep(new DOMException(item.message, item.name));
      const Box = BOXES.find((kind) => item instanceof kind);
      if (Box !== undefined) return keep(Object(Box.prototype.valueOf.call(item)));
      const why = odd(item);
      return why === "" ? properties(item, keep({})) : refuse(why, trail);
    }

    // What is under a key, which an error names.
    function under(key, item) {
      trail.push(key);
      const made = copy(item);
      trail.pop();
      return made;
    }

    function bytes(buffer) {
      if (isDetached(buffer)) refuse("a detached ArrayBuffer", trail);
      if (!buffer.resizable) return buffer.slice(0);
      const made = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength });
      new Uint8Array(made).set(new Uint8Array(buffer));
      return made;
    }

    function view(item) {
      const buffer = copy(item.buffer);
      if (item instanceof DataView) return new DataView(buffer, item.byteOffset, item.byteLength);
      return new globalThis[item[Symbol.toStringTag]](buffer, item.byteOffset, item.length);
    }

    function entries(from, to) {
      for (const [key, item] of [...Map.prototype.entries.call(from)]) to.set(copy(key), under(String(key), item));
      return to;
    }

    function members(from, to) {
      for (const item of [...Set.prototype.values.call(from)]) to.add(copy(item));
      return to;
    }

    function properties(from, to) {
      for (const key of Object.keys(from)) {
        if (!Object.hasOwn(from, key)) continue; // a getter before it took it away
        const value = under(Array.isArray(from) && /^\d+$/.test(key) ? Number(key) : key, from[key]);
        Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
      }
      return to;
    }

    function error(item, keep) {
      const Kind = Object.hasOwn(ERRORS, item.name) ? ERRORS[item.name] : Error;
      const made = keep(new Kind(item.message));
      if (Object.hasOwn(item, "cause")) {
        Object.defineProperty(made, "cause", { value: under("cause", item.cause), writable: true, configurable: true });
      }
      made.stack = String(item.stack);
      return made;
    }

    const made = copy(value);
    // A buffer that is given away was copied like any other: nothing is lost if something else cannot be cloned.
    for (const buffer of given) buffer.transfer(0);
    return made;
  }
  Object.defineProperty(structuredClone, "length", { value: 1, configurable: true });

  return { structuredClone };
});
