// The run itself: what the host says comes in by `enter`, what the script says goes out by "flush".

const unhandled = new NewMap(); // rejected promise -> reason
const invocations = new NewMap(); // host's number -> true, while under way
let main;
let mode = "run";
let outcome; // of the main module: { failed, value }
let ended = false;
let lost; // { reason }: of a rejection that nobody handled, once the run ends for it
let probed; // waits of a run that cannot go on, once it is known to be one

// Web globals and the part each comes from.
const LAZY = record({
  BridgeError: "calls", async: "async", channel: "channel", console: "console", crypto: "crypto", structuredClone: "clone",
  URL: "url", URLSearchParams: "search", TextEncoder: "text", TextDecoder: "text",
  setTimeout: "timers", clearTimeout: "timers", setInterval: "timers", clearInterval: "timers",
});

// Make a global that is loaded when it is first used: a web global, or a bridge: [name shown, name of the bridge]
function prepareGlobal(wanted, importer) {
  const shown = wanted[0];
  const load = wanted[1] === "" ? () => part(LAZY[shown])[shown] : () => part("modules").bridge(wanted[1], importer);
  const set = (value) => hide(global, shown, value);
  defineProperty(global, shown, record({
    get() { const value = load(); set(value); return value; },
    set,
    enumerable: false,
    configurable: true,
  }));
}

function prepareGlobals() {
  lockErrors();
  lockContainers();
  const gone = ["FinalizationRegistry", "SharedArrayBuffer", "Atomics"];
  for (let i = 0; i < gone.length; i++) delete global[gone[i]];
  hide(global, "queueMicrotask", function queueMicrotask(callback) {
    if (typeof callback !== "function") throw new PlainTypeError("queueMicrotask needs a function");
    nativeThen(settled, () => calledBack(callback));
  });
  guardPromises();
}

// Call what nobody waits for. What it throws ends the run as a rejection does, but there is no promise to look after.
function calledBack(callback) {
  try {
    callback();
  } catch (error) {
    part("failures").thrownBack(error);
    throw error;
  }
}

// The engine's own code puts things into plain arrays and objects. No setter for an index or a new name may stand in
// its way: Array.prototype takes no elements (methods may be added), Object.prototype nothing new at all.
function lockContainers() {
  defineProperty(Array.prototype, "length", record({ writable: false }));
  preventExtensions(ObjectPrototype);
}

const settled = NativePromise.resolve();

// A promise job may call functions of a script outside any of our frames only through a Promise species: the engine
// would then turn what they throw into text with nothing armed. `then` takes that way only for real subclasses.
function guardPromises() {
  hide(PromisePrototype, "then", function then(done, failed) {
    if (tasks !== undefined) {
      done = tasks.bound(done);
      failed = tasks.bound(failed);
    }
    if (getPrototypeOf(this) === PromisePrototype && getOwnPropertyDescriptor(this, "constructor") === undefined) {
      return nativeThen(this, done, failed);
    }
    return part("promises").then(this, done, failed);
  });
  freeze(PromisePrototype);
  freeze(NativePromise);
}

function isThenable(value) {
  const kind = typeof value;
  return (kind === "object" ? value !== null : kind === "function") && typeof value.then === "function";
}

// Whether a thenable is the engine's own promise, with nothing of its own that asks to be heard otherwise.
function isPlainPromise(value) {
  return getPrototypeOf(value) === PromisePrototype && ownKeys(value).length === 0;
}

// Call `next` with the value, at once or when it is a promise that is kept; `failed` with what is thrown.
function whenSettled(value, next, failed) {
  let promise;
  try {
    if (!isThenable(value)) return next(value);
    promise = isPlainPromise(value) ? value : new NativePromise((resolve) => resolve(value));
    nativeThen(promise, (settled) => {
      try {
        next(settled);
      } catch (error) {
        failed(error);
      }
    }, failed);
  } catch (error) {
    return failed(error);
  }
}

function begin(description, params, code) {
  const described = parse(description);
  delete global.__llmspell_enter;
  delete global.__llmspell_tracker;
  delete global.__llmspell_slot;
  limits.depth = described.limits[0];
  limits.nodes = described.limits[1];
  limits.bytes = described.limits[2];
  limits.tasks = described.limits[3];
  limits.channels = described.limits[4];
  mode = described.mode;
  hide(global, "params", decode(params));
  if (mode === "idle") {
    main = record({ key: described.name, waits: undefined });
    return;
  }
  try {
    main = compile(described.main, code);
    main.isMain = true;
    modules[main.key] = main; // a file that imports it closes a circle
    whenSettled(runMain(), (value) => whenSettled(resultOf(value), succeed, fail), fail);
  } catch (error) {
    fail(error);
  }
}

function succeed(value) {
  outcome = record({ failed: false, value });
}

function fail(error) {
  outcome = record({ failed: true, value: error });
}

function runMain() {
  main.state = "running";
  if (main.dependencies !== undefined) return start(main, undefined);
  const waiting = part("modules").before(main);
  return waiting === undefined ? start(main, undefined) : nativeThen(waiting, () => start(main, undefined));
}

// What a spell is worth: what it exports, or else what it returns.
function resultOf(returned) {
  if (main.isModule) {
    const value = exportedValue();
    return value === undefined ? returned : value;
  }
  const exports = main.holder.exports;
  return exports !== main.exports || ownKeys(exports).length > 0 ? exports : returned;
}

