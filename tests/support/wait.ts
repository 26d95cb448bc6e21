/**
 * Wait until a condition holds, asking again and again; what it gives when it holds is handed back.
 *
 * @throws {Error} saying what was waited for when `timeout` milliseconds (default 10,000) pass.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeout = 10_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`Waited ${timeout} ms in vain for ${what}`);
    await Bun.sleep(10);
  }
}
