// Where things stand that the engine tells of by another place: calls of several lines, and columns in lines with letters
// that take several bytes. For files that have any; the host finds the same, see its Places. The engine itself may look
// at the stack of an error: nothing here asks the host, or runs anything of a script's.
(function (core) {
  "use strict";
  const { cut, find, getOwnPropertyDescriptor, lower, record } = core;

  // What is called where no call is written.
  const UNSAID = record({ valueOf: 1, toString: 1, toJSON: 1, next: 1, return: 1, then: 1 });

  function isUnsaid(name) {
    const begin = cut(name, 0, 4);
    return begin === "get " || begin === "set " || cut(name, 0, 1) === "[" || UNSAID[name] === 1;
  }

  // What an error's first frame has called: undefined if nothing, "" if that is what failed.
  function called(error) {
    const own = error === undefined ? undefined : getOwnPropertyDescriptor(error, "message");
    const isLost = own !== undefined && typeof own.value === "string" && cut(own.value, -14) === "not a function";
    return isLost ? "" : undefined;
  }

  function exactly(file, line, column, engineColumn, called) {
    const call = callAt(file.calls, line, column - 1, called);
    if (call !== undefined) return call[5] + ":" + call[7];
    return line + ":" + (file.isWide ? column - wideBefore(file, line, engineColumn) : column);
  }

  // The call of several lines that is under way at a place. `called` runs there; if nothing does, only the making of an
  // error can be meant.
  function callAt(calls, line, column, called) {
    let isCallee = false;
    let isOpen = true;
    let named;
    let around;
    let count = 0;
    for (let i = calls.length - 1; i >= 0; i--) {
      const call = calls[i];
      const name = call[4];
      if (name !== null && call[5] === line && call[6] === column) {
        if (name === called) return undefined;
        isCallee = true;
      } else if (isOpen && isAfter(line, column, call[0], call[1]) && !isAfter(line, column, call[2], call[3])) {
        if (name !== null) {
          if (named === undefined && isNamed(name, called)) named = call;
          around = call;
          count++;
        } else isOpen = call[0] === line && call[1] === column; // a function that begins here is an argument
      }
    }
    if (named !== undefined) return named;
    return count === 1 && !isCallee && called !== undefined && !isUnsaid(called) ? around : undefined;
  }

  function isAfter(line, column, otherLine, otherColumn) {
    return line > otherLine || (line === otherLine && column >= otherColumn);
  }

  function isNamed(name, called) {
    return called === undefined ? lower(cut(name, -5)) === "error" : name !== "" && name === called;
  }

  // How many bytes more than characters the engine counts in a line before a column.
  function wideBefore(file, line, column) {
    const code = file.code;
    let at = file.first - 1; // as many empty lines are before it
    for (let i = 1; i < line; i++) at = find(code, "\n", at) + 1;
    let wide = 0;
    for (let bytes = 1; bytes < column && at < code.length; ) {
      const c = code[at];
      const more = c < "\x80" ? 0 : c < "\u0800" ? 1 : c >= "\ud800" && c < "\udc00" ? 3 : 2;
      wide += more;
      bytes += more + 1;
      at += more === 3 ? 2 : 1;
    }
    return wide;
  }

  return record({ called, exactly });
});
