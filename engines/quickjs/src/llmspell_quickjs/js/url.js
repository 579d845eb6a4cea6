// URL after the WHATWG standard.
(function (core) {
  "use strict";
  const { URLSearchParams, bind } = core.part("search");
  const { encode } = core.part("percent");
  const { USER, change, hostOf, isOpaque, originOf, parse, pathOf, takesNoPort, write } = core.part("urlparse");

  const PARTS = [
    "href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search",
    "searchParams", "hash",
  ];

  // The URL of a text and perhaps a base, or what is to be said against it.
  function read(input, base) {
    const text = String(input);
    const from = base === undefined ? null : parse(String(base));
    if (base !== undefined && from === null) return "Invalid base URL '" + base + "'";
    const url = parse(text, from);
    if (url !== null) return url;
    const isRelative = from === null && !/^[\u0000-\u0020]*[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text);
    return "Invalid URL '" + text + "'" + (isRelative ? ": it has no scheme; give a base as second argument" : "");
  }

  class URL {
    #url;
    #params = new URLSearchParams();
    constructor(input, base) {
      if (arguments.length === 0) throw new TypeError("URL needs a text");
      const url = read(input, base);
      if (typeof url === "string") throw new TypeError(url);
      this.#url = url;
      this.#bind();
    }
    #bind() {
      bind(this.#params, this.#url.query || "", () => {
        const text = this.#params.toString();
        this.#url.query = text === "" ? null : text;
      });
    }
    static canParse(input, base) {
      return typeof read(input, base) !== "string";
    }
    static parse(input, base) {
      return URL.canParse(input, base) ? new URL(input, base) : null;
    }
    get href() {
      return write(this.#url);
    }
    set href(text) {
      const url = read(text, undefined);
      if (typeof url === "string") throw new TypeError(url);
      this.#url = url;
      this.#bind();
    }
    get origin() {
      return originOf(this.#url);
    }
    get protocol() {
      return this.#url.scheme + ":";
    }
    set protocol(text) {
      change(this.#url, text + ":", "schemeStart");
    }
    get username() {
      return this.#url.username;
    }
    set username(text) {
      if (!takesNoPort(this.#url)) this.#url.username = encode(String(text), USER);
    }
    get password() {
      return this.#url.password;
    }
    set password(text) {
      if (!takesNoPort(this.#url)) this.#url.password = encode(String(text), USER);
    }
    get host() {
      return hostOf(this.#url);
    }
    set host(text) {
      if (!isOpaque(this.#url)) change(this.#url, text, "host");
    }
    get hostname() {
      return this.#url.host || "";
    }
    set hostname(text) {
      if (!isOpaque(this.#url)) change(this.#url, text, "hostname");
    }
    get port() {
      return this.#url.port;
    }
    set port(value) {
      if (takesNoPort(this.#url)) return;
      if (String(value) === "") this.#url.port = "";
      else change(this.#url, value, "port");
    }
    get pathname() {
      return pathOf(this.#url);
    }
    set pathname(text) {
      if (isOpaque(this.#url)) return;
      this.#url.path = [];
      change(this.#url, text, "pathStart");
    }
    get search() {
      return this.#url.query ? "?" + this.#url.query : "";
    }
    set search(text) {
      const query = String(text);
      this.#url.query = query === "" ? null : "";
      if (query !== "") change(this.#url, query.replace(/^\?/, ""), "query");
      this.#bind();
    }
    get searchParams() {
      return this.#params;
    }
    get hash() {
      return this.#url.fragment ? "#" + this.#url.fragment : "";
    }
    set hash(text) {
      const fragment = String(text);
      this.#url.fragment = fragment === "" ? null : "";
      if (fragment !== "") change(this.#url, fragment.replace(/^#/, ""), "fragment");
    }
    toString() {
      return this.href;
    }
    toJSON() {
      return this.href;
    }
    get [Symbol.toStringTag]() {
      return "URL";
    }
    [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
      const parts = {};
      for (const name of PARTS) parts[name] = this[name];
      return "URL " + inspect(parts);
    }
  }

  return { URL };
});
