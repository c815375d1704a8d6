import { QueryFailedError } from 'typeorm';
/** What the driver said, without the statement and the parameters that TypeORM wraps it in. */
export function driverErrorOf(error) {
    return error instanceof QueryFailedError ? error.driverError : error;
}
/** The result code of SQLite (`SQLITE_BUSY`), the SQLSTATE of PostgreSQL (`23505`) or of node (`ECONNREFUSED`). */
export function errorCodeOf(error) {
    return textOf(driverErrorOf(error), 'code');
}
/** What the driver said in words: for the operator only. */
export function errorMessageOf(error) {
    return textOf(driverErrorOf(error), 'message') ?? '';
}
function textOf(error, property) {
    if (typeof error !== 'object' || error === null)
        return undefined;
    const value = Reflect.get(error, property);
    return typeof value === 'string' ? value : undefined;
}
/** Another connection holds the lock; nothing was written. */
const BUSY = /^SQLITE_(BUSY|LOCKED)/;
/** Constraints and sizes; SQLSTATE classes 22 (data), 23 (integrity) and 54 (program limit, such as an index row). */
const ITEM = /^(SQLITE_(CONSTRAINT|TOOBIG|MISMATCH)|(22|23|54)[0-9A-Z]{3}$)/;
export function faultOf(error) {
    const code = errorCodeOf(error) ?? '';
    if (BUSY.test(code))
        return 'busy';
    return ITEM.test(code) ? 'item' : 'store';
}
export function isBusy(error) {
    return faultOf(error) === 'busy';
}
//# sourceMappingURL=store-fault.js.map