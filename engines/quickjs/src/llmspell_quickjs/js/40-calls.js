// Calls to the host. A synchronous one asks and waits; an asynchronous one is only said, and its promise is settled
// when the reply comes.

const said = bare([]); // lines for the host, in order
const pending = new NewMap(); // call number -> { resolve, reject, site, counts }
let outstanding = 0; // pending calls that keep the run going
let lastCall = 0;
let cancelled = "";
let tasks; // the part of that name, once a script uses tasks

function halt() {
  for (;;) {
    // The host has tripped the interrupt: this loop is where it strikes, and nothing can catch it.
  }
}

function startCall(target, method, args, line) {
  if (cancelled !== "") throw new BridgeError(cancelled, "cancelled");
  beginFrame();
  const copies = list(args, 0);
  return endFrame(bare([++lastCall, line, target, method, copies]));
}

function ask(target, method, args) {
  const site = callSite();
  const answer = host("ask", startCall(target, method, args, lineOf(site)), tellSaid());
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
  if (tasks !== undefined) tasks.refuseCancelled(tasks.now());
  const site = callSite();
  const frame = startCall(target, method, args, lineOf(site));
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
  mapDelete(pending, id);
  if (call.counts) outstanding--;
  if (tasks !== undefined) tasks.answered(id, call);
  try {
    call.resolve(take(answer, call.site));
  } catch (error) {
    call.reject(error);
  }
}

function abandonAll(message) {
  cancelled = message;
  mapEach(pending, (call) => call.reject(faultError(bare(["cancelled", message, null, 0]), call.site)));
}

// A function of the script's world that calls an export.
function method(target, name, isAsync, shown) {
  const call = isAsync ? (...args) => say(target, name, args) : (...args) => ask(target, name, args);
  defineProperty(call, "name", record({ value: shown, configurable: true }));
  return call;
}

function tellSaid() {
  if (said.length === 0) return "";
  const text = join(said, "\n");
  said.length = 0;
  return text;
}

function emit(kind, text) {
  if (host("emit", kind, stringify(text)) !== "") halt();
}

const parts = create(null);

// Parts of the glue that few scripts need are evaluated when the first one does. The host gives text, or puts the
// part's function into the slot.
const slot = create(null);

function part(name) {
  const known = parts[name];
  if (known !== undefined) return known;
  const text = host("part", name);
  const make = text === "" ? slot[name] : evaluate(text);
  const made = (parts[name] = make(core));
  if (name === "tasks") tasks = made;
  return made;
}

function then(promise, done, failed) {
  return nativeThen(promise, done, failed);
}
