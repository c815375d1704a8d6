import { StoreSetupError } from './store.errors.js';
/**
 * Fills in the defaults. `option` is how the application spells these options, for the message.
 *
 * @throws {StoreSetupError} on nonsense
 */
export function storeSettings(options, option) {
    const { migrations = 'run', timeoutMs = 5000 } = options;
    if (migrations !== 'run' && migrations !== 'check')
        throw new StoreSetupError(`${option}.migrations must be 'run' or 'check'.`);
    // Positive, and within what a timer can take.
    if (!Number.isInteger(timeoutMs) || timeoutMs <= 0 || timeoutMs >= 2 ** 31)
        throw new StoreSetupError(`${option}.timeoutMs must be a whole number of milliseconds.`);
    return { migrations, timeoutMs };
}
//# sourceMappingURL=store.options.js.map