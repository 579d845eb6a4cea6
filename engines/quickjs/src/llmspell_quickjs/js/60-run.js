// The run itself: what the host says comes in by `enter`, what the script says goes out by "flush".

const unhandled = new NewMap(); // rejected promise -> reason
const invocations = new NewMap(); // host's number -> true, while under way
let main;
let mode = "run";
let outcome; // of the main module: { failed, value }
let ended = false;
let probed; // waits of a run that cannot go on, once it is known to be one

const LAZY = record({
  console: "console", structuredClone: "clone", URL: "url", URLSearchParams: "url", TextEncoder: "text", TextDecoder: "text",
  setTimeout: "timers", clearTimeout: "timers", setInterval: "timers", clearInterval: "timers", crypto: "crypto",
});

function lazyGlobal(name, load) {
  const set = (value) => defineProperty(global, name, record({ value, writable: true, enumerable: false, configurable: true }));
  defineProperty(global, name, record({
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
  hide(global, "BridgeError", BridgeError);
  hide(global, "queueMicrotask", function queueMicrotask(callback) {
    if (typeof callback !== "function") throw new PlainTypeError("queueMicrotask needs a function");
    nativeThen(settled, () => void callback());
  });
  const names = objectKeys(LAZY);
  for (let i = 0; i < names.length; i++) lazyGlobal(names[i], () => part(LAZY[names[i]])[names[i]]);
  guardPromises();
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
    if (getPrototypeOf(this) === PromisePrototype && getOwnPropertyDescriptor(this, "constructor") === undefined) {
      return nativeThen(this, done, failed);
    }
    return part("promises").then(this, done, failed);
  });
  freeze(PromisePrototype);
  freeze(NativePromise);
}

function isThenable(value) {
  return ((typeof value === "object" && value !== null) || typeof value === "function") && typeof value.then === "function";
}

// Call `next` with the value, at once or when it is a promise that is kept; `failed` with what is thrown.
function whenSettled(value, next, failed) {
  try {
    if (!isThenable(value)) return next(value);
  } catch (error) {
    return failed(error);
  }
  const promise = new NativePromise((resolve) => resolve(value));
  nativeThen(nativeThen(promise, next), undefined, failed);
}

function begin(description, params, code) {
  const described = parse(description);
  limits.depth = described.limits[0];
  limits.nodes = described.limits[1];
  limits.bytes = described.limits[2];
  mode = described.mode;
  hide(global, "params", decode(params));
  if (mode === "idle") {
    main = record({ key: described.name, waits: undefined });
    return;
  }
  const fail = (error) => void (outcome = record({ failed: true, value: error }));
  try {
    main = compile(described.main, code);
    main.isMain = true;
    link(main, undefined);
    whenSettled(runMain(), (value) => whenSettled(resultOf(value), (result) => void (outcome = record({ failed: false, value: result })), fail), fail);
  } catch (error) {
    fail(error);
  }
}

function runMain() {
  main.state = "running";
  if (!main.isAsync) {
    for (let i = 0; i < main.dependencies.length; i++) run(main.dependencies[i], record({ key: main.key, up: undefined }));
    return start(main, undefined);
  }
  return runMainAsync();
}

async function runMainAsync() {
  for (let i = 0; i < main.dependencies.length; i++) {
    const waiting = run(main.dependencies[i], record({ key: main.key, up: undefined }));
    if (waiting !== undefined) await waiting;
  }
  return start(main, undefined);
}

// What a spell is worth: what it exports, or else what it returns.
function resultOf(returned) {
  if (main.isModule) {
    return "default" in main.namespace ? main.namespace.default : returned;
  }
  const exports = main.holder.exports;
  return exports !== main.exports || ownKeys(exports).length > 0 ? exports : returned;
}

// Do something for the host and answer with what comes of it.
function serve(id, work) {
  const answer = (line) => {
    if (!mapDelete(invocations, id)) return;
    said[said.length] = line;
  };
  const failed = (error) => answer(failure(id, error));
  mapSet(invocations, id, () => answer(failure(id, new BridgeError("the call was cancelled", "cancelled"), "cancelled")));
  try {
    whenSettled(work(), (value) => answer(success(id, value)), failed);
  } catch (error) {
    failed(error);
  }
}

function invoke(id, number, args) {
  serve(id, () => {
    const callback = functions[number];
    if (callback === undefined) throw new PlainTypeError("there is no function " + number + " to call");
    return apply(callback, undefined, decode(args));
  });
}

// Evaluate a module for another language; one that is there already is not evaluated again.
function load(id, description, code) {
  serve(id, () => {
    const described = parse(description);
    const module = modules[described.key] || (modules[described.key] = compile(described, code));
    const waiting = run(module, undefined);
    return waiting === undefined ? exportsOf(module) : nativeThen(waiting, () => exportsOf(module));
  });
}

function success(id, value) {
  try {
    beginFrame();
    return "D" + endFrame(bare([id, walk(value, 0)]));
  } catch (error) {
    return failure(id, error);
  }
}

function failure(id, thrown, kind) {
  beginFrame();
  const told = describe(thrown);
  told.id = id;
  if (kind !== undefined) told.kind = kind;
  return "F" + endFrame(told);
}

// What was said since the last time. When everything that can run has run, this is also where the run ends.
function flush() {
  if (!ended) conclude();
  return tellSaid();
}

function conclude() {
  if (mode === "idle") return warnOfUnhandled();
  if (outcome !== undefined && outcome.failed) return end(failure(0, outcome.value));
  if (outstanding > 0) return;
  if (mapSize(unhandled) > 0) {
    let reason;
    mapEach(unhandled, (value) => (reason = value));
    return end(failure(0, reason, weakOrigin(reason) || "unhandled"));
  }
  if (outcome !== undefined) {
    if (mapSize(invocations) === 0) end(success(0, outcome.value));
    return;
  }
  if (probed === undefined) probe();
  else {
    const waits = bare([]);
    for (let i = 0; i < probed.length; i++) if (probed[i].waiting) waits[waits.length] = bare([probed[i].key, probed[i].number]);
    end("W" + stringify(waits));
  }
}

// A module for another language has no end at which to fail: what it leaves unhandled is at least printed.
function warnOfUnhandled() {
  if (outstanding > 0 || mapSize(invocations) > 0 || mapSize(unhandled) === 0) return;
  mapEach(unhandled, (reason, promise) => {
    const told = describe(reason);
    mapDelete(unhandled, promise);
    emit("error_output", "Uncaught (in promise) " + (told.name === "" ? "" : told.name + ": ") + told.message + "\n");
  });
}

function weakOrigin(reason) {
  const origin = isError(reason) ? weakGet(origins, reason) : undefined;
  return origin === undefined ? "" : origin.kind;
}

function end(line) {
  ended = true;
  said[said.length] = line;
}

// Nothing can go on. Ask every promise that was ever awaited whether it is settled; the answers come with the next jobs.
function probe() {
  probed = bare([]);
  const keys = objectKeys(modules);
  for (let i = 0; i <= keys.length; i++) {
    const module = i === keys.length ? main : modules[keys[i]];
    if (module.waits === undefined) continue;
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
  said[said.length] = "A";
}

// Told by the engine of every rejection that nobody handles, and of those handled later. Runs inside the engine.
hide(global, "__llmspell_tracker", (promise, reason, handled) => {
  if (handled) mapDelete(unhandled, promise);
  else mapSet(unhandled, promise, reason);
});

hide(global, "__llmspell_slot", slot);

const core = record({
  BridgeError, MARK, NONE, NativePromise, ObjectPrototype, TypeError: PlainTypeError,
  apply, ask, bare, cannotCross, countNodes, countText, create, cut, decode, defineProperty, emit, freeze, functionNumbers,
  functions, getOwnPropertyDescriptor, getPrototypeOf, handles, hide, isError, mapEach, mapGet, mapSet, mapSize, mark, method,
  nativeThen, objectKeys, record, revive, saved, say, stringify, then, trail, walk, weakGet, weakSet,
  forget(id) {
    const call = mapGet(pending, id);
    if (call !== undefined && mapDelete(pending, id) && call.counts) outstanding--;
  },
  lastCall: () => lastCall,
});

// Whether a text parses. It throws before anything of the text itself can run, wherever its parentheses close.
function check(text) {
  try {
    evaluate("throw undefined;\n" + text);
  } catch (error) {
    if (error !== undefined) return stringify(describe(error));
  }
  return "";
}

prepareGlobals();

hide(global, "__llmspell_enter", (op, a, b, c) => {
  try {
    if (op === "flush") return flush();
    if (op === "reply") settle(+a, b);
    else if (op === "invoke") invoke(+a, +b, c);
    else if (op === "load") load(+a, b, c);
    else if (op === "begin") begin(a, b, c);
    else if (op === "drop") mapGet(invocations, +a)?.();
    else if (op === "cancel") abandonAll(a);
    else if (op === "check") return check(a);
    return "";
  } catch (error) {
    try {
      return cut("!" + stringify(describe(error)), 0);
    } catch {
      // A text that is there already: whatever is wrong, nothing of a script's may leave as an exception.
      return '!{"name":"Error","message":"the glue could not tell of an error","stack":""}';
    }
  }
});
