// Failures: errors told in plain data, and runs that cannot go on.
(function (core) {
  "use strict";
  const { NONE, apply, bare, cut, emit, getOwnPropertyDescriptor, isError, mapDelete, mapEach, modules } = core;
  const { nativeThen, objectKeys, objectToString, origins, record, saved, stackOf, stringify, walk } = core;
  const { weakGet, weakSet } = core;

  // Tell of anything a script may throw. Its accessors run here, under the interrupt; whatever they do, this returns.
  function describe(thrown) {
    try {
      if (isError(thrown)) return describeError(thrown);
      return isDomException(thrown) ? describeDomException(thrown) : describeOther(thrown);
    } catch {
      return record({ name: "", message: "the script threw something that cannot be described", stack: "" });
    }
  }

  function describeError(error) {
    const origin = weakGet(origins, error);
    const stack = origin !== undefined && origin.site !== undefined ? origin.site : stackOf(error);
    const spawned = origin !== undefined && origin.spawned !== undefined ? "\n" + origin.spawned : "";
    const out = record({ name: textOf(error.name), message: textOf(error.message), stack: textOf(stack) + spawned });
    const parts = together(error.errors);
    if (out.message === "") out.message = parts;
    else if (parts !== "") out.behind = "it is made of: " + parts;
    else out.behind = causes(error);
    const code = error.code;
    if (typeof code === "string") out.code = cut(code, 0, 200);
    if (origin !== undefined) {
      out.kind = origin.kind;
      if (origin.fault !== undefined) out.fault = origin.fault;
      if (origin.place !== undefined) out.place = origin.place;
      if (origin.path !== undefined) out.path = origin.path;
      if (origin.text !== undefined) out.text = origin.text;
      if (origin.module !== undefined) out.module = origin.module;
    }
    const names = objectKeys(error);
    if (names.length > 0) out.value = attempt(error);
    return out;
  }

  // What the error says is its cause, and what is the cause of that.
  function causes(error) {
    let text = "";
    let cause = error.cause;
    for (let i = 0; i < 5 && cause !== undefined; i++) {
      const told = isError(cause) ? named(cause) : describeOther(cause).message;
      text += (i === 0 ? "its cause: " : ", whose cause: ") + told;
      cause = isError(cause) ? cause.cause : undefined;
    }
    return cut(text, 0, 65536);
  }

  function named(error) {
    const name = textOf(error.name);
    return (name === "" || name === "Error" ? "" : name + ": ") + textOf(error.message);
  }

  // The engine's class of that name is none of its errors: it has no stack but a property, and getters that know it.
  function isDomException(thrown) {
    try {
      return typeof thrown === "object" && typeof apply(saved.domName, thrown, NONE) === "string";
    } catch {
      return false;
    }
  }

  function describeDomException(thrown) {
    const stack = getOwnPropertyDescriptor(thrown, "stack");
    const text = stack !== undefined && typeof stack.value === "string" ? stack.value : "";
    const name = apply(saved.domName, thrown, NONE);
    return record({ name, message: textOf(apply(saved.domMessage, thrown, NONE)), stack: textOf(text) });
  }

  // What an AggregateError was made of, the first few.
  function together(errors) {
    let text = "";
    if (!core.isArray(errors)) return text;
    for (let i = 0; i < errors.length && i < 5; i++) {
      const each = errors[i];
      if (i > 0) text += "; ";
      text += isError(each) ? textOf(each.name) + ": " + textOf(each.message) : describeOther(each).message;
    }
    return cut(errors.length > 5 ? text + "; and " + (errors.length - 5) + " more" : text, 0, 65536);
  }

  function describeOther(thrown) {
    if (typeof thrown === "string") return record({ name: "", message: textOf(thrown), stack: "" });
    const value = attempt(thrown);
    return record({ name: "", message: textOf(shown(thrown, value)), stack: "", value });
  }

  // Text for something thrown that is no error: its own toString if it has one, or else what it holds.
  function shown(thrown, value) {
    if (typeof thrown === "symbol") return "a symbol was thrown";
    if (thrown === undefined || thrown === null) return thrown + " was thrown";
    if (typeof thrown !== "object") return "" + thrown;
    if (thrown.toString !== objectToString && typeof thrown.toString === "function") return "" + thrown;
    return value === null ? "an object was thrown that cannot be shown" : stringify(value);
  }

  // The value as far as it can cross.
  function attempt(value) {
    try {
      return walk(value, 0);
    } catch {
      return null;
    }
  }

  function textOf(value) {
    if (value === undefined || value === null) return "";
    return cut(typeof value === "string" ? value : "" + value, 0, 65536);
  }

  // A module for another language has no end at which to fail: what it leaves unhandled is at least printed.
  function warn(unhandled) {
    mapEach(unhandled, (reason, promise) => {
      const told = describe(reason);
      mapDelete(unhandled, promise);
      emit("error_output", "Uncaught (in promise) " + (told.name === "" ? "" : told.name + ": ") + told.message + "\n");
    });
  }

  // What the glue knows of an error: "" for a script's own.
  function kindOf(reason) {
    const origin = isError(reason) ? weakGet(origins, reason) : undefined;
    return origin === undefined ? "" : origin.kind;
  }

  // Note of an error that it was thrown where nobody could catch it.
  function thrownBack(error) {
    if (!isError(error)) return;
    const origin = weakGet(origins, error);
    if (origin === undefined) weakSet(origins, error, record({ kind: "thrown" }));
    else if (origin.kind === "") origin.kind = "thrown";
  }

  // Nothing can go on. Ask every promise that was ever awaited whether it is settled; the answers come with the next
  // jobs.
  function probe(main) {
    const probed = bare([]);
    const keys = objectKeys(modules);
    for (let i = 0; i <= keys.length; i++) {
      const module = i === keys.length ? main : modules[keys[i]];
      if (module.waits === undefined || (i < keys.length && module === main)) continue;
      for (let number = 0; number < module.waits.length; number++) {
        const entry = record({ key: module.key, number, waiting: true });
        const done = () => void (entry.waiting = false);
        try {
          nativeThen(module.waits[number], done, done);
          probed[probed.length] = entry;
        } catch {
          // Not a promise: it was not waited for.
        }
      }
    }
    return probed;
  }

  function stuckTasks() {
    const tasks = core.tasks();
    return tasks === undefined ? NONE : tasks.stuck();
  }

  // Those that were waited for and are not settled: [key, number]
  function waiting(probed) {
    const waits = bare([]);
    for (let i = 0; i < probed.length; i++) {
      if (probed[i].waiting) waits[waits.length] = bare([probed[i].key, probed[i].number]);
    }
    const stuck = stuckTasks();
    for (let i = 0; i < stuck.length; i++) waits[waits.length] = bare(["", stuck[i]]);
    return waits;
  }

  return record({ describe, kindOf, probe, thrownBack, waiting, warn });
});
