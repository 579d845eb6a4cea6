// Visits: what the host asks of the script, and the answers. Functions are called, modules for another language
// evaluated.
(function (core) {
  "use strict";
  const { apply, bare, decode, exportsOf, failure, functions, invocations, mapDelete, mapSet, modules } = core;
  const { nativeThen, record, said, success, whenSettled } = core;
  const { BridgeError } = core.part("calls");
  const tasks = core.part("tasks");

  // Do something for the host and answer with what comes of it.
  function serve(id, work) {
    const answer = (line) => {
      if (!mapDelete(invocations, id)) return;
      said[said.length] = line;
    };
    const failed = (error) => answer(failure(id, error));
    let visit;
    const cancel = () => {
      const error = new BridgeError("the call was cancelled", "cancelled");
      answer(failure(id, error, "cancelled"));
      if (visit !== undefined) tasks.endVisit(visit, error);
    };
    mapSet(invocations, id, cancel);
    try {
      visit = tasks.visit();
      whenSettled(tasks.within(visit, work), (value) => answer(success(id, value)), failed);
    } catch (error) {
      failed(error);
    }
  }

  function invoke(id, number, args, callAll) {
    serve(id, () => {
      const callback = functions[number];
      if (callback === undefined) throw new core.TypeError("there is no function " + number + " to call");
      return callAll(callback, decode(args));
    });
  }

  function once(callback, args) {
    return apply(callback, undefined, args);
  }

  // Call a function with each of several items alone until it answers false; tells how many calls there were then.
  // Only what a function promises is waited for.
  function each(callback, items) {
    const visit = tasks.now();
    let calls = 0;
    const goOn = () => {
      while (calls < items.length) {
        tasks.refuseCancelled(visit);
        const answer = apply(callback, undefined, bare([items[calls++]]));
        if (core.isThenable(answer)) {
          return nativeThen(new core.NativePromise((resolve) => resolve(answer)), heard);
        }
        if (answer === false) return calls;
      }
      return undefined;
    };
    const heard = tasks.bound((answer) => (answer === false ? calls : goOn()));
    return goOn();
  }

  // A module that is there already is not evaluated again.
  function load(id, description, code) {
    serve(id, () => {
      const described = core.parse(description);
      const module = modules[described.key] || (modules[described.key] = core.compile(described, code));
      const waiting = core.part("modules").run(module, core.part("modules").chainOf(described.chain));
      return waiting === undefined ? exportsOf(module) : nativeThen(waiting, () => exportsOf(module));
    });
  }

  return record({
    load,
    invoke: (id, number, args) => invoke(id, number, args, once),
    invokeEach: (id, number, args) => invoke(id, number, args, each),
  });
});
