// TextEncoder and TextDecoder, for UTF-8, UTF-16 and Latin-1.
(function () {
  "use strict";
  const LABELS = new Map();
  for (const [encoding, labels] of [
    ["utf-8", "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8"],
    ["utf-16le", "utf-16le utf-16 unicode ucs-2 iso-10646-ucs-2 csunicode unicodefeff"],
    ["utf-16be", "utf-16be unicodefffe"],
    ["windows-1252", "windows-1252 latin1 iso-8859-1 ascii us-ascii l1 cp1252 x-cp1252 iso8859-1 iso88591 iso_8859-1 " +
      "iso_8859-1:1987 iso-ir-100 ansi_x3.4-1968 cp819 ibm819 csisolatin1"],
  ]) for (const label of labels.split(" ")) LABELS.set(label, encoding);
  const HIGH =
    "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
    "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";
  const CHUNK = 8192;
  const STEP = 65536; // what the engine's own functions, which need several times the room, are given at once
  const { atob, btoa, decodeURIComponent, encodeURIComponent, escape, unescape } = globalThis;

  const isAscii = (text) => /^[\u0000-\u007f]*$/.test(text);

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(text = "") {
      text = String(text).toWellFormed();
      const pieces = [];
      for (let at = 0; at < text.length;) {
        const end = at + STEP + (isHigh(text.charCodeAt(at + STEP - 1)) ? 1 : 0);
        const piece = text.slice(at, end);
        pieces.push(Uint8Array.fromBase64(btoa(isAscii(piece) ? piece : unescape(encodeURIComponent(piece)))));
        at = end;
      }
      if (pieces.length === 1) return pieces[0];
      const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
      let at = 0;
      for (const piece of pieces) {
        out.set(piece, at);
        at += piece.length;
      }
      return out;
    }
    encodeInto(text, target) {
      if (!(target instanceof Uint8Array)) throw new TypeError("encodeInto needs a Uint8Array to write to");
      return put(String(text).toWellFormed(), target);
    }
    get [Symbol.toStringTag]() {
      return "TextEncoder";
    }
  }

  const isHigh = (unit) => unit >= 0xd800 && unit < 0xdc00;

  function put(text, out) {
    let written = 0;
    let read = 0;
    while (read < text.length) {
      const code = text.codePointAt(read);
      const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      if (written + size > out.length) break;
      if (size === 1) out[written] = code;
      else {
        out[written] = (size === 2 ? 0xc0 : size === 3 ? 0xe0 : 0xf0) | (code >> (6 * (size - 1)));
        for (let i = 1; i < size; i++) out[written + i] = 0x80 | ((code >> (6 * (size - 1 - i))) & 0x3f);
      }
      written += size;
      read += size === 4 ? 2 : 1;
    }
    return { read, written };
  }

  class TextDecoder {
    #encoding;
    #fatal;
    #keepMark;
    #rest = [];
    #started = false;
    constructor(label = "utf-8", options = undefined) {
      this.#encoding = LABELS.get(String(label).replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "").toLowerCase());
      if (this.#encoding === undefined) {
        throw new RangeError(`there is no encoding '${label}' here; use utf-8, utf-16le, utf-16be or latin1`);
      }
      this.#fatal = Boolean(options?.fatal);
      this.#keepMark = Boolean(options?.ignoreBOM);
    }
    get encoding() {
      return this.#encoding;
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#keepMark;
    }
    decode(input = undefined, options = undefined) {
      const given = bytesOf(input);
      const stream = Boolean(options?.stream);
      let bytes = given;
      if (this.#rest.length > 0) {
        bytes = new Uint8Array(this.#rest.length + given.length);
        bytes.set(this.#rest);
        bytes.set(given, this.#rest.length);
      }
      const started = this.#started;
      this.#rest = [];
      this.#started = false;
      const keep = stream ? (rest) => void (this.#rest = rest) : () => this.#bad();
      const text = new Pieces();
      if (this.#encoding === "utf-8") utf8(afterWhole(bytes, text), text, keep, () => this.#bad());
      else if (this.#encoding !== "windows-1252") {
        const high = this.#encoding === "utf-16be" ? 0 : 1; // where the high byte of a unit is
        utf16(bytes, high, text, keep, () => this.#bad());
      } else latin1(bytes, text);
      const out = text.end();
      const isMark = !started && !this.#keepMark && out.charCodeAt(0) === 0xfeff;
      this.#started = stream && (started || out !== "");
      return isMark ? out.slice(1) : out;
    }
    get [Symbol.toStringTag]() {
      return "TextDecoder";
    }
    #bad() {
      if (this.#fatal) throw new TypeError(`the bytes are not ${this.#encoding}`);
      return 0xfffd;
    }
  }

  function bytesOf(input) {
    if (input === undefined) return new Uint8Array();
    if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    if (input instanceof ArrayBuffer) return new Uint8Array(input);
    throw new TypeError("decode needs bytes: a Uint8Array, another view or an ArrayBuffer");
  }

  class Pieces {
    #units = [];
    #done = [];
    add(code) {
      if (code > 0xffff) {
        this.#units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      } else this.#units.push(code);
      if (this.#units.length >= CHUNK) this.#flush();
    }
    addText(text) {
      this.#flush();
      this.#done.push(text);
    }
    #flush() {
      this.#done.push(String.fromCharCode(...this.#units));
      this.#units = [];
    }
    end() {
      this.#flush();
      return this.#done.join("");
    }
  }

  // Decode as much as is whole by the engine's own functions, which are quick and take nothing else; what is left.
  function afterWhole(bytes, text) {
    let at = 0;
    while (at < bytes.length) {
      let end = Math.min(at + STEP, bytes.length);
      end -= unfinished(bytes.subarray(at, end));
      const binary = atob(bytes.subarray(at, end).toBase64());
      if (binary === "") break;
      try {
        text.addText(isAscii(binary) ? binary : decodeURIComponent(escape(binary)));
      } catch (error) {
        if (!(error instanceof URIError)) throw error;
        break;
      }
      at = end;
    }
    return bytes.subarray(at);
  }

  // How many bytes at the end belong to a character that goes on.
  function unfinished(bytes) {
    for (let back = 1; back <= 3 && back <= bytes.length; back++) {
      const byte = bytes[bytes.length - back];
      if (byte < 0x80) return 0;
      if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
    }
    return 0;
  }

  function latin1(bytes, text) {
    for (let at = 0; at < bytes.length; at += STEP) {
      const binary = atob(bytes.subarray(at, at + STEP).toBase64());
      text.addText(binary.replace(/[\u0080-\u009f]/g, (char) => HIGH[char.charCodeAt(0) - 0x80]));
    }
  }

  function utf8(bytes, text, keep, bad) {
    let at = 0;
    while (at < bytes.length) {
      const first = bytes[at];
      if (first < 0x80) {
        text.add(first);
        at++;
        continue;
      }
      const more = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
      let code = first & (0x3f >> more);
      let got = 0;
      while (got < more && at + 1 + got < bytes.length) {
        const next = bytes[at + 1 + got];
        const low = got > 0 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
        const high = got > 0 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
        if (next < low || next > high) break;
        code = (code << 6) | (next & 0x3f);
        got++;
      }
      if (more > 0 && got === more) text.add(code);
      else if (more > 0 && at + 1 + got >= bytes.length) {
        const mark = keep(Array.from(bytes.subarray(at)));
        if (mark === 0xfffd) text.add(mark);
      } else text.add(bad());
      at += 1 + got;
    }
  }

  function utf16(bytes, high, text, keep, bad) {
    const unitAt = (at) => (bytes[at + high] << 8) | bytes[at + 1 - high];
    let at = 0;
    for (; at + 1 < bytes.length; at += 2) {
      const unit = unitAt(at);
      if (unit >= 0xd800 && unit < 0xdc00) {
        if (at + 3 >= bytes.length) break;
        const next = unitAt(at + 2);
        if (next >= 0xdc00 && next < 0xe000) {
          text.add(0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
          at += 2;
        } else text.add(bad());
      } else text.add(unit >= 0xdc00 && unit < 0xe000 ? bad() : unit);
    }
    if (at < bytes.length) {
      const mark = keep(Array.from(bytes.subarray(at)));
      if (mark === 0xfffd) text.add(mark);
    }
  }

  return { TextEncoder, TextDecoder };
});
