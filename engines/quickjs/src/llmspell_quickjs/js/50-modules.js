// Modules: bridges, files of the spell, modules of other languages. One resolver for require, import and import().
// A module is evaluated once per run. A circular import is an error that names the circle, as in every language here.

const modules = create(null); // by key
const resolved = new NewMap(); // importer + name -> module

// chain: the modules whose evaluation led here, innermost first.
function resolve(name, importer, chain) {
  if (typeof name !== "string") throw new PlainTypeError("the name of a module must be a text");
  const wanted = importer + "\n" + name;
  const known = mapGet(resolved, wanted);
  if (known !== undefined) return known;
  const site = callSite();
  const answer = host("module", stringify(bare([++lastCall, lineOf(site), name, importer])), tellSaid());
  const kind = answer[0];
  let module;
  if (kind === "B") module = bridgeModule(parse(cut(answer, 1)));
  else if (kind === "S") module = sourceModule(answer);
  else if (kind === "F") module = foreignModule(name, answer);
  else if (kind === "Y") throw syntaxError(parse(cut(answer, 1)));
  else if (kind === "E") throw moduleFault(decode(cut(answer, 1)), site, name);
  else return halt();
  mapSet(resolved, wanted, module);
  return module;
}

function moduleFault(fault, site, name) {
  const error = faultError(fault, site);
  if (fault[0] === "module_not_found" || fault[0] === "bridge_not_found") {
    weakGet(origins, error).kind = "module";
    weakGet(origins, error).module = name;
  }
  return error;
}

function bridgeModule(described) {
  const key = "bridge:" + described[0];
  const known = modules[key];
  if (known !== undefined) return known;
  const exports = {};
  const methods = described[1];
  for (let i = 0; i < methods.length; i++) {
    const value = method(described[0], methods[i][1], methods[i][2], methods[i][0]);
    defineProperty(exports, methods[i][0], record({ value, enumerable: true }));
  }
  setPrototypeOf(exports, new NativeProxy(create(null), record({ get: (_, name) => unknownExport(described[0], name) })));
  freeze(exports);
  return (modules[key] = record({ key, state: "done", exports, isModule: false }));
}

// A name a bridge does not have: calling it is how the host gets to say which one was meant.
function unknownExport(bridge, name) {
  if (typeof name !== "string" || name === "then" || name === "toJSON" || name === "constructor") return undefined;
  let snake = "";
  for (let i = 0; i < name.length; i++) {
    const c = name[i];
    snake += c >= "A" && c <= "Z" ? "_" + lower(c) : c;
  }
  return method(bridge, snake, false, name);
}

function foreignModule(name, answer) {
  const exports = decode(cut(answer, 1));
  const key = "foreign:" + name;
  return (modules[key] = record({ key, state: "done", exports, isModule: false }));
}

// "S" + JSON of the description + "\n" + code, or only the description if the module is known already.
function sourceModule(answer) {
  const end = find(answer, "\n");
  const described = parse(end < 0 ? cut(answer, 1) : cut(answer, 1, end));
  const known = modules[described.key];
  return known !== undefined ? known : (modules[described.key] = compile(described, cut(answer, end + 1)));
}

// Make a module of a prepared file. Only a function expression is evaluated here, nothing of the author's runs.
function compile(described, code) {
  const module = record({
    key: described.key, state: "new", isModule: described.isModule, isAsync: described.isAsync, hasDefault: described.hasDefault,
    requests: described.requests, stars: described.stars, namespace: undefined, exports: {}, waits: bare([]), body: undefined,
    promise: undefined, error: undefined,
  });
  for (let i = 0; i < described.globals.length; i++) {
    const name = described.globals[i][1];
    lazyGlobal(described.globals[i][0], () => exportsOf(resolve(name, described.key, undefined)));
  }
  files[files.length] = record({ name: described.name, first: described.first, count: described.count, edits: described.edits });
  try {
    module.body = evaluate(code);
  } catch (error) {
    if (isError(error)) weakSet(origins, error, record({ kind: "syntax" }));
    throw error;
  }
  return module;
}

function syntaxError(described) {
  const error = new SyntaxErrorClass(described.message);
  weakSet(origins, error, record({ kind: "syntax", place: described.place }));
  return error;
}

function link(module, chain) {
  if (module.state !== "new" || module.dependencies !== undefined) return;
  const here = record({ key: module.key, up: chain });
  const dependencies = bare([]);
  for (let i = 0; i < module.requests.length; i++) {
    const dependency = resolve(module.requests[i].specifier, module.key, here);
    refuseCircle(dependency, here);
    if (dependency.state === "new") link(dependency, here);
    dependencies[i] = dependency;
    if (dependency.isAsync && dependency.state !== "done") module.isAsync = true;
  }
  module.dependencies = dependencies;
}

