// Errors: what the engine itself reads of them is locked, what the host learns of them is told here in plain data.

const origins = new NewWeakMap(); // error -> what the glue knows of it: kind, fault, path
const files = bare([]); // { name, first, count, edits } by the lines they were given
const nativeStack = uncurry(getOwnPropertyDescriptor(PlainError.prototype, "stack").get);
const FRAME = "(<input>:";
const SEARCHING = "    at __llmspell_search "; // what stands below it waits for what stands above it
const OWN_NAME = "__llmspell_file"; // the function a file becomes

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
        get() { const text = stackOf(this); return typeof text === "string" ? authorsStack(text, this) : text; },
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
function authorsStack(text, error) {
  let out = "";
  let called = places === undefined ? undefined : places.called(error); // the function that a frame has called
  for (let begin = 0, end; begin < text.length; begin = end + 1) {
    end = find(text, "\n", begin);
    if (end < 0) end = text.length;
    const line = cut(text, begin, end);
    const name = cut(line, 7, find(line, " ("));
    const place = find(line, FRAME);
    if (place >= 0) {
      const at = authorsPlace(cut(line, place + FRAME.length), called);
      if (at !== "") out += "    at " + (name === OWN_NAME ? at : name + " (" + at + ")") + "\n";
    }
    called = name;
  }
  return out;
}

// "line:column)" of the engine in the author's words; "" if it is nobody's.
function authorsPlace(place, called) {
  const colon = find(place, ":");
  const engineLine = +cut(place, 0, colon);
  const engineColumn = +cut(place, colon + 1, find(place, ")"));
  const file = fileOf(engineLine);
  if (file === undefined) return "";
  const line = engineLine - file.first + 1;
  const column = authorsColumn(file.edits, line, engineColumn);
  const at = places === undefined ? line + ":" + column : places.exactly(file, line, column, engineColumn, called);
  return file.name + ":" + at;
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
