// URLSearchParams after the WHATWG standard.
(function (core) {
  "use strict";
  const { decode, escaped } = core.part("percent");
  const FORM_SAFE = /^[A-Za-z0-9*\-._]$/;

  function encodeForm(text) {
    let out = "";
    for (const char of text) {
      if (FORM_SAFE.test(char)) out += char;
      else if (char === " ") out += "+";
      else out += escaped(char);
    }
    return out;
  }

  const textOf = (value) => String(value).toWellFormed();

  function needs(args, count, name) {
    if (args.length < count) {
      throw new TypeError("URLSearchParams." + name + " needs " + (count === 1 ? "a name" : "a name and a value"));
    }
  }

  class URLSearchParams {
    #pairs = [];
    #changed = () => undefined;
    constructor(init = "") {
      if ((typeof init === "object" && init !== null) || typeof init === "function") {
        const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
        for (const pair of pairs) {
          const both = [...pair];
          if (both.length !== 2) throw new TypeError("each pair of URLSearchParams needs a name and a value");
          this.#pairs.push(both.map(textOf));
        }
      } else this.#read(textOf(init).replace(/^\?/, ""));
    }
    static bind(params, query, changed) {
      params.#pairs = [];
      params.#read(query);
      params.#changed = changed;
    }
    #read(text) {
      for (const part of text.split("&")) {
        if (part === "") continue;
        const at = part.indexOf("=");
        const sides = at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
        this.#pairs.push(sides.map((side) => decode(side.replaceAll("+", " "))));
      }
    }
    get size() {
      return this.#pairs.length;
    }
    append(name, value) {
      needs(arguments, 2, "append");
      this.#pairs.push([textOf(name), textOf(value)]);
      this.#changed();
    }
    delete(name, value) {
      needs(arguments, 1, "delete");
      const gone = textOf(name);
      const only = value === undefined ? undefined : textOf(value);
      this.#pairs = this.#pairs.filter((pair) => pair[0] !== gone || (only !== undefined && pair[1] !== only));
      this.#changed();
    }
    get(name) {
      needs(arguments, 1, "get");
      const wanted = textOf(name);
      const found = this.#pairs.find((pair) => pair[0] === wanted);
      return found ? found[1] : null;
    }
    getAll(name) {
      needs(arguments, 1, "getAll");
      const wanted = textOf(name);
      return this.#pairs.filter((pair) => pair[0] === wanted).map((pair) => pair[1]);
    }
    has(name, value) {
      needs(arguments, 1, "has");
      const wanted = textOf(name);
      const only = value === undefined ? undefined : textOf(value);
      return this.#pairs.some((pair) => pair[0] === wanted && (only === undefined || pair[1] === only));
    }
    set(name, value) {
      needs(arguments, 2, "set");
      const wanted = textOf(name);
      const text = textOf(value);
      const at = this.#pairs.findIndex((pair) => pair[0] === wanted);
      if (at < 0) this.#pairs.push([wanted, text]);
      else {
        this.#pairs[at][1] = text;
        this.#pairs = this.#pairs.filter((pair, i) => i <= at || pair[0] !== wanted);
      }
      this.#changed();
    }
    sort() {
      this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#changed();
    }
    forEach(callback, self) {
      if (typeof callback !== "function") throw new TypeError("URLSearchParams.forEach needs a function");
      for (const [name, value] of this) callback.call(self, value, name, this);
    }
    // By number, so that what is changed meanwhile is seen.
    *entries() {
      for (let i = 0; i < this.#pairs.length; i++) yield [...this.#pairs[i]];
    }
    *keys() {
      for (const pair of this.entries()) yield pair[0];
    }
    *values() {
      for (const pair of this.entries()) yield pair[1];
    }
    toString() {
      return this.#pairs.map((pair) => pair.map(encodeForm).join("=")).join("&");
    }
    toJSON() {
      return this.toString();
    }
    get [Symbol.toStringTag]() {
      return "URLSearchParams";
    }
    [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
      const parts = this.#pairs.map(([name, value]) => inspect(name) + " => " + inspect(value));
      if (parts.length === 0) return "URLSearchParams {}";
      const line = "URLSearchParams { " + parts.join(", ") + " }";
      return line.length <= 80 ? line : "URLSearchParams {\n  " + parts.join(",\n  ") + " }";
    }
  }
  const { bind } = URLSearchParams;
  delete URLSearchParams.bind;
  Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
    value: URLSearchParams.prototype.entries, writable: true, configurable: true,
  });

  return { URLSearchParams, bind };
});
