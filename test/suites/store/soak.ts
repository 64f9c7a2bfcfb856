/** How many times longer random tests run: `TOMBOLO_SOAK=10 bun test test/suites/store`. */
export const soakFactor = Math.max(1, Number(process.env['TOMBOLO_SOAK'] ?? 1));
