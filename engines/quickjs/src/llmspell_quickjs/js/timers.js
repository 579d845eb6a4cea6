// Timers: each is a sleep of the host, so that time passes there, under its limits and on its record.
(function (core) {
  "use strict";
  const { apply, mapGet, mapSet, nativeThen } = core;
  const { forget, lastCall, say } = core.part("calls");
  const timers = new core.saved.Map(); // number -> number of the host call under way
  const remove = core.saved.mapDelete;
  let last = 0;

  function wait(number, delay, work) {
    const seconds = delay > 0 ? delay / 1000 : 0;
    const slept = say("@host", "sleep", [seconds]);
    mapSet(timers, number, lastCall());
    nativeThen(slept, () => {
      if (mapGet(timers, number) !== undefined) core.calledBack(work);
    }, () => void remove(timers, number)); // a timer of a task or call that was cancelled ends with it
  }

  function start(callback, delay, args, again) {
    if (typeof callback !== "function") throw new core.TypeError("a timer needs a function");
    const number = ++last;
    const wanted = +delay || 0;
    const work = () => {
      if (again) wait(number, wanted, work);
      else remove(timers, number);
      apply(callback, undefined, args);
    };
    wait(number, wanted, work);
    return number;
  }

  function stop(number) {
    const call = mapGet(timers, number);
    if (call !== undefined) {
      remove(timers, number);
      forget(call);
      say("@host", "cancel", [call], false);
    }
  }

  return core.record({
    setTimeout: function setTimeout(callback, delay, ...args) {
      return start(callback, delay, args, false);
    },
    setInterval: function setInterval(callback, delay, ...args) {
      return start(callback, delay, args, true);
    },
    clearTimeout: function clearTimeout(number) {
      stop(number);
    },
    clearInterval: function clearInterval(number) {
      stop(number);
    },
  });
});
