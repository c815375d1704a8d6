/** A map that holds so many entries at most: beyond, the one that was longest without use goes. */
export class BoundedMap<Value> {
  // In the order of last use, as a map keeps the order of insertion.
  private readonly entries = new Map<string, Value>();

  constructor(private readonly most: number) {}

  get size(): number {
    return this.entries.size;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /** The value, which counts as a use of it. */
  get(key: string): Value | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) this.place(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.place(key, value);
    if (this.entries.size <= this.most) return;
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  private place(key: string, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, value);
  }
}
