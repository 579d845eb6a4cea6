// id: JS-CRA-035
// class: crash
// tries: give a buffer away while the value that holds it is converted
// expect: error ConversionError | value "safe"

const buffer = new ArrayBuffer(1e5);
return { get first() { buffer.transfer(); return 1 }, view: new Uint8Array(buffer) };
