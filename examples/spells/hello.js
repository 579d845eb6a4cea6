// /// spell
// name = "hello"
// description = "Say hello."
//
// [parameters.name]
// default = "world"
// description = "Who is greeted"
// ///

console.log(`Hello, ${params.name}!`);
