// Modules: bridges, files of the spell, modules of other languages. One resolver for require, import and import().
// A module is evaluated once per run. A circular import is an error that names the circle, as in every language here.
(function (core) {
  "use strict";
  const { NativePromise, bare, compile, copyNames, create, cut, decode, defineProperty, exportsOf, find } = core;
  const { freeze, halt, host, lower, mapGet, mapSet, modules, nativeThen, origins, parse, record } = core;
  const { searches, setPrototypeOf, start, stringify, tellSaid, weakGet, weakSet } = core;
  const { BridgeError, callSite, faultError, method, nextCall, placeOf, refuseCancelled } = core.part("calls");
  const resolved = new core.saved.Map(); // importer + name -> module

  // Whose code is running; and to go on as that, after an await or what the host said in between.
  function now() {
    const tasks = core.tasks();
    return tasks === undefined ? undefined : tasks.now();
  }

  function goOn(task) {
    const tasks = core.tasks();
    if (tasks !== undefined) tasks.goOn(task);
  }

  // Have the host find a module. One of another language may come back to this guest: what the host says meanwhile is
  // heard by `enter`, above this frame, and leaves no trace in whose code goes on below it.
  function __llmspell_search(place, name, importer, chain) {
    const id = nextCall();
    const task = now();
    searches[searches.length] = chain;
    if (task !== undefined) core.tasks().searching(task, id);
    try {
      return host("module", stringify(bare([id, place, name, importer])), tellSaid());
    } finally {
      searches.length--;
      if (task !== undefined) core.tasks().answered(id, record({ task }));
      goOn(task);
    }
  }

  // Find a module, by the name a file asks for it. `chain` is that file, and those that wait for it; `line` of the engine
  // is where it asks, if no code of its own does.
  function resolve(name, importer, chain, line) {
    if (typeof name !== "string") throw new core.TypeError("the name of a module must be a text");
    refuseCancelled();
    const wanted = importer + "\n" + name;
    const known = mapGet(resolved, wanted);
    if (known !== undefined) return known;
    if (name === "async" || name === "channel") return ownModule(name);
    const site = callSite();
    const answer = __llmspell_search(placeOf(site, line), name, importer, chain);
    const kind = answer[0];
    let module;
    if (kind === "B") module = bridgeModule(parse(cut(answer, 1)));
    else if (kind === "S") module = sourceModule(answer);
    else if (kind === "K") module = knownModule(parse(cut(answer, 1)));
    else if (kind === "F") module = foreignModule(name, answer);
    else if (kind === "Y") throw syntaxError(parse(cut(answer, 1)));
    else if (kind === "E") throw moduleFault(decode(cut(answer, 1)), site, name);
    else return halt();
    mapSet(resolved, wanted, module);
    return module;
  }

  // A module of the language itself: it needs no host to be found.
  function ownModule(name) {
    const key = "own:" + name;
    const known = modules[key];
    if (known !== undefined) return known;
    return (modules[key] = record({ key, state: "done", exports: core.part(name)[name], isModule: false }));
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
    const unknown = record({ get: (_, name) => unknownExport(described[0], name) });
    const asked = new core.Proxy(create(null), unknown);
    setPrototypeOf(exports, asked);
    freeze(exports);
    return (modules[key] = record({ key, state: "done", exports, asked, isModule: false }));
  }

  // A name a bridge does not have: calling it is how the host gets to say which one was meant.
  function unknownExport(bridge, name) {
    if (typeof name !== "string" || name === "then" || name === "toJSON" || name === "constructor") return undefined;
    if (name in core.ObjectPrototype) return core.ObjectPrototype[name]; // a text of a bridge, for example
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

  // "S" + JSON of the description + "\n" + code
  function sourceModule(answer) {
    const end = find(answer, "\n");
    const described = parse(cut(answer, 1, end));
    return (modules[described.key] = compile(described, cut(answer, end + 1)));
  }

  // A file the host has handed over before. It is not there if it did not compile, for want of stack perhaps.
  function knownModule(key) {
    return modules[key] || sourceModule(host("again", key));
  }

  function syntaxError(described) {
    const error = new core.SyntaxError(described.message);
    weakSet(origins, error, record({ kind: "syntax", place: described.place }));
    return error;
  }

  // Find what a module imports statically, and what that imports.
  function link(module, chain) {
    if (module.dependencies !== undefined || module.requests === undefined) return;
    const here = record({ key: module.key, up: chain });
    const dependencies = bare([]);
    for (let i = 0; i < module.requests.length; i++) {
      const dependency = asked(module, module.requests[i], here);
      if (dependency.state === "new") link(dependency, here);
      dependencies[i] = dependency;
      if (dependency.isAsync && dependency.state !== "done") module.isAsync = true;
    }
    module.dependencies = dependencies;
  }

  // Find what a static import asks for. No frame of the author's is on the stack yet: an error is given its place.
  function asked(module, request, here) {
    try {
      const dependency = resolve(request.specifier, module.key, here, module.first + request.line - 1);
      refuseCircle(dependency, here);
      return dependency;
    } catch (error) {
      const origin = weakGet(origins, error);
      if (origin !== undefined && origin.place === undefined) origin.place = importedAt(module, request);
      throw error;
    }
  }

  function importedAt(module, request) {
    return bare([module.key, request.line, 1]);
  }

  function refuseCircle(module, chain) {
    let path = module.key;
    for (let link = chain; link !== undefined; link = link.up) {
      path = link.key + " -> " + path;
      if (link.key === module.key) throw circular(path, module.key);
    }
  }

  function circular(path, key) {
    const error = new BridgeError("modules require each other in a circle: " + path, "circular_module");
    weakSet(origins, error, record({ kind: "module", module: key }));
    return error;
  }

  // What waits for a module that the host has run: the files it names, the last of them asks; and the file of this
  // language that waits for that one, if there is one, with those that wait for it here. Where no search is by any of
  // them, somebody asks who has nothing to do with what is being searched.
  function chainOf(names) {
    let chain = names.length === 0 && searches.length > 0 ? searches[searches.length - 1] : undefined;
    let known = -1;
    for (let at = searches.length - 1; at >= 0 && known < 0; at--) {
      const search = searches[at]; // undefined where it is by no file: a global is looked for
      for (let i = 0; i < names.length; i++) if (search !== undefined && names[i] === search.key) known = i;
      if (known >= 0) chain = search;
    }
    for (let i = known + 1; i < names.length; i++) chain = record({ key: names[i], up: chain });
    return chain;
  }

  // Whether whoever waits in a chain is waited for by a search.
  function isSearched(chain) {
    for (let link = chain; link !== undefined; link = link.up) {
      for (let i = 0; i < searches.length; i++) if (searches[i] === link) return true;
    }
    return false;
  }

  // Whether a module that is being run is in the middle of a search: nothing of it goes on before that has ended.
  function isBlocked(module) {
    for (let i = 0; i < searches.length; i++) {
      for (let link = searches[i]; link !== undefined; link = link.up) if (link.key === module.key) return true;
    }
    return false;
  }

  // Evaluate a module and what it imports. Returns undefined when that is done, or a promise of it.
  function run(module, chain) {
    if (module.state === "done") return undefined;
    if (module.state === "failed") throw module.error;
    refuseCircle(module, chain);
    if (module.state === "running") {
      if (isBlocked(module)) {
        if (chain === undefined || isSearched(chain)) throw circular(module.key + " -> ... -> " + module.key, module.key);
        if (module.promise === undefined) return afterwards(module, chain);
      }
      return joined(module, chain);
    }
    link(module, chain);
    module.state = "running";
    if (module.isAsync) return (module.promise = runAsync(module, chain));
    try {
      runAll(module, chain);
      start(module, chain);
      module.state = "done";
    } catch (error) {
      fail(module, error);
      throw error;
    } finally {
      const left = module.left;
      module.left = undefined;
      if (left !== undefined) left();
    }
    return undefined;
  }

  // Wait for a run that is in the middle of a search, and which that search may call off.
  async function afterwards(module, chain) {
    const task = now();
    const others = module.left;
    await new NativePromise((resolve) => {
      module.left = () => {
        if (others !== undefined) others();
        resolve();
      };
    });
    goOn(task);
    const waiting = run(module, chain);
    if (waiting !== undefined) await waiting;
  }

  // Wait for a run that somebody else has begun, and may call off.
  async function joined(module, chain) {
    const task = now();
    try {
      await module.promise;
    } catch (error) {
      if (module.state !== "new") throw error;
      goOn(task);
      const waiting = run(module, chain);
      if (waiting !== undefined) await waiting;
    }
  }

  // A module that fails stays failed. One whose run was called off is run anew for whoever asks next.
  function fail(module, error) {
    module.state = core.isError(error) && error.code === "cancelled" ? "new" : "failed";
    module.error = error;
    module.promise = undefined;
    module.exports = {};
  }

  async function runAsync(module, chain) {
    const task = now();
    try {
      for (let i = 0; i < module.dependencies.length; i++) {
        const waiting = run(module.dependencies[i], record({ key: module.key, up: chain }));
        if (waiting !== undefined) await waiting;
        goOn(task);
      }
      const result = start(module, chain);
      if (result !== undefined) await result;
      module.state = "done";
    } catch (error) {
      fail(module, error);
      throw error;
    }
  }

  function checkNames(module, request, namespace) {
    for (let i = 0; i < request.names.length; i++) {
      if (!(request.names[i] in namespace)) {
        const name = request.names[i];
        const error = new core.SyntaxError(
          "'" + request.specifier + "' has no export '" + name + "'; " + instead(name, request.specifier, namespace),
        );
        weakSet(origins, error, record({ kind: "module", module: request.specifier, place: importedAt(module, request) }));
        throw error;
      }
    }
  }

  // What a module has instead of an export it does not have.
  function instead(name, specifier, namespace) {
    if (name === "default") return "import { name } or * as name from '" + specifier + "'";
    const names = core.objectKeys(namespace);
    let text = "";
    for (let i = 0; i < names.length && text.length < 200; i++) {
      if (names[i] !== "default") text += (text === "" ? "it has " : ", ") + names[i];
    }
    if (text !== "") return text;
    return names.length > 0 ? "import it as import name from '" + specifier + "'" : "it exports nothing";
  }

  function namespaceOf(module) {
    if (module.namespace === undefined) {
      const exports = exportsOf(module);
      const namespace = create(module.asked === undefined ? null : module.asked);
      const kind = typeof exports;
      if (kind === "object" ? exports !== null : kind === "function") copyNames(exports, namespace, false);
      if (!("default" in namespace)) namespace.default = exports;
      module.namespace = namespace;
    }
    return module.namespace;
  }

  async function importing(name, importer, chain) {
    const module = resolve("" + name, importer, chain);
    const waiting = run(module, chain);
    if (waiting !== undefined) await waiting;
    return namespaceOf(module);
  }

  // The namespaces a module imports, once what it imports has run.
  function imported(module) {
    const out = bare([]);
    for (let i = 0; i < module.dependencies.length; i++) {
      out[i] = namespaceOf(module.dependencies[i]);
      checkNames(module, module.requests[i], out[i]);
    }
    return out;
  }

  function required(name, importer, chain) {
    const module = resolve(name, importer, chain);
    const waiting = run(module, chain);
    if (waiting !== undefined) {
      nativeThen(waiting, undefined, () => undefined);
      throw new core.TypeError("'" + name + "' awaits at its top level; use await import('" + name + "')");
    }
    return exportsOf(module);
  }

  // Run what the main module imports, before it: at once, or returning a promise.
  function before(main) {
    link(main, undefined);
    return main.isAsync ? beforeAsync(main) : runAll(main, undefined);
  }

  async function beforeAsync(main) {
    const here = record({ key: main.key, up: undefined });
    for (let i = 0; i < main.dependencies.length; i++) {
      const waiting = run(main.dependencies[i], here);
      if (waiting !== undefined) await waiting;
    }
  }

  function runAll(module, chain) {
    const here = record({ key: module.key, up: chain });
    for (let i = 0; i < module.dependencies.length; i++) run(module.dependencies[i], here);
  }

  return record({
    before, chainOf, importing, imported, required, run,
    bridge: (name, importer) => exportsOf(resolve(name, importer, undefined)),
  });
});
