// `then` for promises with a constructor of their own. The functions a subclass hands out are called by the engine in
// a job, where nothing may be thrown: so they are called through a function that does not.
(function (core) {
  "use strict";
  const { apply, defineProperty, getOwnPropertyDescriptor, nativeThen, record } = core;
  const Promise = core.NativePromise;
  const { species } = core.saved;

  function constructorOf(promise) {
    const constructor = promise.constructor;
    if (constructor === undefined) return Promise;
    if ((typeof constructor !== "object" || constructor === null) && typeof constructor !== "function") {
      throw new core.TypeError("the constructor of a promise is not an object");
    }
    const kind = constructor[species];
    return kind === undefined || kind === null ? Promise : kind;
  }

  // The engine's own then, with the engine's own promise as its result whatever `constructor` says.
  function plainThen(promise, done, failed) {
    const own = getOwnPropertyDescriptor(promise, "constructor");
    core.hide(promise, "constructor", undefined);
    try {
      return nativeThen(promise, done, failed);
    } finally {
      if (own === undefined) delete promise.constructor;
      else defineProperty(promise, "constructor", own);
    }
  }

  function quiet(settle) {
    return (value) => {
      try {
        apply(settle, undefined, [value]);
      } catch {
        // What a subclass's own settling function throws has nowhere to go, by the language's rules too.
      }
    };
  }

  function then(promise, done, failed) {
    const Constructor = constructorOf(promise);
    if (Constructor === Promise) return plainThen(promise, done, failed);
    let resolve;
    let reject;
    const result = new Constructor((keep, refuse) => {
      resolve = keep;
      reject = refuse;
    });
    if (typeof resolve !== "function" || typeof reject !== "function") {
      throw new core.TypeError("a promise subclass gave no functions to settle it");
    }
    const next = plainThen(promise, done, failed);
    nativeThen(next, quiet(resolve), quiet(reject));
    return result;
  }

  return record({ then });
});
