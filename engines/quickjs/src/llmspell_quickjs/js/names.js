// Names of hosts that are not ASCII, made ASCII: what UTS 46 maps, by what the engine knows of Unicode, and Punycode
// (RFC 3492). Of its checks those are made that need no table: nothing unassigned, no mark at the beginning, a joiner
// only where one belongs. Whether writing from the left and from the right go together (RFC 5893) is not looked at.
(function () {
  "use strict";
  const DOTS = /[\u3002\uff0e\uff61]/gu;
  const IGNORED =
    /[\u00ad\u034f\u180b-\u180d\u180f\u115f\u1160\u200b\u2060-\u2064\u3164\ufe00-\ufe0f\ufeff\uffa0\u{e0100}-\u{e01ef}]/gu;
  const INVALID =
    /[\p{Cc}\p{Cn}\p{Co}\p{Cs}\p{Z}\u061c\u180e\u200e\u200f\u2028-\u202e\u2066-\u206f\u2ff0-\u2fff\ufff9-\ufffd]/u;
  const IOTA = /[\u1f80-\u1ffc]/; // letters that are two once they are lower case
  const VIRAMA = /[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u0e3a\u0f84\u1039]$/u;

  // null if it cannot be a name.
  function toAscii(text) {
    const labels = mapped(text).split(".");
    const out = [];
    for (const label of labels) {
      const ascii = labelToAscii(label);
      if (ascii === null) return null;
      out.push(ascii);
    }
    return out.join(".");
  }

  function mapped(text) {
    const plain = text.replace(DOTS, ".").replace(IGNORED, "");
    return lower(lower(plain).normalize("NFKC")).normalize("NFC");
  }

  // Letter by letter: of a whole word, the sigma at its end would become another one.
  function lower(text) {
    const one = (char) => {
      if (char === "\u1e9e") return "\u00df";
      return IOTA.test(char) ? char.toUpperCase().toLowerCase() : char.toLowerCase();
    };
    return Array.from(text, one).join("");
  }

  function labelToAscii(label) {
    if (!label.startsWith("xn--")) {
      if (/^[\u0000-\u007f]*$/.test(label)) return label;
      return isValid(label) ? "xn--" + encode(label) : null;
    }
    const name = /^[\u0000-\u007f]+$/.test(label) ? decode(label.slice(4)) : null;
    if (name === null || /^[\u0000-\u007f]*$/.test(name) || mapped(name) !== name || !isValid(name)) return null;
    return "xn--" + encode(name) === label ? label : null;
  }

  function isValid(label) {
    return !INVALID.test(label) && !/^\p{M}/u.test(label) && !label.includes(".") &&
      label.split(/[\u200c\u200d]/u).slice(0, -1).every((before) => VIRAMA.test(before));
  }

  function adapt(delta, count, isFirst) {
    delta = isFirst ? Math.floor(delta / 700) : delta >> 1;
    delta += Math.floor(delta / count);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    return k + Math.floor((36 * delta) / (delta + 38));
  }

  const digit = (value) => String.fromCharCode(value < 26 ? 97 + value : 22 + value);
  const threshold = (k, bias) => Math.min(Math.max(k - bias, 1), 26);

  function encode(text) {
    const codes = Array.from(text, (char) => char.codePointAt(0));
    let out = String.fromCharCode(...codes.filter((code) => code < 128));
    const basic = out.length;
    if (basic > 0) out += "-";
    let [n, delta, bias, done] = [128, 0, 72, basic];
    while (done < codes.length) {
      const next = Math.min(...codes.filter((code) => code >= n));
      delta += (next - n) * (done + 1);
      n = next;
      for (const code of codes) {
        if (code < n) delta++;
        if (code !== n) continue;
        let q = delta;
        for (let k = 36; ; k += 36) {
          const t = threshold(k, bias);
          if (q < t) break;
          out += digit(t + ((q - t) % (36 - t)));
          q = Math.floor((q - t) / (36 - t));
        }
        out += digit(q);
        bias = adapt(delta, ++done, done - 1 === basic);
        delta = 0;
      }
      delta++;
      n++;
    }
    return out;
  }

  function decode(text) {
    const cut = text.lastIndexOf("-");
    const codes = cut > 0 ? Array.from(text.slice(0, cut), (char) => char.charCodeAt(0)) : [];
    let [n, i, bias, at] = [128, 0, 72, cut > 0 ? cut + 1 : 0];
    while (at < text.length) {
      const before = i;
      for (let weight = 1, k = 36; ; k += 36) {
        const value = at < text.length && /[a-z0-9]/.test(text[at]) ? parseInt(text[at++], 36) : -1;
        if (value < 0) return null;
        const number = value < 10 ? value + 26 : value - 10;
        i += number * weight;
        const t = threshold(k, bias);
        if (number < t) break;
        weight *= 36 - t;
        if (weight > 2 ** 31 || i > 2 ** 31) return null;
      }
      bias = adapt(i - before, codes.length + 1, before === 0);
      n += Math.floor(i / (codes.length + 1));
      i %= codes.length + 1;
      if (n > 0x10ffff || (n >= 0xd800 && n < 0xe000)) return null;
      codes.splice(i++, 0, n);
    }
    return String.fromCodePoint(...codes);
  }

  return { toAscii };
});
