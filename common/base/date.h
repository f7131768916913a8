/* Parsers for dates: strict, in the proleptic Gregorian calendar, years 1970 to 9999. Leap seconds
 * do not exist: second 60 is refused. Results are milliseconds since the Unix epoch. The writers of
 * the long forms are in clock.h. */
#ifndef TOQUE_DATE_H
#define TOQUE_DATE_H

#include "common/base/str.h"

/* The W3C profile of ISO 8601: "2026", "2026-01", "2026-01-02", "2026-01-02T03:04Z",
 * "2026-01-02T03:04:05.678+01:00"; a time needs its zone. Digits of the fraction beyond
 * milliseconds are dropped. E_INVALID otherwise. */
int date_read_iso(str text, i64 *ret_ms) MUST_CHECK;
/* "20260102T030405Z", the form of X-Amz-Date. E_INVALID otherwise. */
int date_read_basic(str text, i64 *ret_ms) MUST_CHECK;
/* RFC 9110's preferred form, "Fri, 02 Jan 2026 03:04:05 GMT", also with mail's "-0000" or "+0000"
 * for GMT; the weekday must be valid, but is not checked against the date. E_INVALID otherwise.
 * */
int date_read_http(str text, i64 *ret_ms) MUST_CHECK;

/* Writes date_read_basic's form; buf holds DATE_BASIC_SIZE bytes. */
#define DATE_BASIC_SIZE 17
char *date_basic(i64 ms, char *buf);

#endif
