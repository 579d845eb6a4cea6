// Tasks: which one is running, what each waits for, and how it is cancelled. Modules "async" and "channel" stand on it.
//
// The engine does not say whose code it runs after an await. Rewritten files do: `wait` packs the awaited promise's
// outcome together with the task that awaits, and `open`, called with it as the function goes on, unpacks both.
(function (core) {
  "use strict";
  const { NONE, NativePromise, apply, bare, defineProperty, hide, mapDelete, mapEach } = core;
  const { mapSet, mapSize, nativeThen, origins, record, saved, weakGet, weakSet } = core;
  const { BridgeError, callSite, forget, say } = core.part("calls");
  const { Map, WeakMap } = saved;
  const NONE_RUNS = undefined;
  const boxes = new WeakMap(); // outcome of an await -> { task, failed, value }
  const records = new WeakMap(); // task as scripts hold it -> its record
  const running = new Map(); // number -> record, of tasks that have not ended
  let current = NONE_RUNS;
  let lastTask = 0;
  let lastOperation = 0;

  function problem(code, message) {
    return new BridgeError(message, code);
  }

  // Awaiting

  function waiting(value) {
    const task = current;
    refuseCancelled(task);
    const promise = new NativePromise((resolve) => resolve(value));
    const box = (failed) => (outcome) => {
      const packed = record({});
      weakSet(boxes, packed, record({ task, failed, value: outcome }));
      return packed;
    };
    // Outside of any task a failure alone is packed: where it is met, whoever ran last must be forgotten.
    if (task === NONE_RUNS) return nativeThen(promise, undefined, box(true));
    return interruptible(task, promise, box(false), box(true));
  }

  function resumed(value) {
    const packed = typeof value === "object" && value !== null ? weakGet(boxes, value) : undefined;
    if (packed === undefined) {
      current = NONE_RUNS;
      return value;
    }
    current = packed.task;
    refuseCancelled(current); // by what ran since its answer came
    if (packed.failed) throw packed.value;
    return packed.value;
  }

  // `for await` reads `done` as the function goes on: that is where its task is found again, and where it meets what
  // failed.
  function following() {
    const task = current;
    const showing = (value, tell) => {
      const shown = record({ value });
      defineProperty(shown, "done", record({
        get: () => {
          current = task;
          return tell();
        },
      }));
      return shown;
    };
    const seen = (step) => {
      const done = step.done;
      return showing(step.value, () => {
        refuseCancelled(task);
        return done;
      });
    };
    const failed = (error) => showing(undefined, () => {
      throw error;
    });
    return record({
      before: () => refuseCancelled(task),
      // A task that is cancelled may wait for nothing any more; what it leaves is closed all the same.
      leave: (close) => {
        const over = task !== NONE_RUNS && task.cancelled !== undefined;
        const closing = over ? within(NONE_RUNS, close) : close();
        return nativeThen(new NativePromise((resolve) => resolve(closing)), (step) => ((current = task), step));
      },
      after: (step) => interruptible(task, new NativePromise((resolve) => resolve(step)), seen, failed),
    });
  }

  // What comes of a promise, or of its task's end if that is first.
  function interruptible(task, promise, done, failed) {
    if (task === NONE_RUNS) return nativeThen(promise, done, failed);
    const number = ++lastOperation;
    return new NativePromise((resolve) => {
      let isOpen = true;
      const close = (make) => (outcome) => {
        if (!isOpen) return;
        isOpen = false;
        mapDelete(task.operations, number);
        resolve(make(outcome));
      };
      mapSet(task.operations, number, record({ what: "", cancel: close(failed) }));
      nativeThen(promise, close(done), close(failed));
    });
  }

  // Handlers of promises run for the task that gave them.
  function bound(handler) {
    if (typeof handler !== "function") return handler;
    const task = current;
    return (value) => within(task, () => handler(value));
  }

  function within(task, work) {
    const before = current;
    current = task;
    try {
      return work();
    } finally {
      current = before;
    }
  }

  function refuseCancelled(task) {
    if (task !== NONE_RUNS && task.cancelled !== undefined) throw task.cancelled;
  }

  // Something a task waits for. `begin` is given the functions that end it and returns what undoes it.
  function operation(what, begin) {
    const task = current;
    refuseCancelled(task);
    const number = ++lastOperation;
    return new NativePromise((resolve, reject) => {
      let undo;
      let isOpen = true;
      const close = (settle) => (value) => {
        if (!isOpen) return;
        isOpen = false;
        if (task !== NONE_RUNS) mapDelete(task.operations, number);
        settle(value);
      };
      const cancel = (error) => {
        if (undo !== undefined) undo();
        close(reject)(error);
      };
      if (task !== NONE_RUNS) mapSet(task.operations, number, record({ what, cancel }));
      try {
        undo = begin(close(resolve), close(reject));
      } catch (error) {
        close(reject)(error);
      }
    });
  }

  // A call to the host that a task has made; told by `say`.
  function called(id, call) {
    if (current === NONE_RUNS) return;
    const task = current;
    call.task = task;
    const cancel = (error) => {
      drop(id);
      call.reject(error);
    };
    mapSet(task.operations, "call " + id, record({ what: "", cancel }));
  }

  // A module that a task has the host find: who ends the task has that called off.
  function searching(task, id) {
    mapSet(task.operations, "call " + id, record({ what: "", cancel: () => drop(id) }));
  }

  function answered(id, call) {
    if (call.task !== undefined) mapDelete(call.task.operations, "call " + id);
  }

  // Forget a call and have its host work cancelled.
  function drop(id) {
    forget(id);
    within(NONE_RUNS, () => say("@host", "cancel", [id], false));
  }

  // Tasks

  function spawn(work, args, name) {
    if (typeof work !== "function") throw new core.TypeError("a task needs a function");
    refuseCancelled(current);
    const most = core.limits.tasks;
    if (mapSize(running) >= most) throw problem("too_many_tasks", "more than " + most + " tasks (limit: tasks)");
    const number = ++lastTask;
    const task = record({
      number, name: name || work.name || "task " + number, status: "running", cancelled: undefined,
      operations: new Map(), site: callSite(), resolve: undefined, reject: undefined, promise: undefined,
    });
    task.promise = core.setPrototypeOf(
      new NativePromise((resolve, reject) => {
        task.resolve = resolve;
        task.reject = reject;
      }),
      TaskPrototype,
    );
    weakSet(records, task.promise, task);
    mapSet(running, number, task);
    nativeThen(core.settled, () => begin(task, work, args));
    return task;
  }

  function begin(task, work, args) {
    if (task.status !== "running") return;
    let value;
    try {
      value = within(task, () => apply(work, undefined, args));
    } catch (error) {
      return failed(task, error);
    }
    core.whenSettled(value, (result) => ended(task, "done", task.resolve, result), (error) => failed(task, error));
  }

  function failed(task, error) {
    if (core.isError(error) && task.status === "running") {
      const origin = weakGet(origins, error);
      if (origin === undefined) weakSet(origins, error, record({ kind: "", spawned: task.site }));
      else if (origin.spawned === undefined) origin.spawned = task.site;
    }
    ended(task, "failed", task.reject, error);
  }

  function ended(task, status, settle, value) {
    if (task.status !== "running") return;
    task.status = status;
    mapDelete(running, task.number);
    settle(value);
  }

  // End a task. What it waits for is undone; its function finds the error where it awaits, and where it awaits again.
  function cancel(task, reason, error = problem("cancelled", "" + reason)) {
    if (task.status !== "running") return;
    task.cancelled = error;
    ended(task, "cancelled", task.reject, error);
    nativeThen(task.promise, undefined, () => undefined);
    const open = bare([]);
    mapEach(task.operations, (each) => (open[open.length] = each));
    for (let i = 0; i < open.length; i++) open[i].cancel(error);
  }

  function cancelAll(reason) {
    const all = bare([]);
    mapEach(running, (task) => (all[all.length] = task));
    const error = problem("cancelled", reason);
    for (let i = 0; i < all.length; i++) cancel(all[i], reason, error);
  }

  // A call of the host into the script: what it waits for ends with it, though no script holds it as a task.
  function visit() {
    return record({ name: "a call by the host", cancelled: undefined, operations: new Map(), promise: undefined });
  }

  function endVisit(task, error) {
    task.cancelled = error;
    const open = bare([]);
    mapEach(task.operations, (each) => (open[open.length] = each));
    for (let i = 0; i < open.length; i++) open[i].cancel(error);
  }

  const TaskPrototype = core.create(core.PromisePrototype);
  const own = (task) => {
    const found = weakGet(records, task);
    if (found === undefined) throw new core.TypeError("this is not a task");
    return found;
  };
  const getters = record({
    id: (task) => task.number,
    name: (task) => task.name,
    status: (task) => task.status,
  });
  const names = core.objectKeys(getters);
  for (let i = 0; i < names.length; i++) {
    const get = getters[names[i]];
    defineProperty(TaskPrototype, names[i], record({ get() { return get(own(this)); }, enumerable: false }));
  }
  hide(TaskPrototype, "cancel", function (reason = "the task was cancelled") {
    cancel(own(this), reason);
  });
  core.freeze(TaskPrototype);

  // What tasks are stuck at, for a run that cannot go on.
  function stuck() {
    const out = bare([]);
    mapEach(running, (task) => {
      mapEach(task.operations, (each) => {
        if (each.what !== "") out[out.length] = task.name + " waits " + each.what;
      });
    });
    return out;
  }

  return record({
    answered, bound, called, cancel, cancelAll, drop, endVisit, following, operation, problem, refuseCancelled, resumed, searching,
    spawn, stuck, waiting,
    isTask: (value) => typeof value === "object" && value !== null && weakGet(records, value) !== undefined,
    recordOf: (task) => weakGet(records, task),
    now: () => current,
    goOn: (task) => (current = task),
    running: () => mapSize(running),
    visit, within,
  });
});
