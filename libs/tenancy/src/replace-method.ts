import { DataSource } from 'typeorm';

type Method = (this: DataSource, ...given: unknown[]) => unknown;

/** Replaces a method of every `DataSource`, of those that are made already too. `make` is given what it was. */
export function replaceMethod(name: keyof DataSource, make: (method: Method) => Method): void {
  const method: unknown = Reflect.get(DataSource.prototype, name);
  if (typeof method !== 'function') throw new TypeError(`The DataSource of TypeORM has no ${name}().`);
  const original: Method = function (...given) {
    return Reflect.apply(method, this, given);
  };
  Reflect.set(DataSource.prototype, name, make(original));
}
