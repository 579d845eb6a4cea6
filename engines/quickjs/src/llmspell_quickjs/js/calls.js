// Calls to the host. A synchronous one asks and waits; an asynchronous one is only said, and its promise is settled
// when the reply comes.
(function (core) {
  "use strict";
  const { Error, FIRST_LINE, FRAME, NativePromise, authorsStack, bare, cut, decode, defineProperty } = core;
  const { find, framed, freeze, halt, hide, host, list, lock, mapDelete, mapEach, mapGet, mapSet } = core;
  const { nativeStack, nativeThen, origins, record, said, searches, stackOf, tellSaid, weakSet } = core;
  const pending = new core.saved.Map(); // call number -> { resolve, reject, site, counts }
  let outstanding = 0; // pending calls that keep the run going
  let lastCall = 0;
  let nudged = false;

  class BridgeError extends Error {
    constructor(message, code, details) {
      super(message);
      hide(this, "code", code);
      if (details !== undefined && details !== null) hide(this, "details", details);
    }
  }
  lock(BridgeError.prototype, "name", "BridgeError");
  freeze(BridgeError);
  freeze(BridgeError.prototype);

  // An error for a fault of the host: [code, message, details, call id]
  function faultError(fault, site) {
    const error = new BridgeError(fault[1], fault[0], fault[2]);
    if (site !== "") hide(error, "stack", authorsStack(site));
    weakSet(origins, error, record({ kind: "", fault: fault[3], site }));
    return error;
  }

  function refuseCancelled() {
    const reason = core.cancelled();
    if (reason !== "") throw new BridgeError(reason, "cancelled");
  }

  // The stack to give to an error that comes later; and the place of the author's code that is calling, 0 if unknown.
  function callSite() {
    const error = new Error();
    const text = searches.length === 0 ? nativeStack(error) : stackOf(error);
    return typeof text === "string" ? text : "";
  }

  // Line and column as one number, as the host reads them; the line `unless` if none of the author's calls.
  function placeOf(stack, unless = 0) {
    let at = find(stack, FRAME);
    while (at >= 0) {
      const colon = find(stack, ":", at + FRAME.length);
      const line = +cut(stack, at + FRAME.length, colon);
      if (line >= FIRST_LINE) return line * 1048576 + +cut(stack, colon + 1, find(stack, ")", colon));
      at = find(stack, FRAME, colon);
    }
    return unless * 1048576 + 1;
  }

  function startCall(target, method, args, place) {
    refuseCancelled();
    return framed(() => {
      const copies = list(args, 0);
      return bare([++lastCall, place, target, method, copies]);
    });
  }

  function ask(target, method, args) {
    const site = callSite();
    const answer = host("ask", startCall(target, method, args, placeOf(site)), tellSaid());
    return take(answer, site);
  }

  // "V" + frame: a value. "E" + JSON: a fault. "X": a limit or a cancellation, which ends the script here.
  function take(answer, site) {
    const kind = answer[0];
    if (kind === "V") return decode(cut(answer, 1));
    if (kind === "E") throw faultError(decode(cut(answer, 1)), site);
    return halt();
  }

  function say(target, method, args, counts = true) {
    const tasks = core.tasks();
    if (tasks !== undefined) tasks.refuseCancelled(tasks.now());
    const site = callSite();
    const frame = startCall(target, method, args, placeOf(site));
    const id = lastCall;
    said[said.length] = "C" + frame;
    return new NativePromise((resolve, reject) => {
      const call = record({ resolve, reject, site, counts });
      mapSet(pending, id, call);
      if (counts) outstanding++;
      if (tasks !== undefined && counts) tasks.called(id, call);
    });
  }

  function settle(id, answer) {
    const call = mapGet(pending, id);
    if (call === undefined) return;
    forget(id);
    const tasks = core.tasks();
    if (tasks !== undefined) tasks.answered(id, call);
    try {
      call.resolve(take(answer, call.site));
    } catch (error) {
      call.reject(error);
    }
  }

  function forget(id) {
    const call = mapGet(pending, id);
    if (call !== undefined && mapDelete(pending, id) && call.counts) outstanding--;
  }

  function abandonAll(message) {
    mapEach(pending, (call) => call.reject(faultError(bare(["cancelled", message, null, 0]), call.site)));
  }

  // Let the host be heard, once, between jobs that make more jobs; returns whether anybody waits: the script for it, or it
  // for the script.
  function nudge() {
    if (outstanding === 0 && core.mapSize(core.invocations) === 0) return false;
    if (!nudged) {
      nudged = true;
      nativeThen(say("@host", "sleep", [0]), () => void (nudged = false), () => undefined);
    }
    return true;
  }

  // A function of the script's world that calls an export.
  function method(target, name, isAsync, shown) {
    const call = isAsync ? (...args) => say(target, name, args) : (...args) => ask(target, name, args);
    defineProperty(call, "name", record({ value: shown, configurable: true }));
    return call;
  }

  return record({
    BridgeError, abandonAll, ask, callSite, faultError, forget, method, nudge, placeOf, refuseCancelled, say, settle,
    lastCall: () => lastCall,
    nextCall: () => ++lastCall,
    outstanding: () => outstanding,
  });
});
