// The module "channel": values from task to task, in order, with back-pressure. Shared by reference inside one guest.
(function (core) {
  "use strict";
  const { bare, defineProperty, freeze, hide, mapDelete, mapEach, mapSet, mapSize, nativeThen, record, weakGet } = core;
  const { lastCall, say } = core.part("calls");
  const { Map, WeakMap, asyncIterator } = core.saved;
  const tasks = core.part("tasks");
  const { operation, problem } = tasks;
  const states = new WeakMap(); // channel as scripts hold it -> its state
  const open = new Map(); // number -> state
  let last = 0;
  let turn = 0;

  // A queue of entries that can leave from the middle.
  function queue() {
    return new Map();
  }

  function first(entries) {
    let found;
    mapEach(entries, (entry) => {
      if (found === undefined) found = entry;
    });
    return found;
  }

  let lastEntry = 0;

  function enter(entries, entry) {
    entry.number = ++lastEntry;
    entry.queue = entries;
    mapSet(entries, entry.number, entry);
    return entry;
  }

  function leave(entry) {
    mapDelete(entry.queue, entry.number);
  }

  // An entry that selects stands in several queues; once served it stands in none.
  function serve(entry, outcome) {
    leave(entry);
    if (entry.others !== undefined) for (let i = 0; i < entry.others.length; i++) leave(entry.others[i]);
    entry.done(outcome);
  }

  function make(capacity = 0, name) {
    if (typeof capacity !== "number" || !(capacity >= 0) || capacity % 1 !== 0) {
      throw new core.TypeError("the capacity of a channel must be a whole number from 0 on");
    }
    const most = core.limits.channels;
    if (mapSize(open) >= most) throw problem("too_many_channels", "more than " + most + " channels (limit: channels)");
    const id = ++last;
    const state = record({
      id, name: name === undefined ? "channel " + id : "" + name, capacity, items: bare([]), at: 0, closed: false,
      senders: queue(), receivers: queue(),
    });
    mapSet(open, id, state);
    return shown(state);
  }

  const size = (state) => state.items.length - state.at;

  function push(state, value) {
    state.items[state.items.length] = value;
  }

  function shift(state) {
    const value = state.items[state.at];
    state.items[state.at++] = undefined;
    if (state.at > 64 && state.at * 2 > state.items.length) {
      const kept = bare([]);
      for (let i = state.at; i < state.items.length; i++) kept[kept.length] = state.items[i];
      state.items = kept;
      state.at = 0;
    }
    return value;
  }

  // Give a value away at once, if that can be done.
  function give(state, value) {
    if (state.closed) throw problem("closed", "the channel '" + state.name + "' is closed");
    const receiver = first(state.receivers);
    if (receiver !== undefined) serve(receiver, { value, ok: true });
    else if (size(state) < state.capacity) push(state, value);
    else return false;
    return true;
  }

  // Take a value at once, if that can be done; undefined if not.
  function take(state) {
    if (size(state) > 0) {
      const value = shift(state);
      const sender = first(state.senders);
      if (sender !== undefined) {
        push(state, sender.value);
        serve(sender, undefined);
      }
      return { value, ok: true };
    }
    const sender = first(state.senders);
    if (sender !== undefined) {
      const value = sender.value;
      serve(sender, undefined);
      return { value, ok: true };
    }
    return state.closed ? { value: undefined, ok: false } : undefined;
  }

  function close(state) {
    if (state.closed) throw problem("closed", "the channel '" + state.name + "' is closed already");
    state.closed = true;
    mapDelete(open, state.id);
    for (let entry; (entry = first(state.receivers)) !== undefined; ) serve(entry, { value: undefined, ok: false });
    for (let entry; (entry = first(state.senders)) !== undefined; ) {
      const failed = entry.failed;
      leave(entry);
      if (entry.others !== undefined) for (let i = 0; i < entry.others.length; i++) leave(entry.others[i]);
      failed(problem("closed", "the channel '" + state.name + "' is closed"));
    }
  }

  function send(state, value) {
    return operation("to send to '" + state.name + "'", (done, failed) => {
      if (give(state, value)) return void done(undefined);
      const entry = enter(state.senders, record({ value, done, failed, others: undefined }));
      return () => leave(entry);
    });
  }

  function receive(state, seconds) {
    return operation("to receive from '" + state.name + "'", (done, failed) => {
      checkSeconds(seconds);
      const got = take(state);
      if (got !== undefined) return void done(got);
      const entry = enter(state.receivers, record({ done, failed, others: undefined }));
      if (seconds === undefined) return () => leave(entry);
      return within(seconds, entry, () => failed(problem("timeout", "nothing came within " + seconds + " s")));
    });
  }

  // Before an entry is in line: one that is left behind would swallow what is sent.
  function checkSeconds(seconds) {
    if (seconds !== undefined && (typeof seconds !== "number" || !(seconds >= 0))) {
      throw new core.TypeError("seconds must be a number from 0 on");
    }
  }

  // Let an entry wait for some time only; returns what undoes both.
  function within(seconds, entry, late) {
    const slept = tasks.within(undefined, () => say("@host", "sleep", [seconds]));
    const call = lastCall();
    let isOpen = true;
    const stop = () => {
      if (isOpen) tasks.drop(call);
      isOpen = false;
    };
    const { done } = entry;
    entry.done = (outcome) => {
      stop();
      done(outcome);
    };
    nativeThen(slept, () => {
      if (!isOpen) return;
      isOpen = false;
      entry.leaveAll === undefined ? leave(entry) : entry.leaveAll();
      late();
    }, () => undefined);
    return () => {
      stop();
      entry.leaveAll === undefined ? leave(entry) : entry.leaveAll();
    };
  }

  function casesOf(cases) {
    if (!core.isArray(cases)) throw new core.TypeError("select needs a list of cases");
    const out = bare([]);
    for (let i = 0; i < cases.length; i++) {
      const one = cases[i];
      const sends = typeof one === "object" && one !== null && one.send !== undefined;
      if (sends && one.receive !== undefined) {
        throw new core.TypeError("case " + i + " of select both receives and sends: make it two");
      }
      const state = typeof one === "object" && one !== null ? weakGet(states, sends ? one.send : one.receive)
        : undefined;
      if (state === undefined) {
        throw new core.TypeError("case " + i + " of select has no channel of this script: give { receive: ch } or "
          + "{ send: ch, value }; a shared channel is waited for by its own functions alone");
      }
      out[i] = record({ state, sends, value: sends ? one.value : undefined });
    }
    return out;
  }

  function select(given, options) {
    const cases = casesOf(given);
    const { default: otherwise, timeout, ...others } = options === undefined ? {} : options;
    const [stray] = core.objectKeys(others);
    if (stray !== undefined) {
      throw new core.TypeError("select has no option '" + stray + "', only 'default' and 'timeout'");
    }
    checkSeconds(timeout);
    const count = cases.length;
    return operation("in a select", (done, failed) => {
      const begin = count > 0 ? turn++ % count : 0;
      for (let n = 0; n < count; n++) {
        const index = (begin + n) % count;
        const one = cases[index];
        if (one.sends) {
          if (give(one.state, one.value)) return void done({ kind: "send", index, value: undefined, ok: true });
        } else {
          const got = take(one.state);
          if (got !== undefined) return void done({ kind: "receive", index, value: got.value, ok: got.ok });
        }
      }
      if (otherwise) return void done({ kind: "default", index: undefined, value: undefined, ok: false });
      if (count === 0 && timeout === undefined) throw problem("empty", "select of nothing would never end");
      const entries = bare([]);
      const leaveAll = () => {
        for (let i = 0; i < entries.length; i++) leave(entries[i]);
      };
      const head = record({ done: (outcome) => done(outcome), leaveAll });
      for (let index = 0; index < count; index++) {
        const one = cases[index];
        const told = one.sends
          ? () => head.done({ kind: "send", index, value: undefined, ok: true })
          : (got) => head.done({ kind: "receive", index, value: got.value, ok: got.ok });
        const entry = record({ value: one.value, done: told, failed, others: entries });
        entries[index] = enter(one.sends ? one.state.senders : one.state.receivers, entry);
      }
      if (timeout === undefined) return leaveAll;
      return within(timeout, head, () => done({ kind: "timeout", index: undefined, value: undefined, ok: false }));
    });
  }

  function tell(state) {
    const { id, name, capacity, closed, senders, receivers } = state;
    return { id, name, capacity, length: size(state), closed, senders: mapSize(senders),
      receivers: mapSize(receivers) };
  }

  function shown(state) {
    const channel = core.create(ChannelPrototype);
    core.weakSet(states, channel, state);
    return channel;
  }

  function own(channel) {
    const state = typeof channel === "object" && channel !== null ? weakGet(states, channel) : undefined;
    if (state === undefined) throw new core.TypeError("this is not a channel");
    return state;
  }

  const ChannelPrototype = {
    send(value) { return send(own(this), value); },
    receive(seconds) { return receive(own(this), seconds); },
    trySend(value) { return give(own(this), value); },
    tryReceive() { return take(own(this)) || { value: undefined, ok: false }; },
    close() { close(own(this)); },
    info() { return tell(own(this)); },
  };
  iterable(ChannelPrototype);
  freeze(ChannelPrototype);

  // `for await` draws until the channel is closed and empty.
  function iterable(prototype) {
    hide(prototype, asyncIterator, function () {
      const drawn = {
        next: () => nativeThen(this.receive(), (got) => ({ done: !got.ok, value: got.value })),
        return: (value) => ({ done: true, value }),
      };
      hide(drawn, asyncIterator, () => drawn);
      return drawn;
    });
    defineProperty(prototype, core.saved.toStringTag, record({ value: "Channel" }));
  }

  // A channel between the runs of a session lives at the host; values are copied.
  function shared(name, capacity = 0) {
    return nativeThen(say("@host", "shared_channel", [name, capacity]), (handle) => {
      const pair = (promise) => nativeThen(promise, (got) => ({ value: got[0], ok: got[1] }));
      const channel = {
        send: (value) => handle.send(value),
        receive: (seconds) => pair(seconds === undefined ? handle.receive() : timed(handle.receive(), seconds)),
        trySend: (value) => handle.trySend(value),
        tryReceive: () => pair(handle.tryReceive()),
        close: () => handle.close(),
        info: () => handle.info(),
      };
      iterable(channel);
      return freeze(channel);
    });
  }

  // A receive at the host that is given up after a while: the call is dropped, and the host keeps the value.
  function timed(receiving, seconds) {
    const call = lastCall();
    return operation("to receive", (done, failed) => {
      const entry = record({ done, leaveAll: () => tasks.drop(call) });
      nativeThen(receiving, (got) => entry.done(got), failed);
      return within(seconds, entry, () => failed(problem("timeout", "nothing came within " + seconds + " s")));
    });
  }

  function list() {
    const out = [];
    mapEach(open, (state) => (out[out.length] = tell(state)));
    return out;
  }

  return record({ channel: freeze({ new: make, select, shared, list }) });
});
