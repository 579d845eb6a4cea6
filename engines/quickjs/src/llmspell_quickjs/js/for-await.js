// `for await` over what has an asynchronous iterator: what it waits for is noted, and the task it runs in follows it.
(function (core) {
  "use strict";
  const { NONE, apply, hide } = core;
  const { asyncIterator } = core.saved;

  function drawn(module, number, iterable) {
    const make = iterable[asyncIterator];
    if (typeof make !== "function") return iterable;
    const inner = apply(make, iterable, NONE);
    const tasks = core.tasks();
    const follow = tasks === undefined ? undefined : tasks.following();
    const next = () => {
      if (follow !== undefined) follow.before();
      const step = inner.next();
      module.waits[number] = step;
      return follow === undefined ? step : follow.after(step);
    };
    const give = (value) => {
      if (typeof inner.return !== "function") return { done: true, value };
      return follow === undefined ? inner.return(value) : follow.leave(() => inner.return(value));
    };
    const outer = { next, return: give };
    hide(outer, asyncIterator, () => outer);
    return outer;
  }

  return core.record({ drawn });
});
