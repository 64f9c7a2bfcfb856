/** A module that wrangler compiles. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
