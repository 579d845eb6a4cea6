// URL after the WHATWG standard. Not done: host names that are not ASCII, which are refused by name.
(function (core) {
  "use strict";
  const { URLSearchParams, bind, decode, encode } = core.part("search");
  const PORTS = { "http:": "80", "https:": "443", "ws:": "80", "wss:": "443", "ftp:": "21", "file:": "" };
  const FRAGMENT = ' "<>`';
  const QUERY = ' "#<>';
  const SPECIAL_QUERY = QUERY + "'";
  const PATH = QUERY + "?`{}^";
  const USER = PATH + "/:;=@[\\]|";
  const FORBIDDEN_HOST = /[\u0000-\u0020#/:<>?@[\\\]^|%\u007f]/;

  function invalid(text, why) {
    return new TypeError("Invalid URL '" + text + "'" + (why ? ": " + why : ""));
  }

  function parseHost(text, special, whole) {
    if (text.startsWith("[")) {
      if (!text.endsWith("]")) throw invalid(whole, "the address has no closing ]");
      return "[" + writeV6(parseV6(text.slice(1, -1), whole)) + "]";
    }
    if (!special) {
      if (/[\u0000\t\n\r #/<>?@[\\\]^|]/.test(text)) throw invalid(whole, "a forbidden character in the host");
      return encode(text, "");
    }
    const name = decode(text).toLowerCase();
    if (/[^\u0000-\u007f]/.test(name)) {
      throw invalid(whole, "a host name that is not ASCII is not supported; write it in punycode");
    }
    if (name === "" || FORBIDDEN_HOST.test(name)) throw invalid(whole, "a forbidden character in the host");
    const parts = name.replace(/\.$/, "").split(".");
    return /^(?:\d+|0x[0-9a-f]*)$/.test(parts[parts.length - 1]) ? parseV4(parts, whole) : name;
  }

  function parseV4(parts, whole) {
    if (parts.length > 4) throw invalid(whole, "not an IPv4 address");
    const numbers = parts.map((part) => {
      const base = /^0x/.test(part) ? 16 : part.length > 1 && part[0] === "0" ? 8 : 10;
      const digits = base === 16 ? part.slice(2) : base === 8 ? part.slice(1) : part;
      const allowed = { 8: /^[0-7]*$/, 10: /^\d+$/, 16: /^[0-9a-f]*$/ }[base];
      if (part === "" || !allowed.test(digits)) throw invalid(whole, "not an IPv4 address");
      return digits === "" ? 0 : parseInt(digits, base);
    });
    const last = numbers.pop();
    if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) {
      throw invalid(whole, "not an IPv4 address");
    }
    let value = last;
    numbers.forEach((number, i) => (value += number * 256 ** (3 - i)));
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
  }

  function parseV6(text, whole) {
    const bad = () => invalid(whole, "not an IPv6 address");
    const v4 = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
    if (v4) {
      const octets = v4.slice(2).map(Number);
      if (octets.some((octet, i) => octet > 255 || String(octet) !== v4[i + 2])) throw bad();
      text = v4[1] + (octets[0] * 256 + octets[1]).toString(16) + ":" + (octets[2] * 256 + octets[3]).toString(16);
    }
    const halves = text.split("::");
    if (halves.length > 2) throw bad();
    const read = (half) => (half === "" ? [] : half.split(":").map((piece) => {
      if (!/^[0-9a-fA-F]{1,4}$/.test(piece)) throw bad();
      return parseInt(piece, 16);
    }));
    const head = read(halves[0]);
    if (halves.length === 1) {
      if (head.length !== 8) throw bad();
      return head;
    }
    const tail = read(halves[1]);
    if (head.length + tail.length > 7) throw bad();
    return [...head, ...new Array(8 - head.length - tail.length).fill(0), ...tail];
  }

  function writeV6(pieces) {
    let best = -1;
    let longest = 1;
    for (let i = 0; i < 8; i++) {
      let run = 0;
      while (i + run < 8 && pieces[i + run] === 0) run++;
      if (run > longest) [best, longest] = [i, run];
    }
    const hex = (list) => list.map((piece) => piece.toString(16)).join(":");
    return best < 0 ? hex(pieces) : hex(pieces.slice(0, best)) + "::" + hex(pieces.slice(best + longest));
  }

  function isSpecial(url) {
    return Object.hasOwn(PORTS, url.protocol);
  }

  function parse(input, base) {
    const text = String(input).replace(/^[\u0000-\u0020]+|[\u0000-\u0020]+$/g, "").replace(/[\t\n\r]/g, "");
    const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text);
    if (scheme) {
      const protocol = scheme[1].toLowerCase() + ":";
      const rest = text.slice(scheme[0].length);
      if (Object.hasOwn(PORTS, protocol)) {
        if (base && base.protocol === protocol && !/^[/\\]/.test(rest)) return relative(rest, base, text);
        return absolute(protocol, rest, text);
      }
      return generic(protocol, rest, text);
    }
    if (!base) throw invalid(input, "");
    if (base.opaque && !text.startsWith("#")) throw invalid(input, "");
    return relative(text, base, text);
  }

  function blank(protocol) {
    const empty = { username: "", password: "", host: null, port: "", path: [], query: null, fragment: null };
    return { protocol, opaque: false, ...empty };
  }

  function split(text) {
    const hash = text.indexOf("#");
    const fragment = hash < 0 ? null : text.slice(hash + 1);
    if (hash >= 0) text = text.slice(0, hash);
    const mark = text.indexOf("?");
    return { body: mark < 0 ? text : text.slice(0, mark), query: mark < 0 ? null : text.slice(mark + 1), fragment };
  }

  function tail(url, parts) {
    url.query = parts.query === null ? null : encode(parts.query, isSpecial(url) ? SPECIAL_QUERY : QUERY);
    url.fragment = parts.fragment === null ? null : encode(parts.fragment, FRAGMENT);
    return url;
  }

  function absolute(protocol, rest, whole) {
    const url = blank(protocol);
    const parts = split(rest);
    const body = parts.body.replaceAll("\\", "/");
    if (protocol === "file:") {
      const match = /^\/\/([^/]*)(.*)$/.exec(body);
      const host = match ? match[1] : "";
      url.host = host === "" || host.toLowerCase() === "localhost" ? "" : parseHost(host, true, whole);
      setPath(url, match ? match[2] : body, []);
      return tail(url, parts);
    }
    const slashes = /^\/*/.exec(body)[0].length;
    const end = body.indexOf("/", slashes);
    authority(url, end < 0 ? body.slice(slashes) : body.slice(slashes, end), whole);
    setPath(url, end < 0 ? "/" : body.slice(end), []);
    return tail(url, parts);
  }

  function generic(protocol, rest, whole) {
    const url = blank(protocol);
    const parts = split(rest);
    if (parts.body.startsWith("//")) {
      const end = parts.body.indexOf("/", 2);
      authority(url, end < 0 ? parts.body.slice(2) : parts.body.slice(2, end), whole);
      if (end >= 0) setPath(url, parts.body.slice(end), []);
    } else if (parts.body.startsWith("/")) setPath(url, parts.body, []);
    else {
      url.opaque = true;
      url.path = encode(parts.body, "");
    }
    return tail(url, parts);
  }

  function authority(url, text, whole) {
    const at = text.lastIndexOf("@");
    if (at >= 0) {
      const [user, ...password] = text.slice(0, at).split(":");
      url.username = encode(user, USER);
      url.password = encode(password.join(":"), USER);
      text = text.slice(at + 1);
    }
    const port = /:(\d*)$/.exec(text);
    const host = port ? text.slice(0, port.index) : text;
    if (/:[^\]]*$/.test(host) && !host.endsWith("]")) throw invalid(whole, "the port is not a number");
    if (host === "" && (isSpecial(url) || at >= 0 || port)) throw invalid(whole, "the host is missing");
    url.host = host === "" ? "" : parseHost(host, isSpecial(url), whole);
    setPort(url, port ? port[1] : "", whole);
  }

  function setPort(url, digits, whole) {
    if (digits === "") return void (url.port = "");
    const number = Number(digits);
    if (number > 65535) throw invalid(whole, "the port is too large");
    url.port = String(number) === PORTS[url.protocol] ? "" : String(number);
  }

  function setPath(url, text, start) {
    const path = [...start];
    const segments = text.split("/");
    if (segments[0] === "") segments.shift();
    segments.forEach((segment, i) => {
      const plain = segment.replace(/%2e/gi, ".");
      const last = i === segments.length - 1;
      if (plain === "..") {
        path.pop();
        if (last) path.push("");
      } else if (plain === ".") {
        if (last) path.push("");
      } else path.push(encode(segment, PATH));
    });
    url.path = path;
  }

  function relative(text, base, whole) {
    const url = { ...base, path: base.opaque ? base.path : [...base.path] };
    const parts = split(isSpecial(base) ? text.replace(/^[^?#]*/, (body) => body.replaceAll("\\", "/")) : text);
    if (parts.body.startsWith("//")) return (isSpecial(base) ? absolute : generic)(base.protocol, text, whole);
    if (parts.body !== "") {
      if (parts.body.startsWith("/")) setPath(url, parts.body, []);
      else setPath(url, "/" + parts.body, base.path.slice(0, -1));
      url.query = null;
    }
    if (parts.body === "" && parts.query === null) parts.query = undefined;
    const query = url.query;
    tail(url, { query: parts.query === undefined ? null : parts.query, fragment: parts.fragment });
    if (parts.query === undefined) url.query = query;
    return url;
  }

  function hostOf(url) {
    return url.host === null ? "" : url.host + (url.port === "" ? "" : ":" + url.port);
  }

  function write(url, withFragment = true) {
    let out = url.protocol;
    if (url.host !== null) {
      out += "//";
      const secret = url.password === "" ? "" : ":" + url.password;
      if (url.username !== "" || secret !== "") out += url.username + secret + "@";
      out += hostOf(url);
    }
    out += pathOf(url);
    if (url.query !== null) out += "?" + url.query;
    if (withFragment && url.fragment !== null) out += "#" + url.fragment;
    return out;
  }

  function pathOf(url) {
    if (url.opaque) return url.path;
    return (url.path.length > 0 || isSpecial(url) ? "/" : "") + url.path.join("/");
  }

  class URL {
    #url;
    #params = new URLSearchParams();
    constructor(input, base) {
      this.#url = parse(input, base === undefined ? undefined : parse(base));
      this.#bind();
    }
    #bind() {
      bind(this.#params, this.#url.query || "", () => {
        const text = this.#params.toString();
        this.#url.query = text === "" ? null : text;
      });
    }
    static canParse(input, base) {
      return URL.parse(input, base) !== null;
    }
    static parse(input, base) {
      try {
        return new URL(input, base);
      } catch {
        return null;
      }
    }
    get href() {
      return write(this.#url);
    }
    set href(text) {
      this.#url = parse(text);
      this.#bind();
    }
    get origin() {
      const { protocol } = this.#url;
      return isSpecial(this.#url) && protocol !== "file:" ? protocol + "//" + hostOf(this.#url) : "null";
    }
    get protocol() {
      return this.#url.protocol;
    }
    set protocol(text) {
      const wanted = String(text).replace(/:.*$/s, "").toLowerCase() + ":";
      if (/^[a-z][a-z0-9+.-]*:$/.test(wanted) && Object.hasOwn(PORTS, wanted) === isSpecial(this.#url)) {
        this.#url.protocol = wanted;
        if (this.#url.port === PORTS[wanted]) this.#url.port = "";
      }
    }
    get username() {
      return this.#url.username;
    }
    set username(text) {
      if (this.#url.host) this.#url.username = encode(String(text), USER);
    }
    get password() {
      return this.#url.password;
    }
    set password(text) {
      if (this.#url.host) this.#url.password = encode(String(text), USER);
    }
    get host() {
      return hostOf(this.#url);
    }
    set host(text) {
      this.#setHost(String(text));
    }
    get hostname() {
      return this.#url.host || "";
    }
    set hostname(text) {
      this.#setHost(String(text).replace(/:\d*$/, "") + (this.#url.port === "" ? "" : ":" + this.#url.port));
    }
    #setHost(text) {
      if (this.#url.opaque) return;
      const copy = { ...this.#url };
      try {
        authority(copy, text.replace(/[/?#].*$/s, "").replace(/^.*@/s, ""), text);
      } catch {
        return;
      }
      this.#url.host = copy.host;
      if (/:\d+$/.test(text)) this.#url.port = copy.port;
    }
    get port() {
      return this.#url.port;
    }
    set port(value) {
      const digits = /^\d*/.exec(String(value))[0];
      const isPort = (digits !== "" || String(value) === "") && Number(digits) < 65536;
      if (this.#url.host && isPort) setPort(this.#url, digits, "");
    }
    get pathname() {
      return pathOf(this.#url);
    }
    set pathname(text) {
      const path = isSpecial(this.#url) ? String(text).replaceAll("\\", "/") : String(text);
      if (!this.#url.opaque) setPath(this.#url, path, []);
    }
    get search() {
      return this.#url.query ? "?" + this.#url.query : "";
    }
    set search(text) {
      const query = String(text).replace(/^\?/, "");
      this.#url.query = query === "" ? null : encode(query, isSpecial(this.#url) ? SPECIAL_QUERY : QUERY);
      this.#bind();
    }
    get searchParams() {
      return this.#params;
    }
    get hash() {
      return this.#url.fragment ? "#" + this.#url.fragment : "";
    }
    set hash(text) {
      const fragment = String(text).replace(/^#/, "");
      this.#url.fragment = fragment === "" ? null : encode(fragment, FRAGMENT);
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
  }

  return { URL };
});