function exportedValue() {
  try {
    return main.namespace.default;
  } catch {
    return undefined; // a return came before it
  }
}

function success(id, value) {
  try {
    return "D" + framed(() => bare([id, walk(value, 0)]));
  } catch (error) {
    return failure(id, error);
  }
}

function failure(id, thrown, kind) {
  return "F" + framed(() => {
    const told = part("failures").describe(thrown);
    told.id = id;
    if (kind !== undefined) told.kind = kind;
    return told;
  });
}

// What was said since the last time. When everything that can run has run, this is also where the run ends.
function flush() {
  if (!ended && searches.length === 0) conclude();
  return tellSaid();
}

function isWaiting() {
  return calls !== undefined && calls.outstanding() > 0;
}

function conclude() {
  if (mode === "idle") {
    if (!isWaiting() && mapSize(invocations) === 0 && mapSize(unhandled) > 0) part("failures").warn(unhandled);
    return;
  }
  if (outcome !== undefined && outcome.failed) return endTasks() || end(failure(0, outcome.value));
  // Once the main part has ended, nobody is left who might look at a failure later.
  if (mapSize(unhandled) > 0 && (outcome !== undefined || !isWaiting())) {
    if (lost === undefined) {
      mapEach(unhandled, (reason) => {
        if (lost === undefined) lost = record({ reason });
      });
    }
    return endTasks() || end(failure(0, lost.reason, part("failures").kindOf(lost.reason) || "unhandled"));
  }
  if (isWaiting()) return;
  if (outcome !== undefined && (tasks === undefined || tasks.running() === 0)) {
    if (mapSize(invocations) === 0) end(success(0, outcome.value));
    return;
  }
  if (probed === undefined) {
    probed = part("failures").probe(main);
    said[said.length] = "A";
  } else end("W" + stringify(part("failures").waiting(probed)));
}

// Have the tasks that still run clean up before a failed run ends; returns whether there are any.
function endTasks() {
  if (tasks === undefined || tasks.running() === 0) return false;
  tasks.cancelAll("the run has failed");
  said[said.length] = "A";
  return true;
}

// Jobs that make more jobs, for ever perhaps: let the host be heard in between, or no timer would end them.
function nudge() {
  if (outcome !== undefined && (outcome.failed || mapSize(unhandled) > 0)) return flush();
  if (cancelled !== "" || calls === undefined || !calls.nudge()) said[said.length] = "A";
  return tellSaid();
}

function abandon(reason) {
  cancelled = reason;
  if (calls !== undefined) calls.abandonAll(reason);
}

function end(line) {
  ended = true;
  said[said.length] = line;
}

// Told by the engine of every rejection that nobody handles, and of those handled later. Runs inside the engine.
hide(global, "__llmspell_tracker", (promise, reason, handled) => {
  if (handled) mapDelete(unhandled, promise);
  else mapSet(unhandled, promise, reason);
});

hide(global, "__llmspell_slot", slot);

// What parts are given. It never reaches a script.
const core = record({
  Error: PlainError, FIRST_LINE, FRAME, MARK, NONE, NativePromise, ObjectPrototype, PromisePrototype,
  Proxy: NativeProxy, SyntaxError: SyntaxErrorClass, TypeError: PlainTypeError,
  apply, authorsStack, bare, calledBack, compile, copyNames, countNodes, countText, create, cut, decode,
  defineProperty, emit, exportsOf, failure, find, framed, freeze, functionNumbers, functions,
  getOwnPropertyDescriptor, getPrototypeOf, halt, handles, hide, host, invocations, isArray, isError, isThenable,
  limits, list, lock, lower, mapDelete, mapEach, mapGet, mapSet, mapSize, mark, modules, nativeStack, nativeThen,
  objectKeys, objectToString, origins, parse, part, record, revive, said, saved, searches, setPrototypeOf, settled,
  stackOf, standing, start, stringify, success, tellSaid, trail, walk, weakGet, weakSet, whenSettled,
  cancelled: () => cancelled,
  tasks: () => tasks,
  isNamespace: (value) => weakGet(namespaces, value) === true,
});

// Whether a text parses. It throws before anything of the text itself can run, wherever its parentheses close.
function check(text) {
  try {
    evaluate("throw undefined;\n" + text);
  } catch (error) {
    if (error !== undefined) return stringify(part("failures").describe(error));
  }
  return "";
}

prepareGlobals();

hide(global, "__llmspell_enter", (op, a, b, c) => {
  try {
    if (tasks !== undefined) tasks.goOn(undefined);
    if (op === "flush") return flush();
    if (op === "nudge") return nudge();
    if (op === "reply") part("calls").settle(+a, b);
    else if (op === "invoke") part("visits").invoke(+a, +b, c);
    else if (op === "each") part("visits").invokeEach(+a, +b, c);
    else if (op === "load") part("visits").load(+a, b, c);
    else if (op === "begin") begin(a, b, c);
    else if (op === "drop") mapGet(invocations, +a)?.();
    else if (op === "cancel") abandon(a);
    else if (op === "check") return check(a);
    return "";
  } catch (error) {
    try {
      return cut("!" + stringify(part("failures").describe(error)), 0);
    } catch {
      // A text that is there already: whatever is wrong, nothing of a script's may leave as an exception.
      return '!{"name":"Error","message":"the glue could not tell of an error","stack":"","kind":"lost"}';
    }
  }
});
