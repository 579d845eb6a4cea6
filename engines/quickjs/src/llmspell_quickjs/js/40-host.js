// The way to the host: what is said to it, and the parts of the glue it gives.

const STOP = "X"; // the host's answer after which nothing goes on
const said = bare([]); // lines for the host, in order
const searches = bare([]); // chains of the files that wait for a module to be found, each inside the ones before
let cancelled = ""; // why, once the run is being ended
let calls; // the part of that name, once a script makes calls
let tasks; // likewise, once it uses tasks
let places; // likewise, once one of its files needs it

function halt() {
  for (;;) {
    // The host has tripped the interrupt: this loop is where it strikes, and nothing can catch it.
  }
}

function tellSaid() {
  if (said.length === 0) return "";
  const text = join(said, "\n");
  said.length = 0;
  return text;
}

function emit(kind, text) {
  // What makes the text may have been changed by the script: it is one all the same.
  if (host("emit", kind, stringify("" + text)) !== "") halt();
}

const parts = create(null);

// Parts of the glue that few scripts need are evaluated when the first one does. The host gives text, or puts the
// part's function into the slot.
const slot = create(null);

function part(name) {
  const known = parts[name];
  if (known !== undefined) return known;
  const text = host("part", name);
  if (text === STOP) return halt();
  if (text === "R") throw new PlainRangeError("Maximum call stack size exceeded");
  const make = text === "" ? slot[name] : evaluate(text);
  const made = (parts[name] = make(core));
  if (name === "calls") calls = made;
  else if (name === "tasks") tasks = made;
  else if (name === "places") places = made;
  return made;
}
