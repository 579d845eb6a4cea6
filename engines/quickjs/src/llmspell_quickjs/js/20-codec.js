// Values as flat strings. A value crosses as JSON; what JSON lacks is an object with the one key MARK and
// [tag, payload]. The flag before the text says whether any mark is in it, so that the other side can skip looking.

const MARK = "\u0001";
const limits = record({ depth: 64, nodes: 1000000, bytes: 67108864 });
const functions = bare([undefined]); // by number, from 1
const functionNumbers = new NewWeakMap();
const handles = new NewWeakMap(); // handle object -> HostRef number
const trail = bare([]); // the key at each depth, for the path of an error
const standing = bare([]); // the containers being walked, for cycles
let nodes = 0;
let size = 0;
let marked = false;
let walking = false;

function mark(tag, payload) {
  marked = true;
  const out = create(null);
  out[MARK] = bare([tag, payload]);
  return out;
}

function countText(text, depth) {
  size += text.length;
  if (size > limits.bytes) {
    const message = "the value holds more than " + limits.bytes + " bytes of text (limit: value bytes)";
    throw part("refusals").cannotCross(message, depth);
  }
}

function countNodes(n, depth) {
  nodes += n;
  if (nodes > limits.nodes) {
    const message = "the value has more than " + limits.nodes + " parts (limit: value nodes)";
    throw part("refusals").cannotCross(message, depth);
  }
}

// Copy a value into plain data that JSON.stringify cannot be led astray on: no prototypes, no accessors, no toJSON.
// Whatever the script's getters, proxies and toJSON methods do, they do here, while the interrupt is armed.
function walk(value, depth) {
  switch (typeof value) {
    case "string":
      size += value.length;
      if (size > limits.bytes) countText("", depth);
      return value;
    case "number":
      if (isSafeInteger(value) ? value !== 0 || 1 / value > 0 : value % 1 !== 0 && value - value === 0) return value;
      return mark("n", value === 0 ? "-0" : "" + value);
    case "boolean":
      return value;
    case "undefined":
      return null;
    case "bigint": {
      const digits = toBase16(value, 16);
      countText(digits, depth);
      return mark("i", digits);
    }
    case "function":
      return part("rare").callable(value, depth);
    case "symbol":
      throw part("refusals").cannotCross("a symbol cannot cross", depth);
  }
  return value === null ? null : container(value, depth);
}

function container(value, depth) {
  if (depth >= limits.depth) throw part("refusals").tooDeep(value, depth);
  standing[depth] = value;
  if (isArray(value)) return list(value, depth);
  const prototype = getPrototypeOf(value);
  if (prototype !== ObjectPrototype && prototype !== null) {
    const special = part("rare").special(value, depth);
    if (special !== undefined) return special;
  }
  const toJSON = value.toJSON;
  if (typeof toJSON === "function") {
    const key = depth === 0 ? "" : trail[depth - 1];
    trail[depth] = "toJSON()";
    return walk(apply(toJSON, value, ["" + key]), depth + 1);
  }
  return dict(value, depth);
}

function list(value, depth) {
  const length = value.length;
  countNodes(length, depth);
  const out = bare([]);
  for (let i = 0; i < length; i++) {
    const item = value[i];
    if (typeof item === "string") {
      size += item.length;
      out[i] = item;
    } else if (typeof item === "number" && (item % 1 !== 0 ? item - item === 0 : (item | 0) === item && item !== 0)) {
      out[i] = item; // what JSON says as it is: finite fractions, and small integers but zeros
    } else {
      trail[depth] = i;
      out[i] = walk(item, depth + 1);
    }
  }
  if (size > limits.bytes) countText("", depth);
  return out;
}

function dict(value, depth) {
  const names = objectKeys(value);
  const count = names.length;
  countNodes(count, depth);
  const out = create(null);
  for (let i = 0; i < count; i++) {
    const name = names[i];
    const item = value[name];
    size += name.length;
    if (typeof item === "string") {
      size += item.length;
      out[name] = item;
    } else if (typeof item === "number" && (item % 1 !== 0 ? item - item === 0 : (item | 0) === item && item !== 0)) {
      out[name] = item;
    } else {
      trail[depth] = name;
      out[name] = walk(item, depth + 1);
    }
  }
  if (size > limits.bytes) countText("", depth);
  return MARK in out ? part("rare").escaped(out) : out;
}

// Make a frame of what `make` walks, which counts together. A getter that calls the host has another frame made in the
// middle of this one, which then goes on as it was.
function framed(make) {
  const outer = walking ? record({ nodes, size, marked, trail: copyOf(trail), standing: copyOf(standing) }) : undefined;
  walking = true;
  nodes = 1;
  size = 0;
  marked = false;
  try {
    const text = stringify(make());
    return cut((marked ? "T" : "P") + text, 0);
  } finally {
    walking = outer !== undefined;
    if (walking) goOn(outer);
  }
}

function goOn(outer) {
  ({ nodes, size, marked } = outer);
  for (let i = 0; i < outer.trail.length; i++) trail[i] = outer.trail[i];
  for (let i = 0; i < outer.standing.length; i++) standing[i] = outer.standing[i];
}

function copyOf(array) {
  const copy = bare([]);
  for (let i = 0; i < array.length; i++) copy[i] = array[i];
  return copy;
}

// The way in: the host's data is well-formed and within limits, and nothing of it runs.
function decode(frame) {
  const data = parse(cut(frame, 1));
  return frame[0] === "T" ? revive(data) : data;
}

function revive(item) {
  if (typeof item !== "object" || item === null) return item;
  if (isArray(item)) {
    for (let i = 0; i < item.length; i++) item[i] = revive(item[i]);
    return item;
  }
  const names = objectKeys(item);
  if (names.length === 1 && names[0] === MARK) return part("rare").unmark(item[MARK]);
  for (let i = 0; i < names.length; i++) item[names[i]] = revive(item[names[i]]);
  return item;
}
