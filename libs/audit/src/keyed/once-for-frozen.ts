/**
 * `compute`, which remembers what it has made of an object that can never change. A principal makes many calls, each with
 * two records. `compute` may look at the members of the object, and no deeper: what they hold might change.
 */
export function onceForFrozen<O extends object, T extends object | string>(
  compute: (object: O) => T,
): (object: O) => T {
  const known = new WeakMap<O, T>();
  return (object) => {
    const before = known.get(object);
    if (before !== undefined) return before;
    const made = compute(object);
    if (Object.isFrozen(object)) known.set(object, made);
    return made;
  };
}
