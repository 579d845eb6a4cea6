// performance.now() counts from when the VM was made. The engine's timeOrigin, which cannot be changed, tells how long the
// machine had run then; authors expect the date.
const { now } = global.performance;
hide(global, "performance", { now, timeOrigin: Date.now() - now() });
