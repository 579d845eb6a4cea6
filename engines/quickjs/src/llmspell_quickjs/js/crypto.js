// crypto: chance comes from the host, through the core bridge, so that it is granted and on record.
(function (core) {
  "use strict";
  const { record } = core;
  const { ask } = core.part("calls");
  const { isView, typedTag } = core.saved;
  const MOST = 65536;
  const INTEGERS = /^(?:Big)?(?:Ui|I)nt(?:8|16|32|64)(?:Clamped)?Array$/;

  function fill(bytes) {
    const digits = ask("core", "random_string", [bytes.length * 2, "0123456789abcdef"]);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16);
  }

  const crypto = record({
    randomUUID() {
      return ask("core", "uuid", []);
    },
    getRandomValues(array) {
      const kind = isView(array) ? core.apply(typedTag, array, core.NONE) : undefined;
      if (!INTEGERS.test(String(kind))) {
        if (arguments.length === 0) throw new core.TypeError("getRandomValues needs an array of integers");
        throw new DOMException("getRandomValues needs an array of integers", "TypeMismatchError");
      }
      if (array.byteLength > MOST) {
        throw new DOMException("getRandomValues gives at most " + MOST + " bytes", "QuotaExceededError");
      }
      if (array.byteLength > 0) fill(new core.saved.Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return array;
    },
  });
  core.setPrototypeOf(crypto, core.ObjectPrototype);
  core.hide(crypto, core.saved.toStringTag, "Crypto");
  return record({ crypto: core.freeze(crypto) });
});
