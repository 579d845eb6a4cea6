// Hosts of URLs after the WHATWG standard: names, IPv4 and IPv6 addresses. null is what cannot be a host.
(function (core) {
  "use strict";
  const { decode, encode } = core.part("percent");
  const FORBIDDEN = /[\u0000\t\n\r #/:<>?@[\\\]^|]/;
  const FORBIDDEN_IN_NAME = /[\u0000-\u0020#%/:<>?@[\\\]^|\u007f]/;

  // Read a host, as the URL shows it. That of a URL of no special scheme is hardly looked at.
  function parseHost(text, special) {
    if (text.startsWith("[")) {
      const pieces = text.endsWith("]") ? parseV6(text.slice(1, -1)) : null;
      return pieces === null ? null : "[" + writeV6(pieces) + "]";
    }
    if (!special) return FORBIDDEN.test(text) ? null : encode(text, "");
    const plain = decode(text);
    const isPlain = /^[\u0000-\u007f]*$/.test(plain) && !/(?:^|\.)xn--/i.test(plain);
    const name = isPlain ? plain.toLowerCase() : core.part("names").toAscii(plain);
    if (name === null || name === "" || FORBIDDEN_IN_NAME.test(name)) return null;
    return endsInNumber(name) ? parseV4(name) : name;
  }

  function endsInNumber(name) {
    const parts = name.split(".");
    if (parts.at(-1) === "" && parts.length > 1) parts.pop();
    return /^(?:\d+|0x[0-9a-f]*)$/.test(parts.at(-1));
  }

  function parseV4(name) {
    const parts = name.split(".");
    if (parts.at(-1) === "" && parts.length > 1) parts.pop();
    const numbers = parts.map(parseNumber);
    if (numbers.length > 4 || numbers.includes(null)) return null;
    const last = numbers.pop();
    if (numbers.some((number) => number > 255) || last >= 256 ** (4 - numbers.length)) return null;
    const value = numbers.reduce((sum, number, i) => sum + number * 256 ** (3 - i), last);
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
  }

  // Decimal, or octal and hexadecimal as in C.
  function parseNumber(text) {
    if (/^0x[0-9a-f]*$/.test(text)) return parseInt(text.slice(2) || "0", 16);
    if (/^0[0-7]*$/.test(text)) return parseInt(text, 8);
    return /^[1-9]\d*$/.test(text) ? parseInt(text, 10) : null;
  }

  function parseV6(text) {
    const v4 = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
    if (v4) {
      const octets = v4.slice(2).map(Number);
      if (octets.some((octet, i) => octet > 255 || String(octet) !== v4[i + 2])) return null;
      text = v4[1] + (octets[0] * 256 + octets[1]).toString(16) + ":" + (octets[2] * 256 + octets[3]).toString(16);
    }
    const halves = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
    const given = halves.flat();
    if (!given.every((piece) => /^[0-9a-fA-F]{1,4}$/.test(piece))) return null;
    const left = 8 - given.length;
    if (halves.length > 2 || (halves.length === 2 ? left < 1 : left !== 0)) return null;
    const read = (half) => half.map((piece) => parseInt(piece, 16));
    return halves.length === 1 ? read(given) : [...read(halves[0]), ...new Array(left).fill(0), ...read(halves[1])];
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

  return { parseHost };
});