function refuseCircle(module, chain) {
  let path = module.key;
  for (let link = chain; link !== undefined; link = link.up) {
    path = link.key + " -> " + path;
    if (link.key === module.key) {
      const error = new BridgeError("circular import: " + path, "circular_import");
      weakSet(origins, error, record({ kind: "module", module: module.key }));
      throw error;
    }
  }
}

// Evaluate a module and what it imports. Returns undefined when that is done, or a promise of it.
function run(module, chain) {
  if (module.state === "done") return undefined;
  if (module.state === "failed") throw module.error;
  refuseCircle(module, chain);
  if (module.state === "running") return module.promise;
  link(module, chain);
  module.state = "running";
  if (module.isAsync) return (module.promise = runAsync(module, chain));
  try {
    for (let i = 0; i < module.dependencies.length; i++) run(module.dependencies[i], record({ key: module.key, up: chain }));
    start(module, chain);
    module.state = "done";
  } catch (error) {
    module.state = "failed";
    module.error = error;
    throw error;
  }
  return undefined;
}

async function runAsync(module, chain) {
  try {
    for (let i = 0; i < module.dependencies.length; i++) {
      const waiting = run(module.dependencies[i], record({ key: module.key, up: chain }));
      if (waiting !== undefined) await waiting;
    }
    const result = start(module, chain);
    if (result !== undefined) await result;
    module.state = "done";
  } catch (error) {
    module.state = "failed";
    module.error = error;
    throw error;
  }
}

// Call a module's function; returns what it returns.
function start(module, chain) {
  const here = record({ key: module.key, up: chain });
  const imported = bare([]);
  for (let i = 0; i < module.dependencies.length; i++) {
    imported[i] = namespaceOf(module.dependencies[i]);
    checkNames(module.requests[i], module.dependencies[i], imported[i]);
  }
  const helper = record({
    m: imported,
    default: undefined,
    exports: (getters) => defineExports(module, getters),
    import: (name) => dynamicImport(name, module.key, here),
    wait: (number, value) => (module.waits[number] = value),
    meta: record({ url: module.key }),
  });
  if (module.isModule) {
    module.namespace = create(null);
    for (let i = 0; i < module.stars.length; i++) copyNames(imported[module.stars[i]], module.namespace, true);
  }
  const require = requireFrom(module.key, here);
  module.holder = { exports: module.exports };
  const body = module.body;
  const result = apply(body, module.isModule || module.isMain ? undefined : module.exports, [helper, require, module.holder, module.exports]);
  module.helper = helper;
  return result;
}

function defineExports(module, getters) {
  copyNames(getters, module.namespace, false);
}

function copyNames(from, to, star) {
  const names = objectKeys(from);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (star && name === "default") continue;
    defineProperty(to, name, record({ get: () => from[name], enumerable: true, configurable: true }));
  }
}

function checkNames(request, dependency, namespace) {
  for (let i = 0; i < request.names.length; i++) {
    if (!(request.names[i] in namespace)) {
      const error = new SyntaxErrorClass("'" + request.specifier + "' has no export '" + request.names[i] + "'");
      weakSet(origins, error, record({ kind: "module", module: request.specifier, line: request.line }));
      throw error;
    }
  }
}

function exportsOf(module) {
  if (module.isModule) return module.namespace;
  return module.holder === undefined ? module.exports : module.holder.exports;
}

function namespaceOf(module) {
  if (module.namespace === undefined) {
    const exports = exportsOf(module);
    const namespace = create(null);
    if ((typeof exports === "object" && exports !== null) || typeof exports === "function") copyNames(exports, namespace, false);
    if (!("default" in namespace)) namespace.default = exports;
    module.namespace = namespace;
  }
  return module.namespace;
}

function requireFrom(importer, chain) {
  return function require(name) {
    const module = resolve(name, importer, chain);
    const waiting = run(module, chain);
    if (waiting !== undefined) {
      nativeThen(waiting, undefined, () => undefined);
      throw new PlainTypeError("'" + name + "' awaits at its top level; use await import('" + name + "')");
    }
    return exportsOf(module);
  };
}

async function dynamicImport(name, importer, chain) {
  const module = resolve("" + name, importer, chain);
  const waiting = run(module, chain);
  if (waiting !== undefined) await waiting;
  return namespaceOf(module);
}
