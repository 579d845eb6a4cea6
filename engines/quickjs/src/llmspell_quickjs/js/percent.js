// Percent encoding after the WHATWG standard of URLs, in UTF-8.
(function (core) {
  "use strict";
  const { TextDecoder } = core.part("text");

  const patterns = new Map(); // set -> what of a text is in it

  // Write what is in the set as escapes, controls and all that is not ASCII too.
  function encode(text, set) {
    let pattern = patterns.get(set);
    if (pattern === undefined) {
      pattern = new RegExp("[^ -~]|[" + set.replace(/[\]\\^-]/g, "\\$&") + "]", "gu");
      patterns.set(set, pattern);
    }
    return text.toWellFormed().replace(pattern, escaped);
  }

  function escaped(char) {
    const code = char.codePointAt(0);
    return code < 0x80 ? "%" + code.toString(16).toUpperCase().padStart(2, "0") : encodeURIComponent(char);
  }

  function decode(text) {
    if (!text.includes("%")) return text.toWellFormed();
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
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(bytes));
  }

  return { decode, encode, escaped };
});
