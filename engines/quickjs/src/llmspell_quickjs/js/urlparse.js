// The parser of URLs after the WHATWG standard (url.spec.whatwg.org), state by state, and what writes them.
(function (core) {
  "use strict";
  const { encode } = core.part("percent");
  const { parseHost } = core.part("hosts");
  const PORTS = { http: "80", https: "443", ws: "80", wss: "443", ftp: "21", file: "" };
  const FRAGMENT = ' "<>`';
  const QUERY = ' "#<>';
  const SPECIAL_QUERY = QUERY + "'";
  const PATH = QUERY + "?`{}^";
  const USER = PATH + "/:;=@[\\]|";
  const SEGMENT = /[^/\\?#]*/y;
  const DRIVE = /^[a-zA-Z][:|]$/;
  const STARTS_WITH_DRIVE = /^[a-zA-Z][:|](?:[/\\?#]|$)/;

  function blank() {
    return { scheme: "", username: "", password: "", host: null, port: "", path: [], query: null, fragment: null };
  }

  const isSpecial = (url) => Object.hasOwn(PORTS, url.scheme);
  const isOpaque = (url) => typeof url.path === "string";
  const hasCredentials = (url) => url.username !== "" || url.password !== "";
  const takesNoPort = (url) => !url.host || url.scheme === "file";

  function shorten(url) {
    const { path } = url;
    if (url.scheme !== "file" || path.length !== 1 || !/^[a-zA-Z]:$/.test(path[0])) path.pop();
  }

  function inherit(url, base, names) {
    for (const name of names) url[name] = name === "path" ? [...base.path] : base[name];
  }

  const AUTHORITY = ["username", "password", "host", "port"];

  // What each state does with a character ("" at the end). It returns nothing to go on with the next one, `again` to
  // have the same one read by the state it has gone to, `done` to end, or null for what is no URL.
  const again = true;
  const done = false;
  const STATES = {
    schemeStart(p, c) {
      if (/^[a-zA-Z]$/.test(c)) p.buffer += c.toLowerCase();
      else return p.only ? null : p.to("noScheme");
      return p.next("scheme");
    },
    scheme(p, c) {
      const { url, base } = p;
      if (/^[a-zA-Z0-9+.-]$/.test(c)) return void (p.buffer += c.toLowerCase());
      if (c !== ":") {
        if (p.only) return null;
        p.at = 0;
        return p.to("noScheme");
      }
      if (p.only) {
        if (isSpecial(url) !== Object.hasOwn(PORTS, p.buffer)) return done;
        if (p.buffer === "file" && (hasCredentials(url) || url.port !== "")) return done;
        if (url.scheme === "file" && url.host === "") return done;
      }
      url.scheme = p.buffer;
      if (p.only && url.port === PORTS[url.scheme]) url.port = "";
      if (p.only) return done;
      if (url.scheme === "file") return p.next("file");
      if (isSpecial(url)) return p.next(base && base.scheme === url.scheme ? "relativeOrAuthority" : "slashes");
      if (p.rest(1).startsWith("/")) return p.next("pathOrAuthority", 1);
      url.path = "";
      return p.next("opaquePath");
    },
    noScheme(p, c) {
      const { url, base } = p;
      if (!base || (isOpaque(base) && c !== "#")) return null;
      if (base.scheme === "file" && !isOpaque(base)) return p.to("file");
      if (!isOpaque(base)) return p.to("relative");
      url.scheme = base.scheme;
      url.path = base.path;
      url.query = base.query;
      return p.fragment();
    },
    relativeOrAuthority(p) {
      return p.rest().startsWith("//") ? p.next("slashes", 1) : p.to("relative");
    },
    pathOrAuthority(p, c) {
      return c === "/" ? p.next("authority") : p.to("path");
    },
    relative(p, c) {
      const { url, base } = p;
      url.scheme = base.scheme;
      if (p.isSlash(c)) return p.next("relativeSlash");
      inherit(url, base, [...AUTHORITY, "path", "query"]);
      return relativeEnd(p, c, () => shorten(url));
    },
    relativeSlash(p, c) {
      if (isSpecial(p.url) && p.isSlash(c)) return p.next("slashes");
      if (c === "/") return p.next("authority");
      inherit(p.url, p.base, AUTHORITY);
      return p.to("path");
    },
    slashes(p, c) {
      return c === "/" || c === "\\" ? undefined : p.to("authority");
    },
    authority(p, c) {
      if (!p.isEnd(c)) return void (p.buffer += c);
      const at = p.buffer.lastIndexOf("@");
      if (at >= 0) {
        const [, user, password] = /^([^:]*):?(.*)$/s.exec(p.buffer.slice(0, at));
        p.url.username = encode(user, USER);
        p.url.password = encode(password, USER);
        if (at === p.buffer.length - 1) return null;
      }
      p.at -= p.buffer.length - at - 1;
      return p.to("host");
    },
    host(p, c) {
      const { url } = p;
      if (p.only && url.scheme === "file") return p.to("fileHost");
      const isPort = c === ":" && !p.inBrackets;
      if (!isPort && !p.isEnd(c)) {
        if (c === "[") p.inBrackets = true;
        if (c === "]") p.inBrackets = false;
        return void (p.buffer += c);
      }
      if (p.buffer === "" && (isPort || isSpecial(url))) return null;
      if (isPort && p.only === "hostname") return null;
      if (!isPort && p.only && p.buffer === "" && (hasCredentials(url) || url.port !== "")) return null;
      const host = parseHost(p.buffer, isSpecial(url));
      if (host === null) return null;
      url.host = host;
      if (isPort) return p.next("port");
      return p.only ? done : p.to("pathStart");
    },
    hostname(p) {
      return p.to("host", p.buffer);
    },
    port(p, c) {
      const { url } = p;
      if (/^[0-9]$/.test(c)) return void (p.buffer += c);
      if (!p.isEnd(c) && !p.only) return null;
      if (p.buffer !== "") {
        const number = Number(p.buffer);
        if (number > 65535) return null;
        url.port = String(number) === PORTS[url.scheme] ? "" : String(number);
      }
      return p.only ? done : p.to("pathStart");
    },
    file(p, c) {
      const { url, base } = p;
      url.scheme = "file";
      url.host = "";
      if (c === "/" || c === "\\") return p.next("fileSlash");
      if (!base || base.scheme !== "file") return p.to("path");
      inherit(url, base, ["host", "path", "query"]);
      return relativeEnd(p, c, () => {
        if (STARTS_WITH_DRIVE.test(p.rest())) url.path = [];
        else shorten(url);
      });
    },
    fileSlash(p, c) {
      const { url, base } = p;
      if (c === "/" || c === "\\") return p.next("fileHost");
      if (base && base.scheme === "file") {
        url.host = base.host;
        const drive = base.path[0];
        if (!STARTS_WITH_DRIVE.test(p.rest()) && /^[a-zA-Z]:$/.test(drive)) url.path.push(drive);
      }
      return p.to("path");
    },
    fileHost(p, c) {
      const { url } = p;
      if (!/^[/\\?#]?$/.test(c)) return void (p.buffer += c);
      if (!p.only && DRIVE.test(p.buffer)) return p.to("path", p.buffer);
      const host = p.buffer === "" ? "" : parseHost(p.buffer, true);
      if (host === null) return null;
      url.host = host === "localhost" ? "" : host;
      return p.only ? done : p.to("pathStart");
    },
    pathStart(p, c) {
      if (isSpecial(p.url)) return p.isSlash(c) ? p.next("path") : p.to("path");
      if (!p.only && c === "?") return p.query();
      if (!p.only && c === "#") return p.fragment();
      if (c !== "") return c === "/" ? p.next("path") : p.to("path");
      if (p.only && p.url.host === null) p.url.path.push("");
      return undefined;
    },
    path(p, c) {
      const { url } = p;
      const isSlash = p.isSlash(c);
      const isEnd = c === "" || isSlash || (!p.only && (c === "?" || c === "#"));
      if (!isEnd) return void (p.buffer += p.segment());
      const dots = p.buffer.replace(/%2e/gi, ".");
      if (dots === "..") shorten(url);
      if (dots !== ".." && dots !== ".") {
        const isDrive = url.scheme === "file" && url.path.length === 0 && DRIVE.test(p.buffer);
        url.path.push(isDrive ? p.buffer[0] + ":" : encode(p.buffer, PATH));
      } else if (!isSlash) url.path.push("");
      p.buffer = "";
      if (c === "?") return p.query();
      return c === "#" ? p.fragment() : undefined;
    },
    opaquePath(p, c) {
      if (c === "?") return p.query();
      if (c === "#") return p.fragment();
      if (c === "") return undefined;
      const run = encode(p.run("?#"), "");
      p.url.path += run.endsWith(" ") && p.at + 1 < p.text.length ? run.slice(0, -1) + "%20" : run;
      return undefined;
    },
    query(p, c) {
      if (c !== "" && (p.only || c !== "#")) return void (p.buffer += p.run(p.only ? "" : "#"));
      p.url.query += encode(p.buffer, isSpecial(p.url) ? SPECIAL_QUERY : QUERY);
      return c === "#" ? p.fragment() : undefined;
    },
    fragment(p, c) {
      if (c !== "") p.url.fragment += encode(p.run(""), FRAGMENT);
    },
  };

  // What follows the base's own path, of which `cut` takes the end away if there is a path to put in its place.
  function relativeEnd(p, c, cut) {
    if (c === "?") return p.query();
    if (c === "#") return p.fragment();
    if (c === "") return undefined;
    p.url.query = null;
    cut();
    return p.to("path");
  }

  class Parser {
    constructor(text, base, url, only) {
      this.text = text.replace(/[\t\n\r]/g, "");
      this.base = base;
      this.url = url;
      this.only = only; // the state of a setter, which changes its part of a URL alone
      this.state = only || "schemeStart";
      this.at = 0;
      this.buffer = "";
      this.inBrackets = false;
    }
    to(state, buffer = "") {
      this.state = state;
      this.buffer = buffer;
      return again;
    }
    next(state, more = 0) {
      if (state !== "scheme") this.buffer = "";
      this.state = state;
      this.at += more;
      return undefined;
    }
    query() {
      this.url.query = "";
      return this.next("query");
    }
    fragment() {
      this.url.fragment = "";
      return this.next("fragment");
    }
    rest(from = 0) {
      return this.text.slice(this.at + from, this.at + from + 3);
    }
    // What stands here, a character at least, and on to one of some others. The last character read is its last.
    run(stops) {
      let end = this.text.length;
      for (const stop of stops) {
        const at = this.text.indexOf(stop, this.at + 1);
        if (at >= 0 && at < end) end = at;
      }
      return this.runTo(end);
    }
    // The same up to what ends a segment of a path; of those there are many, so none may look through the whole text.
    segment() {
      SEGMENT.lastIndex = this.at + 1;
      return this.runTo(this.at + 1 + SEGMENT.exec(this.text)[0].length);
    }
    runTo(end) {
      const found = this.text.slice(this.at, end);
      this.at = end - 1;
      return found;
    }
    isSlash(c) {
      return c === "/" || (c === "\\" && isSpecial(this.url));
    }
    isEnd(c) {
      return c === "" || c === "?" || c === "#" || this.isSlash(c);
    }
    // Whether it is a URL.
    read() {
      while (this.at <= this.text.length) {
        const said = STATES[this.state](this, this.text[this.at] ?? "");
        if (said === null) return false;
        if (said === done) return true;
        if (said !== again) this.at++;
      }
      return true;
    }
  }

  function parse(text, base) {
    const url = blank();
    const trimmed = text.toWellFormed().replace(/^[\u0000-\u0020]+|[\u0000-\u0020]+$/g, "");
    return new Parser(trimmed, base, url, "").read() ? url : null;
  }

  // Change one part of a URL; what makes no sense there changes nothing.
  function change(url, text, state) {
    const copy = { ...url, path: isOpaque(url) ? url.path : [...url.path] };
    if (new Parser(String(text).toWellFormed(), null, copy, state).read()) Object.assign(url, copy);
  }

  const hostOf = (url) => (url.host === null ? "" : url.host + (url.port === "" ? "" : ":" + url.port));
  const pathOf = (url) => (isOpaque(url) ? url.path : url.path.map((segment) => "/" + segment).join(""));

  function write(url) {
    let out = url.scheme + ":";
    if (url.host !== null) {
      const secret = url.password === "" ? "" : ":" + url.password;
      out += "//" + (hasCredentials(url) ? url.username + secret + "@" : "") + hostOf(url);
    } else if (!isOpaque(url) && url.path.length > 1 && url.path[0] === "") out += "/.";
    out += pathOf(url);
    if (url.query !== null) out += "?" + url.query;
    return url.fragment === null ? out : out + "#" + url.fragment;
  }

  function originOf(url) {
    if (url.scheme === "blob") {
      const inner = isOpaque(url) ? parse(url.path) : null;
      return inner !== null && /^https?$/.test(inner.scheme) ? originOf(inner) : "null";
    }
    return isSpecial(url) && url.scheme !== "file" ? url.scheme + "://" + hostOf(url) : "null";
  }

  return { USER, change, hostOf, isOpaque, originOf, parse, pathOf, takesNoPort, write };
});
