// console, and how it shows values: like Node's, without colours.
(function (core) {
  "use strict";
  const WIDTH = 72;
  const MAX_DEPTH = 4;
  const MAX_ITEMS = 100;
  const counts = new Map();
  const times = new Map();
  let indent = "";

  function write(kind, args) {
    const text = format(args);
    core.emit(kind, (indent === "" ? text : indent + text.split("\n").join("\n" + indent)) + "\n");
  }

  function format(args) {
    let at = 0;
    let out = "";
    if (typeof args[0] === "string" && args.length > 1 && args[0].includes("%")) {
      at = 1;
      out = args[0].replace(/%[sdifjoOc%]/g, (spec) => {
        if (spec === "%%") return "%";
        if (at >= args.length) return spec;
        return formatOne(spec[1], args[at++]);
      });
    }
    const rest = [];
    for (; at < args.length; at++) rest.push(typeof args[at] === "string" ? args[at] : inspect(args[at]));
    return out === "" ? rest.join(" ") : rest.length === 0 ? out : out + " " + rest.join(" ");
  }

  function formatOne(kind, value) {
    switch (kind) {
      case "s":
        return typeof value === "string" ? value : inspect(value);
      case "d":
      case "i": {
        if (typeof value === "bigint") return value + "n";
        const number = typeof value === "object" ? NaN : Number(value);
        return Object.is(number, -0) ? "-0" : String(kind === "i" ? Math.trunc(number) : number);
      }
      case "f":
        return String(parseFloat(value));
      case "j":
        return JSON.stringify(value);
      case "c":
        return "";
    }
    return inspect(value);
  }

  function quote(text) {
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : "`";
    const body = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
    return mark + (mark === "'" ? body.replaceAll("'", "\\'") : body) + mark;
  }

  function inspect(value) {
    const open = [];

    function show(item, depth) {
      switch (typeof item) {
        case "string":
          return quote(item);
        case "number":
          return Object.is(item, -0) ? "-0" : String(item);
        case "bigint":
          return item + "n";
        case "symbol":
          return item.toString();
        case "object":
        case "function":
          return item === null ? "null" : showObject(item, depth);
      }
      return String(item);
    }

    function showObject(item, depth) {
      if (open.includes(item)) return "[Circular]";
      const name = className(item);
      if (depth > MAX_DEPTH) return Array.isArray(item) ? "[Array]" : "[" + (name || "Object") + "]";
      open.push(item);
      try {
        return showParts(item, name, depth);
      } finally {
        open.pop();
      }
    }

    function showParts(item, name, depth) {
      const keys = Object.keys(item);
      if (Array.isArray(item)) {
        const named = properties(item, keys.filter((key) => !isIndex(key, item.length)), depth);
        const label = name === "Array" ? "" : name + "(" + item.length + ") ";
        return wrap(label, "[", elements(item, depth).concat(named), "]");
      }
      if (typeof item === "function") {
        const isClass = Function.prototype.toString.call(item).startsWith("class");
        const label = "[" + (isClass ? "class " : "Function: ") + (item.name || "(anonymous)") + "]";
        return keys.length === 0 ? label : wrap(label + " ", "{", properties(item, keys, depth), "}");
      }
      if (Error.isError(item) || item instanceof DOMException) return showError(item, keys, depth);
      if (item instanceof Date) return Number.isNaN(item.getTime()) ? "Invalid Date" : item.toISOString();
      if (item instanceof RegExp) return String(item);
      if (item instanceof Map) {
        const pairs = [];
        for (const [key, part] of limited(item)) pairs.push(show(key, depth + 1) + " => " + show(part, depth + 1));
        return wrap(name + "(" + item.size + ") ", "{", more(pairs, item.size), "}");
      }
      if (item instanceof Set) {
        const parts = [];
        for (const part of limited(item)) parts.push(show(part, depth + 1));
        return wrap(name + "(" + item.size + ") ", "{", more(parts, item.size), "}");
      }
      if (ArrayBuffer.isView(item) && !(item instanceof DataView)) {
        return wrap(name + "(" + item.length + ") ", "[", elements(item, depth), "]");
      }
      if (item instanceof ArrayBuffer) return "ArrayBuffer { byteLength: " + item.byteLength + " }";
      if (item instanceof Promise) return "Promise {}";
      if (item instanceof Number || item instanceof String || item instanceof Boolean) {
        return "[" + name + ": " + show(item.valueOf(), depth) + "]";
      }
      if (core.isNamespace(item)) return wrap("[Module: null prototype] ", "{", liveNames(item, keys, depth), "}");
      const label = name === "Object" ? "" : (name || "[Object: null prototype]") + " ";
      return wrap(label, "{", properties(item, keys, depth), "}");
    }

    function showError(error, keys, depth) {
      const head = errorHead(error);
      // The engine's DOMException alone tells of the engine's lines, and has a number as code that says nothing.
      const isDom = !Error.isError(error);
      const given = typeof error.stack === "string" ? error.stack : "";
      const stack = (isDom ? core.authorsStack(given) : given).trimEnd();
      let text = stack === "" ? "[" + head + "]" : head + "\n" + stack;
      const hidden = isDom ? [] : ["code", "details"].filter((key) => Object.hasOwn(error, key) && !keys.includes(key));
      const told = [...hidden, ...keys];
      if (told.length > 0) text += " " + wrap("", "{", properties(error, told, depth), "}");
      if (Object.hasOwn(error, "cause")) text += "\n  [cause]: " + show(error.cause, depth + 1);
      if (Array.isArray(error.errors)) text += "\n  [errors]: " + show(error.errors, depth + 1);
      return text;
    }

    // What a module exports. A name that it has not come to yet cannot be read.
    function liveNames(namespace, keys, depth) {
      const shown = (key) => {
        try {
          return show(namespace[key], depth + 1);
        } catch {
          return "<uninitialized>";
        }
      };
      return keys.slice(0, MAX_ITEMS).map((key) => key + ": " + shown(key));
    }

    function elements(array, depth) {
      const out = [];
      for (let i = 0; i < array.length && out.length < MAX_ITEMS; i++) {
        let holes = 0;
        while (i + holes < array.length && !(i + holes in array) && holes < 1e6) holes++;
        if (holes > 0) {
          out.push("<" + holes + " empty item" + (holes === 1 ? "" : "s") + ">");
          i += holes - 1;
        } else out.push(show(array[i], depth + 1));
      }
      return more(out, array.length);
    }

    function properties(item, keys, depth) {
      const out = [];
      for (const key of keys.slice(0, MAX_ITEMS)) {
        const found = Object.getOwnPropertyDescriptor(item, key);
        const label = /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
        if (found && found.get) out.push(label + ": [Getter" + (found.set ? "/Setter" : "") + "]");
        else if (found && found.set) out.push(label + ": [Setter]");
        else out.push(label + ": " + show(item[key], depth + 1));
      }
      for (const key of Object.getOwnPropertySymbols(item)) {
        const found = Object.getOwnPropertyDescriptor(item, key);
        if (found && found.enumerable) out.push("[" + key.toString() + "]: " + show(item[key], depth + 1));
      }
      return more(out, keys.length);
    }

    function wrap(label, left, parts, right) {
      if (parts.length === 0) return label + left + right;
      const line = label + left + " " + parts.join(", ") + " " + right;
      if (line.length + open.length * 2 <= WIDTH && !line.includes("\n")) return line;
      const pad = "  ".repeat(open.length);
      return label + left + "\n" + pad + parts.join(",\n" + pad) + "\n" + pad.slice(2) + right;
    }

    return show(value, 0);
  }

  function className(item) {
    const prototype = Object.getPrototypeOf(item);
    if (prototype === null) return "";
    const tag = item[Symbol.toStringTag];
    const maker = prototype.constructor;
    const name = typeof maker === "function" && maker.name ? maker.name : "Object";
    if (typeof tag !== "string" || tag === "" || tag === name) return name;
    return name === "Object" ? tag : name + " [" + tag + "]";
  }

  function errorHead(error) {
    const name = String(error.name || "Error");
    const message = String(error.message);
    return message === "" ? name : name + ": " + message;
  }

  function isIndex(key, length) {
    const index = Number(key);
    return Number.isInteger(index) && index >= 0 && index < length;
  }

  function* limited(items) {
    let left = MAX_ITEMS;
    for (const item of items) {
      if (left-- === 0) return;
      yield item;
    }
  }

  function more(parts, total) {
    if (total > MAX_ITEMS) parts.push("... " + (total - MAX_ITEMS) + " more");
    return parts;
  }

  function table(rows, columns) {
    if (typeof rows !== "object" || rows === null) return write("output", [rows]);
    const names = [];
    const lines = [];
    for (const [index, row] of rows instanceof Map ? rows : Object.entries(rows)) {
      const cells = new Map([["(index)", String(index)]]);
      if (typeof row === "object" && row !== null) {
        for (const key of columns || Object.keys(row)) {
          if (!names.includes(key)) names.push(key);
          if (key in row) cells.set(key, inspect(row[key]));
        }
      } else cells.set("Values", inspect(row));
      lines.push(cells);
    }
    const heads = ["(index)", ...names];
    if (lines.some((cells) => cells.has("Values"))) heads.push("Values");
    const widths = heads.map((head) => Math.max(head.length, ...lines.map((cells) => (cells.get(head) || "").length)));
    const line = (cells) => "| " + cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ") + " |";
    const rule = "|" + widths.map((width) => "-".repeat(width + 2)).join("|") + "|";
    const body = lines.map((cells) => line(heads.map((head) => cells.get(head) || "")));
    return write("output", [[line(heads), rule, ...body].join("\n")]);
  }

  function elapsed(label) {
    return label + ": " + (performance.now() - times.get(label)).toFixed(3) + " ms";
  }

  const console = {
    log: (...args) => write("output", args),
    // As in Bun: texts as they are, without a line's end.
    write: (...texts) => void core.emit("output", texts.join("")),
    info: (...args) => write("output", args),
    debug: (...args) => write("output", args),
    warn: (...args) => write("error_output", args),
    error: (...args) => write("error_output", args),
    dir: (value) => write("output", [inspect(value)]),
    table,
    trace: (...args) => {
      const title = "Trace" + (args.length > 0 ? ": " + format(args) : "");
      write("error_output", [title + "\n" + new Error().stack.trimEnd()]);
    },
    assert: (holds, ...args) => {
      if (!holds) write("error_output", ["Assertion failed" + (args.length > 0 ? ": " + format(args) : "")]);
    },
    count: (label = "default") => {
      counts.set(label, (counts.get(label) || 0) + 1);
      write("output", [label + ": " + counts.get(label)]);
    },
    countReset: (label = "default") => void counts.delete(label),
    group: (...args) => {
      if (args.length > 0) write("output", args);
      indent += "  ";
    },
    groupEnd: () => void (indent = indent.slice(2)),
    time: (label = "default") => void times.set(label, performance.now()),
    timeLog: (label = "default", ...args) => {
      if (times.has(label)) write("output", [elapsed(label), ...args]);
    },
    timeEnd: (label = "default") => {
      if (times.has(label)) write("output", [elapsed(label)]);
      times.delete(label);
    },
  };
  console.groupCollapsed = console.group;
  return { console };
});
