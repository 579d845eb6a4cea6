// The module "async": tasks, combinators, scopes and tokens over promises.
(function (core) {
  "use strict";
  const { NativePromise, bare, freeze, hide, nativeThen, record } = core;
  const { lastCall, say } = core.part("calls");
  const tasks = core.part("tasks");
  const { cancel, drop, operation, problem, recordOf, spawn } = tasks;

  function seconds(value) {
    if (typeof value !== "number" || !(value >= 0)) throw new core.TypeError("seconds must be a number from 0 on");
    return value;
  }

  // Refuse options there are not: a misspelt one would be without effect.
  function only(options, known) {
    if (options !== undefined && (options === null || typeof options !== "object")) {
      throw new core.TypeError("the options are to be an object with '" + known + "'");
    }
    const names = options === undefined ? core.NONE : core.objectKeys(options);
    for (let i = 0; i < names.length; i++) {
      if (names[i] !== known) throw new core.TypeError("there is no option '" + names[i] + "', only '" + known + "'");
    }
  }

  function listOf(items) {
    if (!core.isArray(items)) throw new core.TypeError("a list is expected");
    return items;
  }

  // Call `late` after a while; returns what stops that.
  function after(wait, late) {
    const slept = tasks.within(undefined, () => say("@host", "sleep", [seconds(wait)]));
    const id = lastCall();
    let isOpen = true;
    nativeThen(slept, () => {
      if (isOpen) late();
    }, () => undefined);
    return () => {
      if (isOpen) drop(id);
      isOpen = false;
    };
  }

  // Call `done` or `failed` with the outcome of a promise, task or plain value.
  function watch(item, done, failed) {
    core.whenSettled(item, done, failed);
  }

  // Items become promises; functions are spawned, and those alone are cancelled when nobody wants them any more.
  function begun(items) {
    const started = bare([]);
    const owned = bare([]);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (typeof item !== "function") started[i] = item;
      else {
        const task = spawn(item, []);
        owned[owned.length] = task;
        started[i] = task.promise;
      }
    }
    return record({ started, owned });
  }

  function cancelAll(owned, reason) {
    for (let i = 0; i < owned.length; i++) cancel(owned[i], reason);
  }

  // Wait for several things: `each` is told of every outcome and settles the whole when it knows enough.
  function collect(what, items, each) {
    const { started, owned } = begun(items);
    return operation(what, (resolve, reject) => {
      const finish = (settle) => (value) => {
        settle(value);
        cancelAll(owned, "nobody waits for it any more");
      };
      const done = finish(resolve);
      const failed = finish(reject);
      for (let i = 0; i < started.length; i++) {
        watch(started[i], (value) => each(i, true, value, done, failed),
          (error) => each(i, false, error, done, failed));
      }
      return () => cancelAll(owned, "nobody waits for it any more");
    });
  }

  function all(items) {
    const results = [];
    let left = listOf(items).length;
    if (left === 0) return NativePromise.resolve(results);
    results.length = left;
    return collect("for all of " + left, items, (i, ok, value, done, failed) => {
      if (!ok) return failed(value);
      results[i] = value;
      if (--left === 0) done(results);
    });
  }

  function allSettled(items) {
    const results = [];
    let left = listOf(items).length;
    if (left === 0) return NativePromise.resolve(results);
    results.length = left;
    return collect("for all of " + left, items, (i, ok, value, done) => {
      results[i] = ok ? { status: "fulfilled", value } : { status: "rejected", error: toldOf(value) };
      if (--left === 0) done(results);
    });
  }

  function toldOf(error) {
    if (!core.isError(error)) return { code: "error", message: "" + error };
    return { code: typeof error.code === "string" ? error.code : "error", message: error.message };
  }

  function race(items) {
    if (listOf(items).length === 0) return NativePromise.reject(problem("empty", "race of nothing would never end"));
    return collect("for the first of " + items.length, items,
      (i, ok, value, done, failed) => (ok ? done : failed)(value));
  }

  function any(items) {
    const errors = [];
    let left = listOf(items).length;
    if (left === 0) return NativePromise.reject(problem("empty", "any of nothing would never end"));
    errors.length = left;
    return collect("for any of " + left, items, (i, ok, value, done, failed) => {
      if (ok) return done(value);
      errors[i] = value;
      if (--left > 0) return undefined;
      const error = problem("all_failed", "all of " + errors.length + " failed");
      hide(error, "errors", errors);
      return failed(error);
    });
  }

  function map(items, work, options) {
    if (typeof work !== "function") throw new core.TypeError("map needs a function");
    const count = listOf(items).length;
    only(options, "concurrency");
    const most = options !== undefined && options.concurrency !== undefined ? options.concurrency : 10;
    if (!(most >= 1 && most % 1 === 0)) throw new core.TypeError("concurrency must be a whole number from 1 on");
    const results = [];
    results.length = count;
    if (count === 0) return NativePromise.resolve(results);
    const owned = bare([]);
    const spawner = tasks.now();
    return operation("for a map of " + count, (resolve, reject) => {
      let next = 0;
      let left = count;
      let isOpen = true;
      const stop = () => {
        isOpen = false;
        cancelAll(owned, "nobody waits for it any more");
      };
      const start = () => {
        const i = next++;
        const task = tasks.within(spawner, () => spawn(work, [items[i], i]));
        owned[owned.length] = task;
        watch(task.promise, (value) => {
          results[i] = value;
          if (--left === 0) resolve(results);
          else if (isOpen && next < count) start();
        }, (error) => {
          reject(error);
          stop();
        });
      };
      while (next < count && next < most) start();
      return stop;
    });
  }

  function timeout(wait, work, ...args) {
    const task = spawn(work, args);
    return operation("for " + task.name, (resolve, reject) => {
      const stop = after(wait, () => {
        const error = problem("timeout", "it took longer than " + wait + " s");
        cancel(task, "", error);
        reject(error);
      });
      const end = (settle) => (value) => {
        stop();
        settle(value);
      };
      watch(task.promise, end(resolve), end(reject));
      return () => {
        stop();
        cancel(task, "nobody waits for it any more");
      };
    });
  }

  function wait(item, limit) {
    const task = tasks.isTask(item) ? recordOf(item) : undefined;
    return operation("for " + (task === undefined ? "a promise" : task.name), (resolve, reject) => {
      const late = () => reject(problem("timeout", "it took longer than " + limit + " s"));
      const stop = limit === undefined ? () => undefined : after(limit, late);
      const end = (settle) => (value) => {
        stop();
        settle(value);
      };
      watch(item, end(resolve), end(reject));
      return stop;
    });
  }

  // A scope ends when all its tasks have; a failure in it ends the others.
  function scope(work) {
    const owned = bare([]);
    let isOpen = true;
    let left = 1;
    let failure;
    let conclude;
    const one = (task) => {
      owned[owned.length] = task;
      watch(task.promise, ended, (error) => {
        if (task.status === "failed" && failure === undefined) {
          failure = record({ error });
          cancelAll(owned, "a task of the scope failed");
        }
        ended();
      });
    };
    const ended = () => {
      if (--left > 0) return;
      isOpen = false;
      conclude();
    };
    const handle = freeze({
      spawn(child, ...args) {
        if (!isOpen) throw problem("closed", "the scope has ended");
        const task = spawn(child, args);
        left++;
        one(task);
        return task.promise;
      },
    });
    const body = spawn(work, [handle], "scope");
    return operation("for a scope", (resolve, reject) => {
      conclude = () => {
        if (failure !== undefined) reject(failure.error);
        else watch(body.promise, resolve, reject);
      };
      one(body);
      return () => cancelAll(owned, "nobody waits for it any more");
    });
  }

  function token() {
    const listeners = bare([]);
    let reason;
    const made = {
      get cancelled() {
        return reason !== undefined;
      },
      get reason() {
        return reason;
      },
      cancel(why = "the token was cancelled") {
        if (reason !== undefined) return;
        reason = "" + why;
        for (let i = 0; i < listeners.length; i++) nativeThen(core.settled, () => void listeners[i](reason));
      },
      onCancel(listener) {
        if (typeof listener !== "function") throw new core.TypeError("onCancel needs a function");
        if (reason === undefined) listeners[listeners.length] = listener;
        else nativeThen(core.settled, () => void listener(reason));
      },
      check() {
        if (reason !== undefined) throw problem("cancelled", reason);
      },
    };
    core.weakSet(tokens, made, (task) => {
      if (reason !== undefined) return cancel(task, reason);
      listeners[listeners.length] = () => cancel(task, reason);
    });
    return freeze(made);
  }
  const tokens = new core.saved.WeakMap();

  function withToken(given, work, ...args) {
    const attach = typeof given === "object" && given !== null ? core.weakGet(tokens, given) : undefined;
    if (attach === undefined) throw new core.TypeError("withToken needs a token of async.token()");
    const task = spawn(work, args);
    attach(task);
    return task.promise;
  }

  return record({
    async: freeze({
      all, allSettled, any, map, race, scope, timeout, token, withToken,
      await: wait,
      current: () => (tasks.now() === undefined ? undefined : tasks.now().promise),
      sleep: (time) => say("@host", "sleep", [seconds(time)]),
      spawn: (work, ...args) => spawn(work, args).promise,
      yield: () => operation("for its turn", (resolve) => void nativeThen(core.settled, () => resolve(undefined))),
    }),
  });
});
