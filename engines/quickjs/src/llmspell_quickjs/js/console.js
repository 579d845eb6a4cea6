// console, as in Node.
(function (core) {
  "use strict";
  const inspect = (value, depth) => core.part("inspect").inspect(value, depth); // most runs only print texts
  const counts = new Map();
  const times = new Map();
  let indent = "";

  function write(kind, args) {
    const text = format(args);
    core.emit(kind, (indent === "" ? text : indent + text.split("\n").join("\n" + indent)) + "\n");
  }

  function format(args) {
    let at = 0;
    const out = [];
    if (typeof args[0] === "string" && args.length > 1) {
      at = 1;
      out.push(args[0].replace(/%[sdifjoOc%]/g, (spec) => {
        if (spec === "%%") return "%";
        return at < args.length ? formatOne(spec[1], args[at++]) : spec;
      }));
    }
    for (; at < args.length; at++) out.push(typeof args[at] === "string" ? args[at] : inspect(args[at]));
    return out.join(" ");
  }

  function formatOne(kind, value) {
    switch (kind) {
      case "s":
        if (typeof value === "string") return value;
        if (typeof value !== "object" || value === null) return inspect(value);
        return core.part("inspect").hasOwnText(value) ? String(value) : inspect(value, 0);
      case "d":
        return number(value, Number);
      case "i":
        return number(value, parseInt);
      case "f":
        return number(value, parseFloat);
      case "j":
        return json(value);
      case "c":
        return "";
    }
    return inspect(value);
  }

  function number(value, read) {
    if (typeof value === "bigint" && read !== parseFloat) return value + "n";
    return inspect(typeof value === "symbol" ? NaN : read(value));
  }

  function json(value) {
    try {
      return String(JSON.stringify(value));
    } catch (error) {
      if (error instanceof TypeError && error.message.includes("circular")) return "[Circular]";
      throw error;
    }
  }

  // Rows of a table: what is asked about, and the columns that it has.
  function rowsOf(data) {
    if (data instanceof Map) {
      return [...data].map(([key, value], i) => [String(i), [["Key", key]], value]);
    }
    if (data instanceof Set) return [...data].map((value, i) => [String(i), [], value]);
    return Object.entries(data).map(([key, value]) => [key, [], value]);
  }

  function table(data, columns) {
    if (typeof data !== "object" || data === null) return write("output", [data]);
    const index = data instanceof Map || data instanceof Set ? "(iteration index)" : "(index)";
    const names = [];
    let hasValues = false;
    const lines = rowsOf(data).map(([key, more, row]) => {
      const cells = new Map([[index, key]]);
      const put = (name, value) => {
        if (!names.includes(name)) names.push(name);
        cells.set(name, inspect(value, 1));
      };
      for (const [name, value] of more) put(name, value);
      if (typeof row === "object" && row !== null) {
        for (const name of columns || Object.keys(row)) if (Object.hasOwn(row, name)) put(String(name), row[name]);
      } else {
        hasValues = true;
        cells.set("Values", inspect(row));
      }
      return cells;
    });
    for (const name of columns || []) if (!names.includes(String(name))) names.push(String(name));
    const heads = [index, ...names];
    if (hasValues) heads.push("Values");
    const widths = heads.map((head) => Math.max(head.length, ...lines.map((cells) => (cells.get(head) || "").length)));
    const line = (cells) => "| " + cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ") + " |";
    const rule = "|" + widths.map((width) => "-".repeat(width + 2)).join("|") + "|";
    const body = lines.map((cells) => line(heads.map((head) => cells.get(head) || "")));
    return write("output", [[line(heads), rule, ...body].join("\n")]);
  }

  function elapsed(label) {
    return label + ": " + (performance.now() - times.get(label)).toFixed(3) + " ms";
  }

  // Whether a timer runs; that none does is said, since it is a mistake.
  function runs(label, name) {
    if (times.has(label)) return true;
    write("error_output", ["there is no timer '" + label + "' for console." + name]);
    return false;
  }

  const console = {
    log: (...args) => write("output", args),
    // As in Bun: texts as they are, without a line's end.
    write: (...texts) => void core.emit("output", texts.join("")),
    info: (...args) => write("output", args),
    debug: (...args) => write("output", args),
    warn: (...args) => write("error_output", args),
    error: (...args) => write("error_output", args),
    dir: (value, options) => {
      const { depth } = options ?? {};
      write("output", [inspect(value, depth === null ? Infinity : depth)]);
    },
    dirxml: (...args) => write("output", args),
    table,
    trace: (...args) => {
      const title = "Trace" + (args.length > 0 ? ": " + format(args) : "");
      write("error_output", [title + "\n" + new Error().stack.trimEnd()]);
    },
    assert: (holds, ...args) => {
      if (!holds) write("error_output", ["Assertion failed" + (args.length > 0 ? ": " + format(args) : "")]);
    },
    count: (label = "default") => {
      label = String(label);
      counts.set(label, (counts.get(label) || 0) + 1);
      write("output", [label + ": " + counts.get(label)]);
    },
    countReset: (label = "default") => {
      if (!counts.delete(String(label))) write("error_output", ["there is no count '" + label + "'"]);
    },
    group: (...args) => {
      if (args.length > 0) write("output", args);
      indent += "  ";
    },
    groupEnd: () => void (indent = indent.slice(2)),
    time: (label = "default") => void times.set(String(label), performance.now()),
    timeLog: (label = "default", ...args) => {
      label = String(label);
      if (runs(label, "timeLog")) write("output", [elapsed(label), ...args]);
    },
    timeEnd: (label = "default") => {
      label = String(label);
      if (runs(label, "timeEnd")) write("output", [elapsed(label)]);
      times.delete(label);
    },
  };
  console.groupCollapsed = console.group;
  Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
  return { console };
});
