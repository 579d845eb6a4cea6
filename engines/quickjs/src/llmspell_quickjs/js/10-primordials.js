// What the glue uses of the language, saved before any script runs. After this file nothing of the glue may look up
// a global or call a method by its name on an object a script could reach: scripts may have changed both.
// All core files share one function scope; the host evaluates them as one text.

const { create, defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf, preventExtensions, setPrototypeOf } =
  Object;
const objectKeys = Object.keys;
const ObjectPrototype = Object.prototype;
const objectToString = ObjectPrototype.toString;
const { apply, ownKeys } = Reflect;
const { isArray } = Array;
const { isSafeInteger } = Number;
const { parse, stringify } = JSON;
const global = globalThis;
const evaluate = eval; // called by this name it is the indirect one: global scope
const isError = Error.isError;
const PlainError = Error;
const PlainTypeError = TypeError;
const PlainRangeError = RangeError;
const SyntaxErrorClass = SyntaxError;
const NativePromise = Promise;
const PromisePrototype = Promise.prototype;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const cut = uncurry(String.prototype.slice);
const find = uncurry(String.prototype.indexOf);
const join = uncurry(Array.prototype.join);
const toBase16 = uncurry(BigInt.prototype.toString);
const mapGet = uncurry(Map.prototype.get);
const mapSet = uncurry(Map.prototype.set);
const mapDelete = uncurry(Map.prototype.delete);
const mapEach = uncurry(Map.prototype.forEach);
const mapSize = uncurry(getOwnPropertyDescriptor(Map.prototype, "size").get);
const weakGet = uncurry(WeakMap.prototype.get);
const weakSet = uncurry(WeakMap.prototype.set);
const nativeThen = uncurry(Promise.prototype.then);
const lower = uncurry(String.prototype.toLowerCase);
const NewMap = Map;
const NativeProxy = Proxy;
const NewWeakMap = WeakMap;
const NONE = freeze([]);

// Used by parts that are loaded only when needed, perhaps after a script has changed what they go by.
const typedPrototype = getPrototypeOf(Uint8Array.prototype);
const getterOf = (prototype, name) => getOwnPropertyDescriptor(prototype, name).get;
const saved = record({
  bigIntOf: BigInt.prototype.valueOf,
  booleanOf: Boolean.prototype.valueOf,
  bufferLength: getterOf(ArrayBuffer.prototype, "byteLength"),
  dateTime: Date.prototype.getTime,
  domMessage: getterOf(DOMException.prototype, "message"),
  domName: getterOf(DOMException.prototype, "name"),
  fromBase64: Uint8Array.fromBase64,
  isView: ArrayBuffer.isView,
  mapSizeOf: getterOf(Map.prototype, "size"),
  numberOf: Number.prototype.valueOf,
  setEach: Set.prototype.forEach,
  setSize: getterOf(Set.prototype, "size"),
  stringOf: String.prototype.valueOf,
  toBase64: Uint8Array.prototype.toBase64,
  typedLength: getterOf(typedPrototype, "length"),
  typedTag: getterOf(typedPrototype, Symbol.toStringTag),
  viewBuffer: getterOf(DataView.prototype, "buffer"),
  viewLength: getterOf(DataView.prototype, "byteLength"),
  viewOffset: getterOf(DataView.prototype, "byteOffset"),
  mapDelete,
  BigInt, Date, Map, Number, Set, Uint8Array, WeakMap,
  asyncIterator: Symbol.asyncIterator,
  iterator: Symbol.iterator,
  species: Symbol.species,
  toStringTag: Symbol.toStringTag,
});

// The one way to the host. It takes and gives flat strings, and never raises.
const host = global.__llmspell_host;
delete global.__llmspell_host;

// An array or object that no script's changes to Array.prototype or Object.prototype can touch.
function bare(array) {
  return setPrototypeOf(array, null);
}

function record(fields) {
  return setPrototypeOf(fields, null);
}

function hide(target, name, value) {
  defineProperty(target, name, record({ value, writable: true, configurable: true, enumerable: false }));
}
