// How values are shown: like Node's util.inspect, without colours, and two levels deeper.
(function (core) {
  "use strict";
  const WIDTH = 80;
  const DEPTH = 4;
  const MOST_ITEMS = 100;
  const MOST_TEXT = 10000;
  const MOST_BYTES = 50;
  const CUSTOM = Symbol.for("nodejs.util.inspect.custom");
  const NAME = /^[A-Za-z_][A-Za-z_0-9]*$/;
  const ESCAPES = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\" };

  function quote(text) {
    let mark = "'";
    if (text.includes("'")) mark = !text.includes('"') ? '"' : !/`|\$\{/.test(text) ? "`" : "'";
    const escaped = text.replace(/[\u0000-\u001f\\\u007f-\u009f]|\p{Cs}/gu, (char) => {
      if (Object.hasOwn(ESCAPES, char)) return ESCAPES[char];
      const hex = char.charCodeAt(0).toString(16).toUpperCase();
      return hex.length > 2 ? "\\u" + hex : "\\x" + hex.padStart(2, "0");
    });
    return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
  }

  function many(count, what) {
    return "... " + count + " more " + what + (count === 1 ? "" : "s");
  }

  // The name of the class an object is of, "" if it is of none.
  function className(item) {
    for (let up = item; up !== null; up = Object.getPrototypeOf(up)) {
      const found = Object.getOwnPropertyDescriptor(up, "constructor");
      const maker = found && found.value;
      if (typeof maker === "function" && maker.name !== "" && isMadeBy(item, maker)) return String(maker.name);
    }
    return "";
  }

  function isMadeBy(item, maker) {
    try {
      return item instanceof maker;
    } catch {
      return false;
    }
  }

  function tagOf(item) {
    const tag = item[Symbol.toStringTag];
    return typeof tag !== "string" || Object.prototype.propertyIsEnumerable.call(item, Symbol.toStringTag) ? "" : tag;
  }

  function heading(name, tag, fallback, size = "") {
    const kind = name === "" ? "[" + fallback + size + ": null prototype]" : name + size;
    return tag === "" || tag === (name || fallback) ? kind + " " : kind + " [" + tag + "] ";
  }

  function functionHeading(item, tag) {
    const isClass = Function.prototype.toString.call(item).startsWith("class");
    const name = typeof item.name === "string" ? item.name : "";
    if (!isClass) {
      const kind = /^(?:Async)?(?:Generator)?Function$/.test(tag) ? tag : "Function";
      return name === "" ? "[" + kind + " (anonymous)]" : "[" + kind + ": " + name + "]";
    }
    const above = Object.getPrototypeOf(item);
    const from = above !== null && above.name ? " extends " + above.name : "";
    return "[class " + (name || "(anonymous)") + from + "]";
  }

  // The names on an object itself. Those of a long list, of which most are its numbers, would take more room than it.
  function keysOf(item) {
    if ((Array.isArray(item) || ArrayBuffer.isView(item)) && item.length > MOST_ITEMS * 100) return [];
    const symbols = Object.getOwnPropertySymbols(item);
    return Object.keys(item).concat(symbols.filter((key) => Object.prototype.propertyIsEnumerable.call(item, key)));
  }

  function isIndex(key, length) {
    return typeof key === "string" && /^(?:0|[1-9]\d*)$/.test(key) && Number(key) < length;
  }

  const BOXES = ["Number", "String", "Boolean", "BigInt", "Symbol"];

  // What is in a box such as Object(1n): [name of the box, value]
  function unboxed(item) {
    for (const name of BOXES) {
      try {
        return [name, globalThis[name].prototype.valueOf.call(item)];
      } catch {
        // It is no such box.
      }
    }
    return undefined;
  }

  // What is given to a value that has its own way to be shown, as Node gives it.
  function inspectAs(value, options) {
    const { depth = DEPTH } = options ?? {};
    return inspect(value, depth === null ? Infinity : Number(depth));
  }

  function inspect(value, depth = DEPTH) {
    const open = [];
    const circles = new Map(); // object that holds itself -> its number
    let indent = 0;
    let level = 0; // of what was shown last

    function show(item, at) {
      switch (typeof item) {
        case "string":
          return text(item);
        case "number":
          return Object.is(item, -0) ? "-0" : String(item);
        case "bigint":
          return item + "n";
        case "symbol":
          return item.toString();
        case "object":
        case "function":
          return item === null ? "null" : showObject(item, at);
      }
      return String(item);
    }

    function text(item) {
      const left = item.length - MOST_TEXT;
      const end = left > 0 ? many(left, "character") : "";
      if (left > 0) item = item.slice(0, MOST_TEXT);
      if (item.length <= 16 || item.length <= WIDTH - indent - 4) return quote(item) + end;
      return item.split(/(?<=\n)/).map(quote).join(" +\n" + " ".repeat(indent + 2)) + end;
    }

    function showObject(item, at) {
      if (open.includes(item)) {
        if (!circles.has(item)) circles.set(item, circles.size + 1);
        return "[Circular *" + circles.get(item) + "]";
      }
      open.push(item);
      try {
        const shown = parts(item, at);
        return circles.has(item) ? "<ref *" + circles.get(item) + "> " + shown : shown;
      } catch (error) {
        return "<cannot be shown: " + (Error.isError(error) ? error.message : typeof error) + ">";
      } finally {
        open.pop();
      }
    }

    function parts(item, at) {
      const custom = item[CUSTOM];
      if (typeof custom === "function") {
        const shown = custom.call(item, depth - at, { depth: depth - at }, inspectAs);
        if (typeof shown === "string") return shown.replaceAll("\n", "\n" + " ".repeat(indent));
        if (shown !== item) return show(shown, at);
      }
      const name = className(item);
      const tag = tagOf(item);
      const keys = keysOf(item);
      if (Array.isArray(item)) {
        const label = name === "Array" && tag === "" ? "" : heading(name, tag, "Array", "(" + item.length + ")");
        const named = keys.filter((key) => !isIndex(key, item.length));
        return group(item, at, name, label + "[", () => elements(item, at), named, "]", true);
      }
      if (item instanceof Map) {
        const label = heading(name, tag, "Map", "(" + item.size + ")") + "{";
        return group(item, at, name, label, () => pairs(item, at), keys, "}");
      }
      if (item instanceof Set) {
        const label = heading(name, tag, "Set", "(" + item.size + ")") + "{";
        return group(item, at, name, label, () => members(item, at), keys, "}");
      }
      if (ArrayBuffer.isView(item) && !(item instanceof DataView)) {
        const label = heading(name, tag, tag, "(" + item.length + ")") + "[";
        const named = keys.filter((key) => !isIndex(key, item.length));
        return group(item, at, name, label, () => elements(item, at), named, "]", true);
      }
      if (typeof item === "function") return labelled(item, at, functionHeading(item, tag), keys);
      if (item instanceof RegExp) return labelled(item, at, RegExp.prototype.toString.call(item), keys);
      if (item instanceof Date) {
        const time = Date.prototype.getTime.call(item);
        return labelled(item, at, Number.isNaN(time) ? "Invalid Date" : new Date(time).toISOString(), keys);
      }
      if (Error.isError(item) || item instanceof DOMException) return showError(item, at, keys);
      const box = /^(?:Number|String|Boolean|BigInt|Symbol)$/.test(name) ? unboxed(item) : undefined;
      if (box !== undefined) {
        const named = box[0] === "String" ? keys.filter((key) => !isIndex(key, box[1].length)) : keys;
        return labelled(item, at, "[" + box[0] + ": " + show(box[1], at) + "]", named);
      }
      if (item instanceof ArrayBuffer) {
        return group(item, at, name, heading(name, tag, "ArrayBuffer") + "{", () => bufferParts(item, at), keys, "}");
      }
      if (item instanceof DataView) {
        const own = () => ["byteLength", "byteOffset", "buffer"].map((key) => key + ": " + inner(item[key], at));
        return group(item, at, name, heading(name, tag, "DataView") + "{", own, keys, "}");
      }
      if (item instanceof WeakMap || item instanceof WeakSet) {
        return group(item, at, name, heading(name, tag, "") + "{", () => ["<items unknown>"], keys, "}");
      }
      if (core.isNamespace(item)) {
        return group(item, at, name, "[Module: null prototype] {", () => liveNames(item, keys, at), [], "}");
      }
      const isArguments = name === "Object" && Object.prototype.toString.call(item) === "[object Arguments]";
      const isPlain = name === "Object" && tag === "";
      const label = isArguments ? "[Arguments] " : isPlain ? "" : heading(name, tag, "Object");
      return group(item, at, name, label + "{", () => [], keys, "}");
    }

    // Something that is shown by a text of its own, and what else is on it.
    function labelled(item, at, label, keys) {
      return keys.length === 0 ? label : group(item, at, "", label + " {", () => [], keys, "}");
    }

    function group(item, at, name, left, fill, keys, right, isList = false) {
      if (!isEmpty(item, keys)) {
        if (at > depth) return "[" + (name || "Object: null prototype") + "]";
        level = at;
      }
      const own = fill();
      const out = own.concat(keys.map((key) => property(item, key, at)));
      return out.length === 0 ? left + right : arranged(left, out, right, at, isList ? item : undefined);
    }

    function isEmpty(item, keys) {
      if (keys.length > 0) return false;
      return Array.isArray(item) || ArrayBuffer.isView(item) ? item.length === 0 : (item.size || 0) === 0;
    }

    // In one line if it is short and not too deep, a long list in columns, or else one below the other. The rules are
    // those of Node's reduceToSingleString and groupArrayElements.
    function arranged(left, out, right, at, list) {
      const lines = list !== undefined && out.length > 6 ? inColumns(out, list) : out;
      if (level - at < 3 && lines === out) {
        const length = out.reduce((sum, part) => sum + part.length + 1, out.length + indent + left.length + 10);
        const line = left + " " + out.join(", ") + " " + right;
        if (length <= WIDTH && !line.includes("\n")) return line;
      }
      const pad = "\n" + " ".repeat(indent);
      return left + pad + "  " + lines.join("," + pad + "  ") + pad + right;
    }

    function inColumns(out, list) {
      const count = out.at(-1).startsWith("... ") && out.length > MOST_ITEMS ? out.length - 1 : out.length;
      const lengths = out.slice(0, count).map((part) => part.length);
      const total = lengths.reduce((sum, length) => sum + length + 2, 0);
      const widest = Math.max(...lengths) + 2;
      if (widest * 3 + indent >= WIDTH || (total / widest <= 5 && widest > 8)) return out;
      const biased = Math.max(widest - 3 - Math.sqrt(widest - total / out.length), 1);
      const columns = Math.min(
        Math.round(Math.sqrt(2.5 * biased * count) / biased), Math.floor((WIDTH - indent) / widest), 12,
      );
      if (columns <= 1) return out;
      const isNumeric = out.every((_, i) => typeof list[i] === "number" || typeof list[i] === "bigint");
      const widths = Array.from({ length: columns }, (_, i) =>
        Math.max(0, ...lengths.filter((_, j) => j % columns === i)) + 2);
      const lines = [];
      for (let i = 0; i < count; i += columns) {
        const last = Math.min(i + columns, count) - 1;
        const row = out.slice(i, last + 1).map((part, j) => {
          const isLast = i + j === last;
          if (isNumeric) return (isLast ? part : part + ", ").padStart(widths[j] - (isLast ? 2 : 0));
          return isLast ? part : (part + ", ").padEnd(widths[j]);
        });
        lines.push(row.join(""));
      }
      return lines.concat(out.slice(count));
    }

    // A part of something, further to the right.
    function inner(item, at) {
      indent += 2;
      try {
        return show(item, at + 1);
      } finally {
        indent -= 2;
      }
    }

    function property(item, key, at) {
      const label = typeof key === "symbol" ? "[" + key.toString() + "]" : NAME.test(key) ? key : quote(key);
      const found = Object.getOwnPropertyDescriptor(item, key);
      if (found && found.get) return label + ": [Getter" + (found.set ? "/Setter" : "") + "]";
      if (found && found.set) return label + ": [Setter]";
      return label + ": " + inner(found ? found.value : item[key], at);
    }

    function elements(array, at) {
      const out = [];
      let i = 0;
      for (; i < array.length && out.length < MOST_ITEMS; i++) {
        if (i in array) out.push(inner(array[i], at));
        else {
          const from = i;
          while (i + 1 < array.length && !(i + 1 in array) && i - from < 1e6) i++;
          const holes = i + 1 - from;
          out.push("<" + holes + " empty item" + (holes === 1 ? "" : "s") + ">");
        }
      }
      if (i < array.length) out.push(many(array.length - i, "item"));
      return out;
    }

    function pairs(map, at) {
      const out = [];
      for (const [key, item] of Map.prototype.entries.call(map)) {
        if (out.length === MOST_ITEMS) return [...out, many(map.size - MOST_ITEMS, "item")];
        out.push(inner(key, at) + " => " + inner(item, at));
      }
      return out;
    }

    function members(set, at) {
      const out = [];
      for (const item of Set.prototype.values.call(set)) {
        if (out.length === MOST_ITEMS) return [...out, many(set.size - MOST_ITEMS, "item")];
        out.push(inner(item, at));
      }
      return out;
    }

    function bufferParts(buffer) {
      if (buffer.detached) return ["(detached)", "byteLength: 0"];
      const some = new Uint8Array(buffer, 0, Math.min(MOST_BYTES, buffer.byteLength));
      const bytes = Array.from(some, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      const left = buffer.byteLength - some.length;
      const more = left > 0 ? " " + many(left, "byte") : "";
      return ["[Uint8Contents]: <" + bytes + more + ">", "byteLength: " + buffer.byteLength];
    }

    // What a module exports. A name that it has not come to yet cannot be read.
    function liveNames(namespace, keys, at) {
      return keys.map((key) => {
        const label = NAME.test(key) ? key : quote(key);
        try {
          return label + ": " + inner(namespace[key], at);
        } catch {
          return label + ": <uninitialized>";
        }
      });
    }

    function showError(error, at, keys) {
      // The engine's DOMException alone tells of the engine's lines, and has a number as code that says nothing.
      const isDom = !Error.isError(error);
      const given = typeof error.stack === "string" ? error.stack : "";
      const stack = (isDom ? core.authorsStack(given) : given).trimEnd();
      const head = errorHead(error);
      const whole = stack === "" ? head : stack.startsWith(head) ? stack : head + "\n" + stack;
      const label = (/\n    at /.test(whole) ? whole : "[" + whole + "]").replaceAll("\n", "\n" + " ".repeat(indent));
      const told = ["code", "details"].filter((key) => !isDom && Object.hasOwn(error, key) && !keys.includes(key));
      const behind = ["cause", "errors"].filter((key) => Object.hasOwn(error, key) && !keys.includes(key));
      const own = () => told.map((key) => property(error, key, at))
        .concat(behind.map((key) => "[" + key + "]: " + inner(error[key], at)));
      const shown = keys.filter((key) => !(["name", "message", "stack"].includes(key) && whole.includes(error[key])));
      if (told.length + behind.length + shown.length === 0) return label;
      return group(error, at, className(error), label + " {", own, shown, "}");
    }

    return show(value, 0);
  }

  function errorHead(error) {
    const name = String(error.name || "Error");
    const message = String(error.message);
    return message === "" ? name : name + ": " + message;
  }

  // Whether an object says itself how it is to be a text.
  function hasOwnText(item) {
    if (typeof item !== "object" || Error.isError(item)) return false;
    const toText = item.toString;
    if (typeof toText !== "function" || toText === Object.prototype.toString) return false;
    if (Array.isArray(item) || ArrayBuffer.isView(item) || item instanceof Date || item instanceof RegExp) return false;
    return !/\{\s*\[native code\]\s*\}/.test(Function.prototype.toString.call(toText));
  }

  return { hasOwnText, inspect };
});
