// What crosses seldom: marks, both ways.
(function (core) {
  "use strict";
  const { NONE, apply, bare, create, cut, defineProperty, freeze, functionNumbers, functions } = core;
  const { handles, mapEach, mapGet, mapSet, mapSize, mark, objectKeys, objectToString, record, saved } = core;
  const { nativeThen, stringify, walk, weakGet, weakSet } = core;
  const cannotCross = (message, depth) => core.part("refusals").cannotCross(message, depth);
  const { bigIntOf, booleanOf, bufferLength, dateTime, fromBase64, isView, mapSizeOf, numberOf } = saved;
  const { setEach, setSize, stringOf, toBase64, typedLength, typedTag, viewBuffer, viewLength, viewOffset } = saved;
  const { BigInt, Date, Map, Number, Uint8Array } = saved;
  const held = new Map(); // HostRef number -> its one object in this run
  const taken = new saved.WeakMap(); // stream that runs ahead -> what was taken of it at once
  const FIRST_INSTANT = -62135596800000; // 0001-01-01T00:00:00.000Z, the first the host has
  const LAST_INSTANT = 253402300799999; // 9999-12-31T23:59:59.999Z
  const shapes = new Map(); // methods of a type -> prototype of its handles

  function bytes(view, length, depth) {
    core.countText(record({ length }), depth);
    try {
      return mark("b", apply(toBase64, view, NONE));
    } catch (error) {
      throw gone(error, depth);
    }
  }

  function part(buffer, offset, length, depth) {
    let view;
    try {
      view = new Uint8Array(buffer, offset, length);
    } catch (error) {
      throw gone(error, depth);
    }
    return bytes(view, length, depth);
  }

  // What to say of bytes that cannot be read, unless it is that the memory is full.
  function gone(error, depth) {
    if (error !== null && core.getPrototypeOf(error) !== core.TypeError.prototype) return error;
    return cannotCross("bytes whose buffer was given away or made smaller cannot cross", depth);
  }

  function callable(value, depth) {
    const handle = weakGet(handles, value);
    if (handle !== undefined) return mark("h", handle);
    let number = weakGet(functionNumbers, value);
    if (number === undefined) {
      number = functions.length;
      functions[number] = value;
      weakSet(functionNumbers, value, number);
    }
    const name = value.name;
    return mark("f", bare([number, typeof name === "string" ? cut(name, 0, 200) : ""]));
  }

  // The brand checks: each of these throws a TypeError for anything that is not the real thing, whatever its prototype
  // claims. Anything else is no answer: where the stack ends, a Map would be taken for an empty object.
  function has(check, value) {
    try {
      apply(check, value, NONE);
      return true;
    } catch (error) {
      if (error === null || core.getPrototypeOf(error) !== core.TypeError.prototype) throw error;
      return false;
    }
  }

  // What an object is at heart. The tag is only a hint, since a script can set it; the brand check decides.
  function special(value, depth) {
    const handle = weakGet(handles, value);
    if (handle !== undefined) {
      const waiting = weakGet(taken, value);
      if (waiting !== undefined && waiting.at < waiting.items.length) {
        throw cannotCross("a stream that was read in part cannot cross", depth);
      }
      return mark("h", handle);
    }
    if (isView(value)) return view(value, depth);
    if (core.isError(value)) return error(value, depth);
    const tagged = byTag(value, depth);
    if (tagged !== undefined) return tagged;
    if (saved.toStringTag in value) {
      const branded = byBrand(value, depth);
      if (branded !== undefined) return branded;
    }
    if (typeof value.next === "function" && typeof value[saved.iterator] === "function") {
      throw cannotCross("an iterator cannot cross; make it an array with [...it]", depth);
    }
    if (typeof value.next === "function" && typeof value[saved.asyncIterator] === "function") {
      throw cannotCross("an async iterator cannot cross; collect what it gives with for await", depth);
    }
    return undefined;
  }

  function byTag(value, depth) {
    switch (apply(objectToString, value, NONE)) {
      case "[object Date]":
        return has(dateTime, value) ? instant(value, depth) : undefined;
      case "[object Map]":
        return has(mapSizeOf, value) ? entries(value, depth) : undefined;
      case "[object Set]":
        return has(setSize, value) ? members(value, depth) : undefined;
      case "[object ArrayBuffer]":
        return has(bufferLength, value) ? buffer(value, depth) : undefined;
      case "[object DOMException]":
        return has(saved.domName, value) ? domException(value, depth) : undefined;
      case "[object Number]":
        return has(numberOf, value) ? walk(apply(numberOf, value, NONE), depth) : undefined;
      case "[object String]":
        return has(stringOf, value) ? walk(apply(stringOf, value, NONE), depth) : undefined;
      case "[object Boolean]":
        return has(booleanOf, value) ? apply(booleanOf, value, NONE) : undefined;
      case "[object BigInt]":
        return has(bigIntOf, value) ? walk(apply(bigIntOf, value, NONE), depth) : undefined;
      case "[object Promise]":
        throw cannotCross("a Promise cannot cross; await it", depth);
      case "[object RegExp]":
      case "[object WeakMap]":
      case "[object WeakSet]":
      case "[object WeakRef]":
        throw cannotCross("a " + cut(apply(objectToString, value, NONE), 8, -1) + " cannot cross", depth);
    }
    return undefined;
  }

  // A tag of its own hides what an object holds, which must not be lost for that.
  function byBrand(value, depth) {
    if (has(dateTime, value)) return instant(value, depth);
    if (has(mapSizeOf, value)) return entries(value, depth);
    if (has(setSize, value)) return members(value, depth);
    return has(bufferLength, value) ? buffer(value, depth) : undefined;
  }

  function buffer(value, depth) {
    return part(value, 0, apply(bufferLength, value, NONE), depth);
  }

  // The milliseconds are the Date, whatever its class, its own properties and its toJSON make of it.
  function instant(value, depth) {
    const time = apply(dateTime, value, NONE);
    if (time !== time) throw cannotCross("an invalid Date cannot cross", depth);
    if (time < FIRST_INSTANT || time > LAST_INSTANT) {
      throw cannotCross("a Date outside of the years 1 to 9999 cannot cross; toISOString() makes it a text", depth);
    }
    return mark("t", time);
  }

  function view(value, depth) {
    const tag = apply(typedTag, value, NONE);
    if (tag === undefined) {
      if (!has(viewLength, value)) throw gone(null, depth);
      const length = apply(viewLength, value, NONE);
      return part(apply(viewBuffer, value, NONE), apply(viewOffset, value, NONE), length, depth);
    }
    const length = apply(typedLength, value, NONE);
    if (tag === "Uint8Array") return bytes(value, length, depth);
    core.countNodes(length, depth);
    const out = bare([]);
    for (let i = 0; i < length; i++) out[i] = walk(value[i], depth + 1);
    return out;
  }

  function entries(value, depth) {
    core.countNodes(mapSize(value), depth);
    const keys = bare([]);
    const items = bare([]);
    mapEach(value, (item, key) => {
      keys[keys.length] = key;
      items[items.length] = item;
    });
    const out = create(null);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      const kind = typeof key;
      if (kind !== "string" && kind !== "number" && kind !== "bigint") {
        const found = key === null ? "null" : kind;
        throw cannotCross("the key of a Map must be a text or a number to cross, not " + found, depth);
      }
      const name = "" + key;
      if (name in out) throw cannotCross("two keys of a Map become the same text " + stringify(name), depth);
      core.countText(name, depth);
      core.trail[depth] = name;
      out[name] = walk(items[i], depth + 1);
    }
    return core.MARK in out ? escaped(out) : out;
  }

  function members(value, depth) {
    core.countNodes(apply(setSize, value, NONE), depth);
    const out = bare([]);
    apply(setEach, value, [(item) => {
      out[out.length] = item;
    }]);
    for (let i = 0; i < out.length; i++) {
      core.trail[depth] = i;
      out[i] = walk(out[i], depth + 1);
    }
    return out;
  }

  function error(value, depth) {
    const out = create(null);
    out.name = walk("" + value.name, depth + 1);
    out.message = walk("" + value.message, depth + 1);
    if (value.code !== undefined) out.code = walk(value.code, depth + 1);
    const cause = value.cause;
    core.trail[depth] = "cause";
    if (typeof cause === "string") out.cause = walk(cause, depth + 1);
    else if (core.isError(cause)) out.cause = walk(cause, depth + 1);
    const names = objectKeys(value);
    for (let i = 0; i < names.length; i++) {
      core.trail[depth] = names[i];
      out[names[i]] = walk(value[names[i]], depth + 1);
    }
    return out;
  }

  function domException(value, depth) {
    const out = create(null);
    out.name = walk(apply(saved.domName, value, NONE), depth + 1);
    out.message = walk(apply(saved.domMessage, value, NONE), depth + 1);
    return out;
  }

  // A dict that has the mark as a key of its own.
  function escaped(plain) {
    const names = objectKeys(plain);
    const pairs = bare([]);
    for (let i = 0; i < names.length; i++) pairs[i] = bare([names[i], plain[names[i]]]);
    return mark("d", pairs);
  }

  function unmark(pair) {
    const payload = pair[1];
    switch (pair[0]) {
      case "n":
        return Number(payload);
      case "i":
        return payload[0] === "-" ? -BigInt("0x" + cut(payload, 1)) : BigInt("0x" + payload);
      case "b":
        return apply(fromBase64, Uint8Array, [payload]);
      case "t":
        return new Date(payload);
      case "d": {
        const out = {};
        for (let i = 0; i < payload.length; i++) {
          const value = core.revive(payload[i][1]);
          defineProperty(out, payload[i][0], record({ value, writable: true, enumerable: true, configurable: true }));
        }
        return out;
      }
      case "f":
        return functions[payload];
      case "h":
        return handleOf(payload);
    }
    return undefined;
  }

  // [number, type, kind, [[camelName, snakeName, isAsync], ...]]
  function handleOf(ref) {
    const known = mapGet(held, ref[0]);
    if (known !== undefined) return known;
    let object;
    if (ref[2] === "function") object = core.part("calls").method(ref[0], "call", true, ref[1]);
    else {
      const shape = ref[1] + stringify(bare(ref[3]));
      let prototype = mapGet(shapes, shape);
      if (prototype === undefined) mapSet(shapes, shape, (prototype = prototypeOf(ref)));
      object = create(prototype);
    }
    weakSet(handles, object, ref[0]);
    mapSet(held, ref[0], object);
    return object;
  }

  function prototypeOf(ref) {
    const prototype = create(core.ObjectPrototype);
    const type = ref[1];
    const methods = ref[3];
    for (let i = 0; i < methods.length; i++) core.hide(prototype, methods[i][0], methodOf(type, methods[i]));
    core.hide(prototype, saved.toStringTag, type);
    if (ref[2] === "stream") {
      (prototype.take !== undefined ? runAhead : itemByItem)(prototype);
      makeIterable(prototype);
    }
    return freeze(prototype);
  }

  function methodOf(type, names) {
    const { ask, say } = core.part("calls");
    const method = function (...args) {
      const number = weakGet(handles, this);
      if (number === undefined) {
        throw new core.TypeError(names[0] + " must be called on the " + type + " it belongs to");
      }
      return names[2] ? say(number, names[1], args) : ask(number, names[1], args);
    };
    defineProperty(method, "name", record({ value: names[0], configurable: true }));
    return method;
  }

  // Draws several items at once: those that the script has not asked for yet wait here, before what waits at the host.
  function runAhead(prototype) {
    const { take, next, close } = prototype;
    delete prototype.take;
    core.hide(prototype, "next", function () {
      if (weakGet(handles, this) === undefined) return apply(next, this, NONE); // which refuses it
      const waiting = weakGet(taken, this);
      if (waiting === undefined || (waiting.at >= waiting.items.length && !waiting.items[0])) return drawn(this, take);
      return core.NativePromise.resolve(stepOf(waiting));
    });
    core.hide(prototype, "close", function () {
      const closing = apply(close, this, NONE);
      weakSet(taken, this, undefined);
      return closing;
    });
  }

  function drawn(stream, take) {
    return nativeThen(apply(take, stream, NONE), (items) => {
      const waiting = record({ items, at: 2 });
      weakSet(taken, stream, waiting);
      return stepOf(waiting);
    });
  }

  function stepOf(waiting) {
    if (waiting.at >= waiting.items.length) return { done: true, value: undefined };
    return { done: false, value: waiting.items[waiting.at++] };
  }

  function itemByItem(prototype) {
    const next = prototype.next;
    core.hide(prototype, "next", function () {
      return nativeThen(apply(next, this, NONE), (step) => ({ done: step[0], value: step[0] ? undefined : step[1] }));
    });
  }

  function makeIterable(prototype) {
    const close = prototype.close;
    core.hide(prototype, "return", function (value) {
      return nativeThen(apply(close, this, NONE), () => ({ done: true, value }));
    });
    core.hide(prototype, saved.asyncIterator, function () {
      return this;
    });
  }

  return record({ callable, special, escaped, unmark });
});
