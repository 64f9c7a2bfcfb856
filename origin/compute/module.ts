/** The Rust module, compiled once a process (20 ms): for the pool's threads, and for what is too short to be sent to one. */
let compiled: Promise<WebAssembly.Module> | undefined;

export function compiledModule(): Promise<WebAssembly.Module> {
  compiled ??= Bun.file(new URL('../../wasm/dist/tombolo.wasm', import.meta.url)).arrayBuffer().then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}
