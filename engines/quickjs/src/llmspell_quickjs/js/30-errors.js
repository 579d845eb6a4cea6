// Errors: what the engine itself reads of them is locked, what the host learns of them is told here in plain data.

const origins = new NewWeakMap(); // error -> what the glue knows of it: kind, fault, path
const files = bare([]); // { name, first, count, edits } by the lines they were given
const nativeStack = uncurry(getOwnPropertyDescriptor(PlainError.prototype, "stack").get);
const FRAME = "(<input>:";
const SEARCHING = "    at __llmspell_search "; // what stands below it waits for what stands above it
const OWN_FRAME = "    at __llmspell_file "; // the function a file becomes

// When a script is interrupted or out of memory, the engine turns the error into text with no interrupt armed and no
// way to call the host. It reads toString, name, message and stack, so none of these may lead to a script's code.
// They are accessors, not constants, because subclasses assign them on their instances.
function lockErrors() {
  const kinds = [
    Error, InternalError, RangeError, TypeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError,
  ];
  for (let i = 0; i < kinds.length; i++) {
    const prototype = kinds[i].prototype;
    lock(prototype, "name", prototype.name);
    if (i > 0) delete prototype.message; // Error's, locked, is behind it
    else {
      lock(prototype, "message", "");
      lock(prototype, "toString", prototype.toString);
      lock(prototype, Symbol.toPrimitive, undefined);
      defineProperty(prototype, "stack", record({
        get() { const text = stackOf(this); return typeof text === "string" ? authorsStack(text) : text; },
        set(value) { if (this !== prototype) hide(this, "stack", value); },
        configurable: false,
      }));
    }
    preventExtensions(prototype);
  }
  defineProperty(PlainError, "prepareStackTrace", record({ value: undefined, writable: false, configurable: false }));
  const limit = getOwnPropertyDescriptor(PlainError, "stackTraceLimit");
  defineProperty(PlainError, "stackTraceLimit", record({
    get: limit.get,
    set(value) { if (typeof value === "number") apply(limit.set, PlainError, [value]); },
    configurable: false,
  }));
  const capture = PlainError.captureStackTrace;
  hide(PlainError, "captureStackTrace", function captureStackTrace(target, below) {
    const holder = {};
    capture(holder, below);
    const text = holder.stack;
    hide(target, "stack", typeof text === "string" ? authorsStack(text) : text);
  });
}

function lock(prototype, key, value) {
  defineProperty(prototype, key, record({
    get() { return value; },
    set(given) {
      if (this !== prototype) hide(this, key, given);
    },
    configurable: false,
  }));
}

// The stack of an error as the engine wrote it. If a file waited for a module meanwhile, it ends where that began: what
// stands below is another part of the whole stack, of which the host has all parts.
function stackOf(error) {
  const text = nativeStack(error);
  if (typeof text !== "string") return text;
  const end = find(text, SEARCHING);
  return end < 0 ? text : cut(text, 0, end);
}

// Error stacks name lines of the one text all files are strung together in. Scripts see their own frames, by file.
function authorsStack(text) {
  let out = "";
  let place = find(text, FRAME);
  while (place >= 0) {
    const colon = find(text, ":", place + FRAME.length);
    const file = fileOf(+cut(text, place + FRAME.length, colon));
    if (file !== undefined) {
      let begin = place;
      while (begin > 0 && text[begin - 1] !== "\n") begin--;
      const name = cut(text, begin, place);
      const line = +cut(text, place + FRAME.length, colon) - file.first + 1;
      const column = +cut(text, colon + 1, find(text, ")", colon));
      const at = file.name + ":" + line + ":" + authorsColumn(file.edits, line, column);
      out += name === OWN_FRAME ? "    at " + at + "\n" : name + "(" + at + ")\n";
    }
    place = find(text, FRAME, colon);
  }
  return cut(out, 0);
}

function fileOf(line) {
  for (let i = 0; i < files.length; i++) {
    if (line >= files[i].first && line < files[i].first + files[i].count) return files[i];
  }
  return undefined;
}

// The edits of a line: [line, column, old length, new length], columns from 0 and of the original.
function authorsColumn(edits, line, column) {
  let shift = 0;
  for (let i = 0; i < edits.length; i++) {
    const edit = edits[i];
    if (edit[0] !== line) continue;
    if (column - 1 < edit[1] + shift) break;
    if (column - 1 < edit[1] + shift + edit[3]) return edit[1] + 1;
    shift += edit[3] - edit[2];
  }
  return column - shift;
}
