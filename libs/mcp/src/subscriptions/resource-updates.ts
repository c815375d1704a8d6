import type { Subscriptions } from './subscriptions.js';

/**
 * For applications: says that a resource has changed. Injectable wherever `SallyportModule` is.
 *
 * @example
 * ```ts
 * constructor(private readonly updates: ResourceUpdates) {}
 *
 * async save(page: Page) {
 *   await this.pages.save(page);
 *   void this.updates.changed(`docs://${page.slug}`);
 * }
 * ```
 */
export class ResourceUpdates {
  constructor(private readonly subscriptions: Subscriptions) {}

  /**
   * Tells the clients that follow this very URI on a stream of this process, and that may still read it: that it changed,
   * not how. Resolves when they have been told; never rejects. Other processes are told by calling it there.
   */
  async changed(uri: string): Promise<void> {
    await this.subscriptions.resourceChanged(uri);
  }
}
