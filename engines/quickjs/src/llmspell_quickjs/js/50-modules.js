// Files as modules: what every spell needs of them. What only those need that import or require something stands in
// the part "modules".

const modules = create(null); // by key
const EMPTY = bare([]);
const namespaces = new NewWeakMap(); // object of a module's live names -> true

// Make a module of a prepared file. Only a function expression is evaluated here, nothing of the author's runs.
function compile(described, code) {
  const { key, first, globals } = described;
  for (let i = 0; i < globals.length; i++) prepareGlobal(globals[i], key);
  files[files.length] = described;
  if (described.calls.length > 0 || described.isWide) {
    described.code = code;
    part("places"); // now: where an error is looked at, the host may not be asked
  }
  let body;
  try {
    body = evaluate(code);
  } catch (error) {
    if (isError(error)) weakSet(origins, error, record({ kind: "syntax" }));
    throw error;
  }
  return record({
    key, first, body, state: "new", isMain: false, isModule: described.isModule, isAsync: described.isAsync,
    requests: described.requests, stars: described.stars,
    dependencies: described.requests.length > 0 ? undefined : EMPTY,
    exports: {}, holder: undefined, namespace: undefined, waits: bare([]), promise: undefined, error: undefined,
  });
}

// Call a module's function; returns what it returns. `chain` is what led here: { key, up }.
function start(module, chain) {
  const here = record({ key: module.key, up: chain });
  const imported = module.dependencies.length > 0 ? part("modules").imported(module) : EMPTY;
  const helper = record({
    m: imported,
    default: undefined,
    exports: (getters) => copyNames(getters, module.namespace, false),
    import: (name) => part("modules").importing(name, module.key, here),
    wait(number, value) {
      module.waits[number] = value;
      return tasks === undefined ? value : tasks.waiting(value);
    },
    open: opened,
    each: (number, iterable) => part("for-await").drawn(module, number, iterable),
    get meta() { return part("meta").of(module); },
  });
  const require = (name) => part("modules").required(name, module.key, here);
  defineProperty(require, "name", record({ value: "require", configurable: true }));
  if (module.isModule) {
    module.namespace = create(null);
    for (let i = 0; i < module.stars.length; i++) copyNames(imported[module.stars[i]], module.namespace, true);
  }
  module.holder = { exports: module.exports };
  const self = module.isModule || module.isMain ? undefined : module.exports;
  return apply(module.body, self, [helper, require, module.holder, module.exports]);
}

// The other half of an await: see the part "tasks".
function opened(value) {
  return tasks === undefined ? value : tasks.resumed(value);
}

function copyNames(from, to, star) {
  weakSet(namespaces, to, true);
  const names = objectKeys(from);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (star && name === "default") continue;
    defineProperty(to, name, record({ get: () => from[name], enumerable: true, configurable: true }));
  }
}

function exportsOf(module) {
  if (module.isModule) return module.namespace;
  return module.holder === undefined ? module.exports : module.holder.exports;
}
