// URLSearchParams after the WHATWG standard, and the percent encoding it shares with URL.
(function (core) {
  "use strict";
  const { TextDecoder } = core.part("text");

  function encode(text, set) {
    let out = "";
    for (const char of text.toWellFormed()) {
      const code = char.codePointAt(0);
      out += code > 0x7e || code < 0x20 || set.includes(char) ? escaped(char) : char;
    }
    return out;
  }

  function escaped(char) {
    const code = char.codePointAt(0);
    return code < 0x80 ? "%" + code.toString(16).toUpperCase().padStart(2, "0") : encodeURIComponent(char);
  }

  function bytesOf(text) {
    const bytes = [];
    for (let i = 0; i < text.length; i++) {
      const hex = text.slice(i + 1, i + 3);
      const code = text.codePointAt(i);
      if (text[i] === "%" && /^[0-9a-fA-F]{2}$/.test(hex)) {
        bytes.push(parseInt(hex, 16));
        i += 2;
      } else if (code < 0x80) bytes.push(code);
      else {
        const escapes = encodeURIComponent(String.fromCodePoint(code).toWellFormed()).slice(1).split("%");
        for (const escape of escapes) bytes.push(parseInt(escape, 16));
        if (code > 0xffff) i++;
      }
    }
    return bytes;
  }

  function decode(text) {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(bytesOf(text)));
  }

  const FORM_SAFE = /^[A-Za-z0-9*\-._]$/;

  function encodeForm(text) {
    let out = "";
    for (const char of text.toWellFormed()) {
      if (FORM_SAFE.test(char)) out += char;
      else if (char === " ") out += "+";
      else out += escaped(char);
    }
    return out;
  }

  class URLSearchParams {
    #pairs = [];
    #changed = () => undefined;
    constructor(init = "") {
      if (typeof init === "object" && init !== null) {
        const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
        for (const pair of pairs) {
          const both = [...pair];
          if (both.length !== 2) throw new TypeError("each pair of URLSearchParams needs a name and a value");
          this.#pairs.push(both.map(String));
        }
      } else this.#read(String(init).replace(/^\?/, ""));
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
      this.#pairs.push([String(name), String(value)]);
      this.#changed();
    }
    delete(name, value) {
      this.#pairs = this.#pairs.filter((pair) => pair[0] !== String(name) ||
        (value !== undefined && pair[1] !== String(value)));
      this.#changed();
    }
    get(name) {
      const found = this.#pairs.find((pair) => pair[0] === String(name));
      return found ? found[1] : null;
    }
    getAll(name) {
      return this.#pairs.filter((pair) => pair[0] === String(name)).map((pair) => pair[1]);
    }
    has(name, value) {
      return this.#pairs.some((pair) => pair[0] === String(name) && (value === undefined || pair[1] === String(value)));
    }
    set(name, value) {
      const at = this.#pairs.findIndex((pair) => pair[0] === String(name));
      if (at < 0) this.#pairs.push([String(name), String(value)]);
      else {
        this.#pairs[at][1] = String(value);
        this.#pairs = this.#pairs.filter((pair, i) => i <= at || pair[0] !== String(name));
      }
      this.#changed();
    }
    sort() {
      this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#changed();
    }
    forEach(callback, self) {
      for (const [name, value] of this.#pairs) callback.call(self, value, name, this);
    }
    *entries() {
      for (const pair of this.#pairs) yield [...pair];
    }
    *keys() {
      for (const pair of this.#pairs) yield pair[0];
    }
    *values() {
      for (const pair of this.#pairs) yield pair[1];
    }
    [Symbol.iterator]() {
      return this.entries();
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
  }
  const bind = URLSearchParams.bind;
  delete URLSearchParams.bind;

  return { URLSearchParams, bind, decode, encode };
});
